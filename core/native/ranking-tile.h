// The kernel, written once over vectors of KERNEL_BYTES and compiled for each instruction set by the file that includes
// this one. No standard header may come after the target is set: an inline function of it, compiled for AVX-512, might be
// linked into code that runs everywhere.
#include "ranking-kernels.h"

namespace ranking {
namespace {

typedef float Vector __attribute__((vector_size(KERNEL_BYTES), aligned(4), may_alias));
constexpr ptrdiff_t kLanes = KERNEL_BYTES / 4;
constexpr ptrdiff_t kMicroRows = KERNEL_MICRO_ROWS;
constexpr ptrdiff_t kMicroColumns = 2 * kLanes;

inline Vector Load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void Store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline Vector Spread(float value) { return value - Vector{}; }

// A bit for each lane of `scores` above `floor`.
inline uint64_t Above(Vector scores, Vector floor) {
#if defined(__x86_64__) && KERNEL_BYTES == 64
  return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(scores), reinterpret_cast<__m512>(floor), _CMP_GT_OQ);
#elif defined(__x86_64__) && KERNEL_BYTES == 32
  const __m256 above = _mm256_cmp_ps(reinterpret_cast<__m256>(scores), reinterpret_cast<__m256>(floor), _CMP_GT_OQ);
  return static_cast<uint32_t>(_mm256_movemask_ps(above));
#elif defined(__x86_64__)
  const __m128 above = _mm_cmpgt_ps(reinterpret_cast<__m128>(scores), reinterpret_cast<__m128>(floor));
  return static_cast<uint32_t>(_mm_movemask_ps(above));
#else
  uint64_t bits = 0;
  for (ptrdiff_t lane = 0; lane < kLanes; lane++) bits |= static_cast<uint64_t>(scores[lane] > floor[lane]) << lane;
  return bits;
#endif
}

bool Scan(const MicroTile& tile) {
  Vector sums[kMicroRows][2];
  for (ptrdiff_t i = 0; i < kMicroRows; i++) sums[i][0] = sums[i][1] = Vector{};
  const float* users = tile.users;
  const float* panel = tile.panel;
  for (ptrdiff_t k = 0; k < tile.depth; k++, users += kMicroRows, panel += kMicroColumns) {
    const Vector left = Load(panel);
    const Vector right = Load(panel + kLanes);
#pragma GCC unroll 16
    for (ptrdiff_t i = 0; i < kMicroRows; i++) {
      const Vector value = Spread(users[i]);
      sums[i][0] += value * left;
      sums[i][1] += value * right;
    }
  }
  uint64_t any = 0;
#pragma GCC unroll 16
  for (ptrdiff_t i = 0; i < kMicroRows; i++) {
    const Vector floor = Spread(tile.floors[i]);
    const uint64_t bits = Above(sums[i][0], floor) | Above(sums[i][1], floor) << kLanes;
    tile.passing[i] = bits;
    any |= bits;
  }
  if (any == 0) return false;
#pragma GCC unroll 16
  for (ptrdiff_t i = 0; i < kMicroRows; i++) {
    Store(tile.scores + i * kMicroColumns, sums[i][0]);
    Store(tile.scores + i * kMicroColumns + kLanes, sums[i][1]);
  }
  return true;
}

}  // namespace

extern const Kernels KERNEL_TABLE = {KERNEL_NAME, kMicroRows, kMicroColumns, Scan};

}  // namespace ranking
