// The bodies of the kernels, compiled once for each instruction set: the including file sets WIDTH (floats in a vector)
// and, after all system headers, the target. Everything is in an unnamed namespace, so that no copy replaces another.
#include "lightgcn-kernels.h"

#include <cmath>
#include <cstring>

namespace lightgcn {
namespace {

typedef float Vector __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef int32_t IntVector __attribute__((vector_size(WIDTH * 4)));

// As many accumulators as the registers hold beside what feeds them.
constexpr int LOGIT_ROWS = WIDTH == 16 ? 12 : 6;
constexpr int GRADIENT_ROWS = 6;
constexpr int GRADIENT_VECTORS = WIDTH == 16 ? 4 : 2;

inline Vector load(const float *from) { return *reinterpret_cast<const Vector *>(from); }
inline void store(float *to, Vector value) { *reinterpret_cast<Vector *>(to) = value; }
inline Vector spread(float value) { return value - Vector{}; }

inline float sum_of(Vector value) {
  float sum = 0;
  for (int lane = 0; lane < WIDTH; lane++) sum += value[lane];
  return sum;
}

inline Vector root(Vector value) {
  float lanes[WIDTH];
  std::memcpy(lanes, &value, sizeof(value));
  for (int lane = 0; lane < WIDTH; lane++) lanes[lane] = std::sqrt(lanes[lane]);
  return load(lanes);
}

// exp(x) within 2 units in the last place for x in [-87, 88]; beyond, the value at the nearer end (Cephes' polynomial).
inline Vector exponential(Vector x) {
  const Vector magic = spread(12582912.f);
  x = x < -87.f ? spread(-87.f) : x;
  x = x > 88.f ? spread(88.f) : x;
  const Vector shifted = x * 1.44269504088896341f + magic;
  const Vector whole = shifted - magic;
  const Vector rest = x - whole * 0.693359375f - whole * -2.12194440e-4f;
  Vector series = spread(1.9875691500e-4f);
  series = series * rest + 1.3981999507e-3f;
  series = series * rest + 8.3334519073e-3f;
  series = series * rest + 4.1665795894e-2f;
  series = series * rest + 1.6666665459e-1f;
  series = series * rest + 5.0000001201e-1f;
  const Vector value = series * rest * rest + rest + 1.f;
  return (Vector)((IntVector)value + (((IntVector)shifted - (IntVector)magic) << 23));
}

template <int VECTORS>
inline void propagate_columns(const Layer &layer, int row, int column) {
  const int stride = layer.stride;
  const int first = layer.offsets[row], last = layer.offsets[row + 1];
  const float *table = layer.table + column;
  Vector sums[VECTORS];
  for (int v = 0; v < VECTORS; v++) sums[v] = Vector{};
  for (int edge = first; edge < last; edge++) {
    // Far enough ahead to hide the latency of the third-level cache; reading past the row's end stays in the array,
    // which is padded by that much.
    const float *ahead = table + (size_t)layer.neighbors[edge + 12] * stride;
    for (int v = 0; v < VECTORS * WIDTH; v += 16) __builtin_prefetch(ahead + v);
    const int neighbor = layer.neighbors[edge];
    const float *from = table + (size_t)neighbor * stride;
    const float weight = layer.inverse_roots[neighbor];
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; v++) sums[v] += load(from + v * WIDTH) * weight;
  }
  const float scale = layer.neighbor * layer.inverse_roots[row];
  const size_t base = (size_t)row * stride + column;
  for (int v = 0; v < VECTORS; v++) {
    const size_t at = base + v * WIDTH;
    const Vector value = sums[v] * scale + load(layer.source + at) * layer.own;
    if (layer.output) {
      store(layer.output + at, value);
      continue;
    }
    const AdamRates &adam = layer.adam;
    const Vector old = load(layer.ego + at);
    const Vector slope = value + old * layer.decay[row];
    const Vector first_moment = load(layer.first + at) * adam.first_decay + slope * (1 - adam.first_decay);
    const Vector second_moment = load(layer.second + at) * adam.second_decay + slope * slope * (1 - adam.second_decay);
    store(layer.first + at, first_moment);
    store(layer.second + at, second_moment);
    store(layer.ego + at, old - first_moment * adam.rate / (root(second_moment) * adam.root_correction + adam.epsilon));
  }
}

void propagate(const Layer &layer, int first_row, int last_row) {
  constexpr int WIDE = 64 / WIDTH;
  constexpr int NARROW = 16 / WIDTH;
  for (int row = first_row; row < last_row; row++) {
    if (layer.wanted && !layer.wanted[row]) continue;
    int column = 0;
    for (; column + 64 <= layer.stride; column += 64) propagate_columns<WIDE>(layer, row, column);
    for (; column < layer.stride; column += 16) propagate_columns<NARROW>(layer, row, column);
  }
}

// The inner products of ROWS users with the items of one panel. Apart from `exponential`, whose constants would take the
// accumulators' registers.
template <int ROWS>
__attribute__((noinline)) void multiply_panel(const SoftmaxBlock &block, int row, int panel) {
  constexpr int VECTORS = 2;
  constexpr int COLUMNS = VECTORS * WIDTH;
  const float *users = block.users + (size_t)row * block.stride;
  for (int part = 0; part < PANEL; part += COLUMNS) {
    const float *packed = block.panels + (size_t)panel * block.stride + part;
    Vector sums[ROWS][VECTORS];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++)
      for (int v = 0; v < VECTORS; v++) sums[r][v] = Vector{};
    for (int k = 0; k < block.stride; k++) {
      Vector values[VECTORS];
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; v++) values[v] = load(packed + (size_t)k * PANEL + v * WIDTH);
#pragma GCC unroll 16
      for (int r = 0; r < ROWS; r++) {
        const Vector user = spread(users[(size_t)r * block.stride + k]);
#pragma GCC unroll 2
        for (int v = 0; v < VECTORS; v++) sums[r][v] += values[v] * user;
      }
    }
    float *to = block.exponentials + (size_t)row * block.exponential_stride + panel + part;
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
      for (int v = 0; v < VECTORS; v++) store(to + (size_t)r * block.exponential_stride + v * WIDTH, sums[r][v]);
  }
}

void exponentiate(const SoftmaxBlock &block) {
  for (int panel = 0; panel < block.padded; panel += PANEL) {
    int row = 0;
    for (; row + LOGIT_ROWS <= block.rows; row += LOGIT_ROWS) multiply_panel<LOGIT_ROWS>(block, row, panel);
    for (; row < block.rows; row++) multiply_panel<1>(block, row, panel);
    float *logits = block.exponentials + panel;
    for (row = 0; row < block.rows; row++, logits += block.exponential_stride)
      for (int column = 0; column < PANEL; column += WIDTH)
        store(logits + column,
              exponential(load(logits + column) * block.inverse_temperature + load(block.bias + panel + column)));
  }
}

// outputs[r] (+)= sum over k of left[r * row_step + k * inner_step] * right[k], over VECTORS vectors of columns.
template <int ROWS, int VECTORS, bool ADD>
inline void multiply_rows(const float *left, size_t row_step, size_t inner_step, const float *right, int stride, int inner,
                          float *const *outputs, int column) {
  Vector sums[ROWS][VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) sums[r][v] = ADD ? load(outputs[r] + column + v * WIDTH) : Vector{};
  for (int k = 0; k < inner; k++) {
    Vector values[VECTORS];
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) values[v] = load(right + (size_t)k * stride + column + v * WIDTH);
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
      const Vector factor = spread(left[r * row_step + k * inner_step]);
#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++) sums[r][v] += values[v] * factor;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++) store(outputs[r] + column + v * WIDTH, sums[r][v]);
}

template <int ROWS, bool ADD>
inline void multiply_all_columns(const float *left, size_t row_step, size_t inner_step, const float *right, int stride,
                                 int inner, float *const *outputs) {
  constexpr int WIDE = GRADIENT_VECTORS * WIDTH;
  int column = 0;
  for (; column + WIDE <= stride; column += WIDE)
    multiply_rows<ROWS, GRADIENT_VECTORS, ADD>(left, row_step, inner_step, right, stride, inner, outputs, column);
  for (; column < stride; column += WIDTH)
    multiply_rows<ROWS, 1, ADD>(left, row_step, inner_step, right, stride, inner, outputs, column);
}

void user_gradient(const SoftmaxBlock &block, float *output) {
  float *rows[GRADIENT_ROWS];
  const size_t step = block.exponential_stride;
  int row = 0;
  for (; row + GRADIENT_ROWS <= block.rows; row += GRADIENT_ROWS) {
    for (int r = 0; r < GRADIENT_ROWS; r++) rows[r] = output + (size_t)(row + r) * block.stride;
    multiply_all_columns<GRADIENT_ROWS, false>(block.exponentials + row * step, step, 1, block.items, block.stride,
                                               block.item_count, rows);
  }
  for (; row < block.rows; row++) {
    rows[0] = output + (size_t)row * block.stride;
    multiply_all_columns<1, false>(block.exponentials + row * step, step, 1, block.items, block.stride,
                                   block.item_count, rows);
  }
}

void item_gradient(const SoftmaxBlock &block, const float *scaled_users, float *const *outputs) {
  const size_t step = block.exponential_stride;
  int item = 0;
  for (; item + GRADIENT_ROWS <= block.item_count; item += GRADIENT_ROWS)
    multiply_all_columns<GRADIENT_ROWS, true>(block.exponentials + item, 1, step, scaled_users, block.stride, block.rows,
                                              outputs + item);
  for (; item < block.item_count; item++)
    multiply_all_columns<1, true>(block.exponentials + item, 1, step, scaled_users, block.stride, block.rows,
                                  outputs + item);
}

float sum(const float *from, int count) {
  Vector sums[PANEL / WIDTH] = {};
  for (int column = 0; column < count; column += PANEL)
    for (int v = 0; v < PANEL / WIDTH; v++) sums[v] += load(from + column + v * WIDTH);
  float total = 0;
  for (int v = 0; v < PANEL / WIDTH; v++) total += sum_of(sums[v]);
  return total;
}

float dot(const float *left, const float *right, int stride) {
  Vector sum = Vector{};
  for (int column = 0; column < stride; column += WIDTH) sum += load(left + column) * load(right + column);
  return sum_of(sum);
}

void add_scaled(float *to, const float *from, float scale, int stride) {
  for (int column = 0; column < stride; column += WIDTH) store(to + column, load(to + column) + load(from + column) * scale);
}

constexpr Kernels KERNELS = {KERNEL_NAME, propagate, exponentiate, user_gradient, item_gradient, sum, dot, add_scaled};

} // namespace

const Kernels &KERNEL_FUNCTION() { return KERNELS; }

} // namespace lightgcn
