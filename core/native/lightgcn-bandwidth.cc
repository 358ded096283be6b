#include "lightgcn-trainer.h"

#include <algorithm>
#include <chrono>

namespace lightgcn {

namespace {

typedef float Vector __attribute__((vector_size(64), aligned(64)));

constexpr int PASSES = 5;
constexpr int AHEAD = 12;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void sum_rows(const float *table, const int32_t *rows, int count, int stride, float *result) {
  for (int column = 0; column < stride; column += 64) {
    const int width = std::min(64, stride - column) / 16;
    Vector sums[4] = {};
    for (int read = 0; read < count; read++) {
      const float *ahead = table + static_cast<size_t>(rows[read + AHEAD]) * stride + column;
      const Vector *from = reinterpret_cast<const Vector *>(table + static_cast<size_t>(rows[read]) * stride + column);
      if (width == 4) {
        for (int part = 0; part < 4; part++) __builtin_prefetch(ahead + part * 16);
        for (int part = 0; part < 4; part++) sums[part] += from[part];
      } else {
        for (int part = 0; part < width; part++) sums[part] += from[part];
      }
    }
    for (const Vector &sum : sums)
      for (int lane = 0; lane < 16; lane++) *result += sum[lane];
  }
}

} // namespace

double measure_row_bandwidth(int row_count, int stride, int reads, int threads) {
  Floats table(static_cast<size_t>(row_count) * stride);
  std::vector<int32_t> rows(reads + AHEAD);
  uint64_t word = 1;
  for (int32_t &row : rows) {
    word = word * 6364136223846793005u + 1442695040888963407u;
    row = static_cast<int32_t>((word >> 33) % row_count);
  }
  ThreadTeam team(threads);
  std::vector<float> results(threads * 16);
  const int part = reads / threads;
  double best = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    const auto began = std::chrono::steady_clock::now();
    team.run([&](int thread) {
      sum_rows(table.data(), rows.data() + thread * part, part, stride, &results[thread * 16]);
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    best = std::max(best, static_cast<double>(part) * threads * stride * sizeof(float) / seconds.count());
  }
  return best;
}

} // namespace lightgcn
