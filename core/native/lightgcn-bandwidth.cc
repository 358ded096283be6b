#include "lightgcn-bandwidth.h"

#include "lightgcn-trainer.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_TARGET __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_TARGET
#endif

namespace lightgcn {

namespace {

constexpr int WIDTH = 8;
typedef float Vector __attribute__((vector_size(WIDTH * 4), aligned(32)));

constexpr int PASSES = 5;
constexpr int AHEAD = 12;
// Rows in a unit of work that a thread takes, as many as edges in the trainer's.
constexpr int BLOCK = 8192;

// A compile-time count of vectors keeps the sums in registers.
template <int VECTORS>
__attribute__((always_inline)) inline float sum_columns(const float *table, const int32_t *rows, int count, int stride) {
  Vector sums[VECTORS] = {};
  for (int read = 0; read < count; read++) {
    const float *ahead = table + static_cast<size_t>(rows[read + AHEAD]) * stride;
    for (int column = 0; column < VECTORS * WIDTH; column += 16) __builtin_prefetch(ahead + column);
    const Vector *from = reinterpret_cast<const Vector *>(table + static_cast<size_t>(rows[read]) * stride);
#pragma GCC unroll 8
    for (int part = 0; part < VECTORS; part++) sums[part] += from[part];
  }
  float total = 0;
  for (const Vector &sum : sums)
    for (int lane = 0; lane < WIDTH; lane++) total += sum[lane];
  return total;
}

FOR_EACH_TARGET
void sum_rows(const float *table, const int32_t *rows, int count, int stride, float *result) {
  int column = 0;
  for (; column + 64 <= stride; column += 64) *result += sum_columns<64 / WIDTH>(table + column, rows, count, stride);
  for (; column < stride; column += 16) *result += sum_columns<16 / WIDTH>(table + column, rows, count, stride);
}

FOR_EACH_TARGET
void add_scaled_arrays(float *__restrict a, const float *__restrict b, const float *__restrict c, size_t count) {
  for (size_t at = 0; at < count; at++) a[at] = b[at] + 3.f * c[at];
}

// The most bytes per second over all passes of `work`, which moves `bytes`.
template <typename Work>
double best_rate(ThreadTeam &team, double bytes, const Work &work) {
  double best = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    std::atomic<size_t> next{0};
    const auto began = std::chrono::steady_clock::now();
    team.run([&](int thread) { work(thread, next); });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    best = std::max(best, bytes / seconds.count());
  }
  return best;
}

} // namespace

double measure_row_bandwidth(int row_count, int stride, const int32_t *rows, int count, int threads) {
  const Floats table(static_cast<size_t>(row_count) * stride);
  std::vector<int32_t> padded(rows, rows + count);
  padded.resize(static_cast<size_t>(count) + AHEAD);
  ThreadTeam team(threads);
  std::vector<float> results(threads * 16);
  const double bytes = static_cast<double>(count) * stride * sizeof(float);
  return best_rate(team, bytes, [&](int thread, std::atomic<size_t> &next) {
    for (;;) {
      const size_t from = next.fetch_add(1, std::memory_order_relaxed) * BLOCK;
      if (from >= static_cast<size_t>(count)) return;
      const int length = static_cast<int>(std::min<size_t>(BLOCK, count - from));
      sum_rows(table.data(), padded.data() + from, length, stride, &results[thread * 16]);
    }
  });
}

double measure_stream_bandwidth(size_t count, int threads) {
  const Floats a(count), b(count), c(count);
  ThreadTeam team(threads);
  return best_rate(team, 3.0 * count * sizeof(float), [&](int thread, std::atomic<size_t> &) {
    const size_t from = count * thread / threads, to = count * (thread + 1) / threads;
    add_scaled_arrays(a.data() + from, b.data() + from, c.data() + from, to - from);
  });
}

} // namespace lightgcn
