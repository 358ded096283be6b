// What the softmax loss keeps for each chunk of a batch and for each thread.
#pragma once

#include "lightgcn-trainer.h"

namespace lightgcn {

// A part of the batch whose pairs are each other's negatives: its distinct users and items, as slots.
struct Trainer::Chunk {
  std::vector<int32_t> users, items;
  std::vector<int32_t> item_counts;
  // The pairs of user u are pair_items[pair_offsets[u] .. pair_offsets[u + 1]), places in `items`.
  std::vector<int32_t> pair_offsets, pair_items;
  int rows_in_block, block_count;

  int padded() const { return (static_cast<int>(items.size()) + PANEL - 1) / PANEL * PANEL; }
};

// What one thread needs for itself.
struct Trainer::Worker {
  Floats gradients; // [slots, stride]
  Floats items, panels, bias, users, output, exponentials;
  std::vector<float *> item_outputs;
  float shift = 0;
  const Chunk *packed = nullptr;
};

} // namespace lightgcn
