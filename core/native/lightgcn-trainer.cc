#include "lightgcn-trainer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lightgcn {

namespace {

constexpr size_t HUGE_PAGE = 2 << 20;
// Edges in a unit of work that a thread takes: some 0.1 ms.
constexpr int EDGES_IN_BLOCK = 8192;
// Floats of a block's exponentials: with the block's items they fit a second-level cache of 1 MB.
constexpr int BLOCK_FLOATS = 96 * 1024;
constexpr int MOST_BLOCK_ROWS = 96;
// Entries after the last neighbour, for prefetching past the end.
constexpr int NEIGHBOR_PADDING = 16;

} // namespace

ThreadTeam::ThreadTeam(int count) {
  for (int number = 1; number < count; number++) workers.emplace_back([this, number] { serve(number); });
}

ThreadTeam::~ThreadTeam() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  started.notify_all();
  for (std::thread &worker : workers) worker.join();
}

void ThreadTeam::serve(int number) {
  uint64_t seen = 0;
  for (;;) {
    const std::function<void(int)> *work;
    {
      std::unique_lock<std::mutex> lock(mutex);
      started.wait(lock, [&] { return stopping || round != seen; });
      if (stopping) return;
      seen = round;
      work = current;
    }
    std::exception_ptr problem;
    try {
      (*work)(number);
    } catch (...) {
      problem = std::current_exception();
    }
    std::lock_guard<std::mutex> lock(mutex);
    if (problem) failure = problem;
    if (--running == 0) finished.notify_one();
  }
}

void ThreadTeam::run(const std::function<void(int)> &work) {
  if (workers.empty()) return work(0);
  {
    std::lock_guard<std::mutex> lock(mutex);
    current = &work;
    running = static_cast<int>(workers.size());
    failure = nullptr;
    round++;
  }
  started.notify_all();
  std::exception_ptr problem;
  try {
    work(0);
  } catch (...) {
    problem = std::current_exception();
  }
  // The others use what `work` refers to: wait for them also after a failure.
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [&] { return running == 0; });
  if (!problem) problem = failure;
  if (problem) std::rethrow_exception(problem);
}

void Floats::Free::operator()(float *pointer) const { std::free(pointer); }

Floats::Floats(size_t size) {
  reserve(size);
  std::memset(data(), 0, size * sizeof(float));
}

void Floats::reserve(size_t size) {
  if (size <= count) return;
  const size_t alignment = size * sizeof(float) >= 2 * HUGE_PAGE ? HUGE_PAGE : 64;
  const size_t bytes = (size * sizeof(float) + alignment - 1) / alignment * alignment;
  values.reset();
  count = 0;
  void *pointer = std::aligned_alloc(alignment, bytes);
  if (!pointer) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == HUGE_PAGE) madvise(pointer, bytes, MADV_HUGEPAGE);
#endif
  values.reset(static_cast<float *>(pointer));
  count = size;
}

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
  std::vector<double> sums;
  float shift = 0;
  const Chunk *packed = nullptr;
};

Trainer::Trainer(const Graph &graph, int dimension, std::vector<float> layer_coefficients, int threads,
                 const Kernels &kernels)
    : dimension(dimension), kernels(kernels), nodes(graph.node_count), users_total(graph.user_count),
      stride((dimension + 15) / 16 * 16), coefficients(std::move(layer_coefficients)), order(nodes), position(nodes),
      offsets(nodes + 1), neighbors(graph.neighbors.size() + NEIGHBOR_PADDING), inverse_roots(nodes), decay(nodes),
      team(threads), slot_by_node(nodes, -1), occurrences(nodes), wanted(nodes) {
  const auto degree = [&](int node) { return graph.offsets[node + 1] - graph.offsets[node]; };
  std::iota(order.begin(), order.end(), 0);
  const auto by_degree = [&](int left, int right) { return degree(left) > degree(right); };
  std::stable_sort(order.begin(), order.begin() + users_total, by_degree);
  std::stable_sort(order.begin() + users_total, order.end(), by_degree);
  for (int row = 0; row < nodes; row++) position[order[row]] = row;
  int block_edges = EDGES_IN_BLOCK;
  for (int row = 0; row < nodes; row++) {
    const int node = order[row];
    int to = offsets[row];
    for (int edge = graph.offsets[node]; edge < graph.offsets[node + 1]; edge++)
      neighbors[to++] = position[graph.neighbors[edge]];
    std::sort(neighbors.begin() + offsets[row], neighbors.begin() + to);
    offsets[row + 1] = to;
    inverse_roots[row] = 1 / std::sqrt(static_cast<float>(std::max(1, degree(node))));
    // Eight edges stand for a row's own cost.
    if (block_edges >= EDGES_IN_BLOCK) {
      row_blocks.push_back(row);
      block_edges = 0;
    }
    block_edges += degree(node) + 8;
  }
  row_blocks.push_back(nodes);
  const size_t values = static_cast<size_t>(nodes) * stride;
  for (Floats *table : {&ego, &first, &second, &final, &final_gradient}) *table = Floats(values);
  for (int number = 0; number < std::min<int>(2, coefficients.size() - 2); number++) scratch[number] = Floats(values);
  for (int number = 0; number < team.size(); number++) team_memory.push_back(std::make_unique<Worker>());
}

Trainer::~Trainer() = default;

size_t Trainer::size_bytes() const {
  size_t floats = ego.size() + first.size() + second.size() + final.size() + final_gradient.size() + scratch[0].size() +
                  scratch[1].size() + normalized.size();
  for (const auto &worker : team_memory) {
    floats += worker->gradients.size() + worker->items.size() + worker->panels.size() + worker->users.size() +
              worker->output.size() + worker->exponentials.size();
  }
  return 4 * (floats + neighbors.size() + 6 * static_cast<size_t>(nodes));
}

void Trainer::spread_rows(const float *from, float *to) const {
  for (int row = 0; row < nodes; row++) {
    std::memcpy(to + static_cast<size_t>(row) * stride, from + static_cast<size_t>(order[row]) * dimension,
                dimension * sizeof(float));
  }
}

void Trainer::gather_rows(const float *from, float *to) const {
  for (int row = 0; row < nodes; row++) {
    std::memcpy(to + static_cast<size_t>(order[row]) * dimension, from + static_cast<size_t>(row) * stride,
                dimension * sizeof(float));
  }
}

void Trainer::load_state(const float *ego_values, const float *first_values, const float *second_values) {
  spread_rows(ego_values, ego.data());
  spread_rows(first_values, first.data());
  spread_rows(second_values, second.data());
}

void Trainer::store_state(float *ego_values, float *first_values, float *second_values) const {
  gather_rows(ego.data(), ego_values);
  gather_rows(first.data(), first_values);
  gather_rows(second.data(), second_values);
}

void Trainer::run_layer(const Layer &layer) {
  std::atomic<size_t> next{0};
  team.run([&](int) {
    for (;;) {
      const size_t block = next.fetch_add(1, std::memory_order_relaxed);
      if (block + 1 >= row_blocks.size()) return;
      kernels.propagate(layer, row_blocks[block], row_blocks[block + 1]);
    }
  });
}

// Horner's rule over the layers: t <- c_k input + Â t; `last` says where the result goes.
void Trainer::run_layers(Layer last, const float *input) {
  const int depth = static_cast<int>(coefficients.size()) - 1;
  Layer layer{};
  layer.offsets = offsets.data();
  layer.neighbors = neighbors.data();
  layer.inverse_roots = inverse_roots.data();
  layer.source = layer.table = input;
  layer.stride = stride;
  layer.neighbor = coefficients[depth];
  for (int k = depth - 1; k > 0; k--) {
    layer.own = coefficients[k];
    layer.output = scratch[(k - 1) % 2].data();
    run_layer(layer);
    layer.table = layer.output;
    layer.neighbor = 1;
  }
  last.offsets = layer.offsets;
  last.neighbors = layer.neighbors;
  last.inverse_roots = layer.inverse_roots;
  last.source = input;
  last.table = layer.table;
  last.stride = stride;
  last.own = coefficients[0];
  last.neighbor = depth == 0 ? 0 : layer.neighbor;
  run_layer(last);
}

void Trainer::forward(const float *input, float *output, const uint8_t *wanted_rows) {
  Layer last{};
  last.output = output;
  last.wanted = wanted_rows;
  run_layers(last, input);
}

void Trainer::backward(float *output, const AdamRates *adam) {
  Layer last{};
  last.output = output;
  last.ego = ego.data();
  last.first = first.data();
  last.second = second.data();
  last.decay = decay.data();
  if (adam) last.adam = *adam;
  run_layers(last, final_gradient.data());
}

void Trainer::propagate(const float *input, float *output) {
  const size_t values = static_cast<size_t>(nodes) * stride;
  Floats from(values), to(values);
  spread_rows(input, from.data());
  forward(from.data(), to.data(), nullptr);
  gather_rows(to.data(), output);
}

void Trainer::clear_gradient() {
  for (const int node : slots) {
    std::memset(final_gradient.data() + static_cast<size_t>(node) * stride, 0, stride * sizeof(float));
    slot_by_node[node] = -1;
    occurrences[node] = 0;
    wanted[node] = 0;
    decay[node] = 0;
  }
  slots.clear();
}

int Trainer::slot_of(int node) {
  const int row = position[node];
  occurrences[row]++;
  if (slot_by_node[row] < 0) {
    slot_by_node[row] = static_cast<int>(slots.size());
    slots.push_back(row);
    wanted[row] = 1;
  }
  return slot_by_node[row];
}

double Trainer::bpr_loss(const int32_t *users, const int32_t *positives, const int32_t *negatives, int count) {
  clear_gradient();
  batch_size = count;
  for (int index = 0; index < count; index++) {
    slot_of(users[index]);
    slot_of(positives[index]);
    slot_of(negatives[index]);
  }
  forward(ego.data(), final.data(), wanted.data());
  double loss = 0;
  const auto row_of = [&](const Floats &table, int node) {
    return table.data() + static_cast<size_t>(position[node]) * stride;
  };
  for (int index = 0; index < count; index++) {
    const float *user = row_of(final, users[index]);
    const float *positive = row_of(final, positives[index]);
    const float *negative = row_of(final, negatives[index]);
    const double margin = kernels.dot(user, positive, stride) - kernels.dot(user, negative, stride);
    loss += std::max(-margin, 0.0) + std::log1p(std::exp(-std::fabs(margin)));
    const float slope = static_cast<float>(-1 / (1 + std::exp(margin)) / count);
    kernels.add_scaled(row_of(final_gradient, users[index]), positive, slope, stride);
    kernels.add_scaled(row_of(final_gradient, users[index]), negative, -slope, stride);
    kernels.add_scaled(row_of(final_gradient, positives[index]), user, slope, stride);
    kernels.add_scaled(row_of(final_gradient, negatives[index]), user, -slope, stride);
  }
  return loss / count;
}

double Trainer::regularize(double strength) {
  if (strength == 0) return 0;
  double total = 0;
  for (const int row : slots) {
    const float *own = ego.data() + static_cast<size_t>(row) * stride;
    total += static_cast<double>(occurrences[row]) * kernels.dot(own, own, stride);
    decay[row] = static_cast<float>(strength * occurrences[row] / batch_size);
  }
  return strength / 2 * total / batch_size;
}

void Trainer::gradient(float *output) {
  const size_t values = static_cast<size_t>(nodes) * stride;
  Floats result(values);
  backward(result.data(), nullptr);
  for (const int row : slots) {
    const size_t at = static_cast<size_t>(row) * stride;
    kernels.add_scaled(result.data() + at, ego.data() + at, decay[row], stride);
  }
  gather_rows(result.data(), output);
}

void Trainer::step(const AdamRates &adam) { backward(nullptr, &adam); }

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
  worker.sums.resize(chunk.rows_in_block);
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
  block.sums = worker.sums.data();
  const auto slot_row = [&](const Floats &table, int slot) { return table.data() + static_cast<size_t>(slot) * stride; };
  for (int row = 0; row < block.rows; row++)
    std::memcpy(slot_row(worker.users, row), slot_row(normalized, chunk.users[begin + row]), stride * sizeof(float));
  kernels.exponentiate(block);
  kernels.user_gradient(block, worker.output.data());
  double loss = 0;
  const float pair_slope = -inverse_temperature / count;
  for (int row = 0; row < block.rows; row++) {
    const int user = begin + row;
    const int first_pair = chunk.pair_offsets[user], last_pair = chunk.pair_offsets[user + 1];
    const double sum = worker.sums[row];
    loss += (last_pair - first_pair) * softmax.partition_exponent * (std::log(sum) + worker.shift);
    const float *own = slot_row(normalized, chunk.users[user]);
    float *own_gradient = slot_row(worker.gradients, chunk.users[user]);
    for (int pair = first_pair; pair < last_pair; pair++) {
      const int item = chunk.pair_items[pair];
      const float *positive = slot_row(worker.items, item);
      loss -= static_cast<double>(kernels.dot(own, positive, stride)) * inverse_temperature;
      kernels.add_scaled(own_gradient, positive, pair_slope, stride);
      kernels.add_scaled(worker.item_outputs[item], own, pair_slope, stride);
    }
    const float weight = static_cast<float>(softmax.partition_exponent * (last_pair - first_pair) * inverse_temperature /
                                            count / sum);
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
