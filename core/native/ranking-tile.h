// The kernel, written once over vectors of KERNEL_BYTES and compiled for each instruction set by the file that includes
// this one. No standard header may come after the target is set: an inline function of it, compiled for AVX-512, might be
// linked into code that runs everywhere.
#include "ranking-kernels.h"

namespace ranking {
namespace {

// The registers hold the sums of no more.
#if KERNEL_BYTES == 16
constexpr ptrdiff_t kCodeRows = 2;
#elif KERNEL_BYTES == 32
constexpr ptrdiff_t kCodeRows = 6;
#else
constexpr ptrdiff_t kCodeRows = 8;
#endif

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

typedef int32_t Whole __attribute__((vector_size(KERNEL_BYTES), aligned(4), may_alias));
constexpr ptrdiff_t kParts = kCodeColumns / kLanes;

// A pair of 8-bit values for each lane, widened to 16 bits.
inline Whole LoadPairs(const int8_t* from) {
#if defined(__x86_64__) && KERNEL_BYTES == 64
  return reinterpret_cast<Whole>(_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#elif defined(__x86_64__) && KERNEL_BYTES == 32
  return reinterpret_cast<Whole>(_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#elif defined(__x86_64__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return reinterpret_cast<Whole>(_mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8));
#else
  Whole pairs;
  int16_t* to = reinterpret_cast<int16_t*>(&pairs);
  for (ptrdiff_t at = 0; at < 2 * kLanes; at++) to[at] = from[at];
  return pairs;
#endif
}

// For each lane, the sum of the products of two pairs of 16-bit values.
inline Whole MultiplyPairs(Whole left, Whole right) {
#if defined(__x86_64__) && KERNEL_BYTES == 64
  return reinterpret_cast<Whole>(_mm512_madd_epi16(reinterpret_cast<__m512i>(left), reinterpret_cast<__m512i>(right)));
#elif defined(__x86_64__) && KERNEL_BYTES == 32
  return reinterpret_cast<Whole>(_mm256_madd_epi16(reinterpret_cast<__m256i>(left), reinterpret_cast<__m256i>(right)));
#elif defined(__x86_64__)
  return reinterpret_cast<Whole>(_mm_madd_epi16(reinterpret_cast<__m128i>(left), reinterpret_cast<__m128i>(right)));
#else
  const Whole low = (left << 16 >> 16) * (right << 16 >> 16);
  return low + (left >> 16) * (right >> 16);
#endif
}

template <ptrdiff_t kRows>
bool ScanCodes(const CodeTile& tile) {
  Whole sums[kRows][kParts];
#pragma GCC unroll 8
  for (ptrdiff_t i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (ptrdiff_t part = 0; part < kParts; part++) sums[i][part] = Whole{};
  }
  const int16_t* users = tile.users;
  const int8_t* panel = tile.panel;
  for (ptrdiff_t p = 0; p < tile.pairs; p++, users += 2 * kRows, panel += 2 * kCodeColumns) {
    Whole items[kParts];
#pragma GCC unroll 4
    for (ptrdiff_t part = 0; part < kParts; part++) items[part] = LoadPairs(panel + 2 * kLanes * part);
#pragma GCC unroll 8
    for (ptrdiff_t i = 0; i < kRows; i++) {
      int32_t pair;
      __builtin_memcpy(&pair, users + 2 * i, sizeof pair);
      const Whole spread = pair - Whole{};
#pragma GCC unroll 4
      for (ptrdiff_t part = 0; part < kParts; part++) sums[i][part] += MultiplyPairs(items[part], spread);
    }
  }
  uint64_t any = 0;
#pragma GCC unroll 8
  for (ptrdiff_t i = 0; i < kRows; i++) {
    const Vector floor = Spread(tile.floors[i]);
    uint64_t bits = 0;
#pragma GCC unroll 4
    for (ptrdiff_t part = 0; part < kParts; part++) {
      const Vector step = Load(tile.steps + kLanes * part) * Spread(tile.userSteps[i]);
      const Vector most = __builtin_convertvector(sums[i][part], Vector) * step + Load(tile.slacks + kLanes * part);
      bits |= Above(most, floor) << kLanes * part;
    }
    tile.passing[i] = bits;
    any |= bits;
  }
  return any != 0;
}

}  // namespace

extern const Kernels KERNEL_TABLE = {KERNEL_NAME, kMicroRows, kMicroColumns, Scan, kCodeRows,
                                     {ScanCodes<1>, ScanCodes<2>,
#if KERNEL_BYTES > 16
                                      ScanCodes<3>, ScanCodes<4>, ScanCodes<5>, ScanCodes<6>,
#endif
#if KERNEL_BYTES > 32
                                      ScanCodes<7>, ScanCodes<8>,
#endif
                                     }};

}  // namespace ranking
