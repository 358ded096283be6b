// The softmax loss over in-batch negatives: blocks of users against the distinct items of their chunk.
#include "lightgcn-batch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace lightgcn {

namespace {

// Floats of a block's exponentials: of the size of a second-level cache; more rows spare passes over the items.
constexpr int BLOCK_FLOATS = 224 * 1024;
constexpr int MOST_BLOCK_ROWS = 96;
// Above what the padding of a row adds up to, below one negative at the lowest temperature.
constexpr double NOTHING = 1e-33;

} // namespace

void Trainer::normalize_slots() {
  normalized.reserve(slots.size() * stride);
  lengths.resize(slots.size());
  const size_t part = (slots.size() + team.size() - 1) / team.size();
  team.run([&](int thread) {
    for (size_t slot = thread * part; slot < std::min(slots.size(), (thread + 1) * part); slot++) {
      const float *from = final.data() + static_cast<size_t>(slots[slot]) * stride;
      float *to = normalized.data() + slot * stride;
      lengths[slot] = std::max(1e-12f, std::sqrt(kernels.dot(from, from, stride)));
      const float scale = 1 / lengths[slot];
      for (int column = 0; column < stride; column++) to[column] = from[column] * scale;
    }
  });
}

double Trainer::softmax_loss(const int32_t *users, const int32_t *items, int count, const Softmax &softmax) {
  clear_gradient();
  batch_size = count;
  std::vector<int32_t> user_slots(count), item_slots(count);
  for (int index = 0; index < count; index++) {
    user_slots[index] = slot_of(users[index]);
    item_slots[index] = slot_of(items[index]);
  }
  forward(ego.data(), final.data(), wanted.data());
  normalize_slots();
  std::vector<int32_t> place_by_slot(slots.size(), -1), places;
  const auto place_of = [&](std::vector<int32_t> &list, int slot) {
    if (place_by_slot[slot] < 0) {
      place_by_slot[slot] = static_cast<int>(list.size());
      list.push_back(slot);
    }
    return place_by_slot[slot];
  };
  std::vector<Chunk> chunks((count + softmax.chunk_size - 1) / softmax.chunk_size);
  for (size_t number = 0; number < chunks.size(); number++) {
    Chunk &chunk = chunks[number];
    const int begin = static_cast<int>(number) * softmax.chunk_size;
    const int end = std::min(count, begin + softmax.chunk_size);
    places.resize(end - begin);
    for (int index = begin; index < end; index++) {
      place_of(chunk.users, user_slots[index]);
      places[index - begin] = place_of(chunk.items, item_slots[index]);
    }
    chunk.item_counts.assign(chunk.items.size(), 0);
    chunk.pair_offsets.assign(chunk.users.size() + 1, 0);
    for (int index = begin; index < end; index++) {
      chunk.item_counts[places[index - begin]]++;
      chunk.pair_offsets[place_by_slot[user_slots[index]] + 1]++;
    }
    std::partial_sum(chunk.pair_offsets.begin(), chunk.pair_offsets.end(), chunk.pair_offsets.begin());
    std::vector<int32_t> next(chunk.pair_offsets.begin(), chunk.pair_offsets.end() - 1);
    chunk.pair_items.resize(end - begin);
    for (int index = begin; index < end; index++)
      chunk.pair_items[next[place_by_slot[user_slots[index]]]++] = places[index - begin];
    for (const int slot : chunk.users) place_by_slot[slot] = -1;
    for (const int slot : chunk.items) place_by_slot[slot] = -1;
    // A multiple of the twelve rows that the widest kernel takes at once.
    chunk.rows_in_block = std::min(MOST_BLOCK_ROWS, std::max(12, BLOCK_FLOATS / chunk.padded() / 12 * 12));
    chunk.block_count = (static_cast<int>(chunk.users.size()) + chunk.rows_in_block - 1) / chunk.rows_in_block;
  }
  const double loss = run_chunks(chunks, softmax, count);
  finish_slots();
  return loss / count;
}

// Blocks are dealt out by their place alone, so that the sums depend on the number of threads but not on their speed.
double Trainer::run_chunks(const std::vector<Chunk> &chunks, const Softmax &softmax, int count) {
  std::vector<double> costs{0};
  for (const Chunk &chunk : chunks)
    for (int block = 0; block < chunk.block_count; block++)
      costs.push_back(costs.back() + static_cast<double>(chunk.padded()) * chunk.users.size() / chunk.block_count);
  std::vector<double> losses(team.size());
  team.run([&](int thread) {
    Worker &worker = *team_memory[thread];
    worker.gradients.reserve(slots.size() * stride);
    std::memset(worker.gradients.data(), 0, slots.size() * stride * sizeof(float));
    worker.packed = nullptr;
    const auto owner = [&](size_t task) {
      const double middle = (costs[task] + costs[task + 1]) / 2;
      return std::min(team.size() - 1, static_cast<int>(middle / costs.back() * team.size()));
    };
    size_t task = 0;
    for (const Chunk &chunk : chunks)
      for (int block = 0; block < chunk.block_count; block++, task++)
        if (owner(task) == thread) losses[thread] += run_block(chunk, block, worker, softmax, count);
  });
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

void Trainer::pack_chunk(const Chunk &chunk, Worker &worker, const Softmax &softmax) const {
  const int padded = chunk.padded(), item_count = static_cast<int>(chunk.items.size());
  worker.items.reserve(static_cast<size_t>(padded) * stride);
  worker.panels.reserve(static_cast<size_t>(padded) * stride);
  worker.bias.reserve(padded);
  worker.exponentials.reserve(static_cast<size_t>(chunk.rows_in_block) * (padded + 16));
  worker.users.reserve(static_cast<size_t>(chunk.rows_in_block) * stride);
  worker.output.reserve(static_cast<size_t>(chunk.rows_in_block) * stride);
  worker.item_outputs.resize(item_count);
  float *bias = worker.bias.data();
  float highest = -1e30f;
  for (int item = 0; item < padded; item++) {
    float *panel = worker.panels.data() + static_cast<size_t>(item / PANEL) * stride * PANEL + item % PANEL;
    if (item >= item_count) {
      bias[item] = -1e30f;
      for (int column = 0; column < stride; column++) panel[column * PANEL] = 0;
      continue;
    }
    const int slot = chunk.items[item];
    const float *from = normalized.data() + static_cast<size_t>(slot) * stride;
    std::memcpy(worker.items.data() + static_cast<size_t>(item) * stride, from, stride * sizeof(float));
    for (int column = 0; column < stride; column++) panel[column * PANEL] = from[column];
    worker.item_outputs[item] = worker.gradients.data() + static_cast<size_t>(slot) * stride;
    const float own = softmax.item_bias[order[slots[slot]] - users_total];
    bias[item] = own + std::log(static_cast<float>(chunk.item_counts[item]));
    highest = std::max(highest, bias[item]);
  }
  worker.shift = highest + static_cast<float>(1 / softmax.temperature);
  for (int item = 0; item < padded; item++) bias[item] -= worker.shift;
  worker.packed = &chunk;
}

double Trainer::run_block(const Chunk &chunk, int number, Worker &worker, const Softmax &softmax, int count) {
  if (worker.packed != &chunk) pack_chunk(chunk, worker, softmax);
  const int begin = number * chunk.rows_in_block;
  const float inverse_temperature = static_cast<float>(1 / softmax.temperature);
  SoftmaxBlock block{};
  block.rows = std::min(chunk.rows_in_block, static_cast<int>(chunk.users.size()) - begin);
  block.users = worker.users.data();
  block.items = worker.items.data();
  block.panels = worker.panels.data();
  block.bias = worker.bias.data();
  block.item_count = static_cast<int>(chunk.items.size());
  block.padded = chunk.padded();
  block.stride = stride;
  block.inverse_temperature = inverse_temperature;
  block.exponentials = worker.exponentials.data();
  // Not a power of two, so that the rows of a column fall into different cache sets.
  block.exponential_stride = block.padded + 16;
  const auto slot_row = [&](const Floats &table, int slot) { return table.data() + static_cast<size_t>(slot) * stride; };
  for (int row = 0; row < block.rows; row++)
    std::memcpy(slot_row(worker.users, row), slot_row(normalized, chunk.users[begin + row]), stride * sizeof(float));
  kernels.exponentiate(block);
  // A user's own items are no negatives.
  for (int row = 0; row < block.rows; row++) {
    float *own = block.exponentials + static_cast<size_t>(row) * block.exponential_stride;
    for (int pair = chunk.pair_offsets[begin + row]; pair < chunk.pair_offsets[begin + row + 1]; pair++)
      own[chunk.pair_items[pair]] = 0;
  }
  kernels.user_gradient(block, worker.output.data());
  double loss = 0;
  const float pair_slope = -inverse_temperature / count;
  for (int row = 0; row < block.rows; row++) {
    const int user = begin + row;
    const int first_pair = chunk.pair_offsets[user], last_pair = chunk.pair_offsets[user + 1];
    const double sum =
        kernels.sum(block.exponentials + static_cast<size_t>(row) * block.exponential_stride, block.padded);
    const bool has_negatives = sum > NOTHING;
    if (has_negatives) {
      loss += (last_pair - first_pair) * softmax.partition_exponent * (std::log(sum) + worker.shift);
    }
    const float *own = slot_row(normalized, chunk.users[user]);
    float *own_gradient = slot_row(worker.gradients, chunk.users[user]);
    for (int pair = first_pair; pair < last_pair; pair++) {
      const int item = chunk.pair_items[pair];
      const float *positive = slot_row(worker.items, item);
      loss -= static_cast<double>(kernels.dot(own, positive, stride)) * inverse_temperature;
      kernels.add_scaled(own_gradient, positive, pair_slope, stride);
      kernels.add_scaled(worker.item_outputs[item], own, pair_slope, stride);
    }
    const float weight =
        has_negatives ? static_cast<float>(softmax.partition_exponent * (last_pair - first_pair) * inverse_temperature /
                                           count / sum)
                      : 0;
    kernels.add_scaled(own_gradient, slot_row(worker.output, row), weight, stride);
    float *scaled = slot_row(worker.users, row);
    for (int column = 0; column < stride; column++) scaled[column] *= weight;
  }
  kernels.item_gradient(block, worker.users.data(), worker.item_outputs.data());
  return loss;
}

// From gradients by the normalised vectors to gradients by the final ones.
void Trainer::finish_slots() {
  const size_t part = (slots.size() + team.size() - 1) / team.size();
  team.run([&](int thread) {
    for (size_t slot = thread * part; slot < std::min(slots.size(), (thread + 1) * part); slot++) {
      float *gradient = team_memory[0]->gradients.data() + slot * stride;
      for (int other = 1; other < team.size(); other++)
        kernels.add_scaled(gradient, team_memory[other]->gradients.data() + slot * stride, 1, stride);
      const float *direction = normalized.data() + slot * stride;
      const float along = kernels.dot(gradient, direction, stride);
      float *to = final_gradient.data() + static_cast<size_t>(slots[slot]) * stride;
      for (int column = 0; column < stride; column++)
        to[column] = (gradient[column] - along * direction[column]) / lengths[slot];
    }
  });
}

} // namespace lightgcn
