// The inner loops of LightGCN training, one table of functions for each instruction set. All rows are `stride` floats
// long, a multiple of 16 padded with zeros, and 64-byte aligned.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lightgcn {

// Columns that a panel of packed items is padded to, for every instruction set.
constexpr int PANEL = 32;

struct AdamRates {
  float rate;            // learning rate / (1 - beta1^step)
  float root_correction; // 1 / sqrt(1 - beta2^step)
  float first_decay, second_decay, epsilon;
};

// One layer: value[n] = own * source[n] + neighbor * inverse_root[n] * sum over neighbours m of inverse_root[m] table[m].
// With `output` the value is stored there; without it, it is the gradient of row n and Adam takes its step.
struct Layer {
  const int32_t *offsets, *neighbors;
  const float *inverse_roots;
  const float *source, *table;
  float own, neighbor;
  int stride;
  float *output;
  const uint8_t *wanted; // rows to compute, or null for all
  float *ego, *first, *second;
  const float *decay; // of the ego rows, added to the gradient
  AdamRates adam;
};

// A block of users against the distinct items of a chunk.
struct SoftmaxBlock {
  const float *users; // [rows, stride]
  int rows;
  const float *items;  // [item_count, stride]
  const float *panels; // items transposed, [padded / PANEL][stride][PANEL]
  const float *bias;   // [padded], added to the logits, less the shift
  int item_count, padded, stride;
  float inverse_temperature;
  float *exponentials; // [rows, exponential_stride], written by `exponentiate`
  int exponential_stride;
};

struct Kernels {
  const char *name;
  void (*propagate)(const Layer &, int first_row, int last_row);
  void (*exponentiate)(const SoftmaxBlock &);
  // output[r] = sum over items of exponentials[r][i] * items[i], [rows, stride]
  void (*user_gradient)(const SoftmaxBlock &, float *output);
  // outputs[i] += sum over rows of exponentials[r][i] * scaled_users[r]
  void (*item_gradient)(const SoftmaxBlock &, const float *scaled_users, float *const *outputs);
  // The sum of `count` floats, a multiple of PANEL.
  float (*sum)(const float *, int count);
  float (*dot)(const float *, const float *, int stride);
  void (*add_scaled)(float *to, const float *from, float scale, int stride);
};

const Kernels &baseline_kernels();
#if defined(__x86_64__)
const Kernels &avx2_kernels();
const Kernels &avx512_kernels();
#endif

} // namespace lightgcn
