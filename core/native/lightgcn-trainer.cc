#include "lightgcn-batch.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <chrono>
#include <cstring>
#include <numeric>

namespace lightgcn {

namespace {

// Edges in a unit of work that a thread takes: some 0.1 ms.
constexpr int EDGES_IN_BLOCK = 8192;
// Entries after the last neighbour, for prefetching past the end.
constexpr int NEIGHBOR_PADDING = 16;

} // namespace

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

void Trainer::run_layer(const Layer &layer, int first_row, int last_row) {
  std::atomic<size_t> next{0};
  team.run([&](int) {
    for (;;) {
      const size_t block = next.fetch_add(1, std::memory_order_relaxed);
      if (block + 1 >= row_blocks.size()) return;
      const int begin = std::max(first_row, row_blocks[block]), end = std::min(last_row, row_blocks[block + 1]);
      if (begin < end) kernels.propagate(layer, begin, end);
    }
  });
}

// For the rows of the other side: their neighbours among the batch's users (or items) alone, in `sparse_offsets` and
// `sparse_neighbors`. False, and nothing done, where those have so many edges that it would not pay.
bool Trainer::collect_slots(bool of_users) {
  const auto is_of_side = [&](int row) { return (row < users_total) == of_users; };
  int64_t edges = 0;
  for (const int row : slots)
    if (is_of_side(row)) edges += offsets[row + 1] - offsets[row];
  if (edges > offsets[users_total] / 4) return false;
  sparse_offsets.assign(nodes + 1, 0);
  sparse_neighbors.assign(edges + NEIGHBOR_PADDING, 0);
  for (const int row : slots) {
    if (!is_of_side(row)) continue;
    for (int edge = offsets[row]; edge < offsets[row + 1]; edge++) sparse_offsets[neighbors[edge] + 1]++;
  }
  // After this pass offsets[m + 1] is where the next neighbour of m goes, after the next one where those of m end.
  int total = 0;
  for (int row = 0; row < nodes; row++) {
    const int own = sparse_offsets[row + 1];
    sparse_offsets[row + 1] = total;
    total += own;
  }
  for (const int row : slots) {
    if (!is_of_side(row)) continue;
    for (int edge = offsets[row]; edge < offsets[row + 1]; edge++)
      sparse_neighbors[sparse_offsets[neighbors[edge] + 1]++] = row;
  }
  return true;
}

// A layer whose table may be zero in all rows but the batch's.
void Trainer::run_first_layer(Layer layer, bool is_sparse) {
  if (!is_sparse) return run_layer(layer, 0, nodes);
  for (const bool of_users : {true, false}) {
    const bool pays = collect_slots(of_users);
    layer.offsets = pays ? sparse_offsets.data() : offsets.data();
    layer.neighbors = pays ? sparse_neighbors.data() : neighbors.data();
    run_layer(layer, of_users ? users_total : 0, of_users ? nodes : users_total);
  }
}

// Horner's rule over the layers: t <- c_k input + Â t; `last` says where the result goes.
void Trainer::run_layers(Layer last, const float *input, bool is_sparse) {
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
    run_first_layer(layer, is_sparse && k == depth - 1);
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
  run_first_layer(last, is_sparse && depth <= 1);
}

void Trainer::forward(const float *input, float *output, const uint8_t *wanted_rows) {
  Layer last{};
  last.output = output;
  last.wanted = wanted_rows;
  run_layers(last, input, false);
}

void Trainer::backward(float *output, const AdamRates *adam) {
  Layer last{};
  last.output = output;
  last.ego = ego.data();
  last.first = first.data();
  last.second = second.data();
  last.decay = decay.data();
  if (adam) last.adam = *adam;
  run_layers(last, final_gradient.data(), true);
}

void Trainer::propagate(const float *input, float *output) {
  const size_t values = static_cast<size_t>(nodes) * stride;
  Floats from(values), to(values);
  spread_rows(input, from.data());
  forward(from.data(), to.data(), nullptr);
  gather_rows(to.data(), output);
}

double Trainer::time_layer(int repeats) {
  Layer layer{};
  layer.offsets = offsets.data();
  layer.neighbors = neighbors.data();
  layer.inverse_roots = inverse_roots.data();
  layer.source = layer.table = ego.data();
  layer.own = layer.neighbor = 0.5f;
  layer.stride = stride;
  layer.output = final.data();
  const auto began = std::chrono::steady_clock::now();
  for (int repeat = 0; repeat < repeats; repeat++) run_layer(layer, 0, nodes);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() / repeats;
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

} // namespace lightgcn
