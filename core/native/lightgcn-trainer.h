// A LightGCN in training: its graph, its state and its gradients, all in rows of a padded stride, nodes in order of
// descending degree. Callers speak of nodes in their own numbers and of tables without padding.
#pragma once

#include "lightgcn-kernels.h"

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lightgcn {

// Threads that run one function together; the calling thread is number 0.
class ThreadTeam {
public:
  explicit ThreadTeam(int count);
  ~ThreadTeam();
  int size() const { return static_cast<int>(workers.size()) + 1; }
  void run(const std::function<void(int)> &work);

private:
  void serve(int number);
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable started, finished;
  const std::function<void(int)> *current = nullptr;
  std::exception_ptr failure;
  uint64_t round = 0;
  int running = 0;
  bool stopping = false;
};

// Zeroed floats on 64-byte boundaries, on huge pages where large.
class Floats {
public:
  Floats() = default;
  explicit Floats(size_t size);
  float *data() const { return values.get(); }
  size_t size() const { return count; }
  // At least `size` floats, whose values are undefined.
  void reserve(size_t size);

private:
  struct Free {
    void operator()(float *pointer) const;
  };
  std::unique_ptr<float, Free> values;
  size_t count = 0;
};

struct Graph {
  int user_count, node_count;
  std::vector<int32_t> offsets, neighbors;
};

struct Softmax {
  int chunk_size;
  double temperature;
  double partition_exponent;
  const float *item_bias; // [item_count], added to an item's logit as a negative, in the caller's order
};

class Trainer {
public:
  // `coefficients` are the weights of layers 0..K in the final vectors; the last is not zero.
  Trainer(const Graph &, int dimension, std::vector<float> coefficients, int threads, const Kernels &);
  ~Trainer();

  void load_state(const float *ego, const float *first, const float *second);
  void store_state(float *ego, float *first, float *second) const;
  // Writes the final vectors of `input`, both in the caller's order.
  void propagate(const float *input, float *output);

  // Each computes the mean loss of a batch and the gradient by the final vectors. Node numbers are the caller's.
  double softmax_loss(const int32_t *users, const int32_t *items, int count, const Softmax &);
  double bpr_loss(const int32_t *users, const int32_t *positives, const int32_t *negatives, int count);
  // lambda / 2 times the squared length of the batch's ego vectors, per sample; and its gradient from now on.
  double regularize(double strength);

  // The gradient of the latest loss by the ego vectors, in the caller's order.
  void gradient(float *output);
  void step(const AdamRates &);

  // Mean seconds of one propagation layer over all rows, for benchmarks.
  double time_layer(int repeats);

  int node_count() const { return nodes; }
  int user_count() const { return users_total; }
  const int dimension;
  const Kernels &kernels;
  size_t size_bytes() const;

private:
  struct Chunk;
  struct Worker;
  void spread_rows(const float *from, float *to) const;
  void gather_rows(const float *from, float *to) const;
  void forward(const float *input, float *output, const uint8_t *wanted);
  void backward(float *output, const AdamRates *adam);
  void run_layers(Layer, const float *input, bool is_sparse);
  void run_layer(const Layer &, int first_row, int last_row);
  void run_first_layer(Layer, bool is_sparse);
  bool collect_slots(bool of_users);
  int slot_of(int node);
  void normalize_slots();
  double run_chunks(const std::vector<Chunk> &, const Softmax &, int count);
  double run_block(const Chunk &, int block, Worker &, const Softmax &, int count);
  void pack_chunk(const Chunk &, Worker &, const Softmax &) const;
  void finish_slots();
  void clear_gradient();

  int nodes, users_total, stride;
  std::vector<float> coefficients;
  std::vector<int32_t> order, position; // caller's number of row, row of caller's number
  std::vector<int32_t> offsets, neighbors, row_blocks;
  std::vector<int32_t> sparse_offsets, sparse_neighbors;
  std::vector<float> inverse_roots, decay;
  Floats ego, first, second, final, final_gradient, scratch[2];
  ThreadTeam team;

  // The batch: its distinct nodes ("slots"), how often each occurs, their normalised final vectors.
  std::vector<int32_t> slots, slot_by_node, occurrences;
  std::vector<uint8_t> wanted;
  std::vector<float> lengths;
  Floats normalized;
  int batch_size = 0;
  std::vector<std::unique_ptr<Worker>> team_memory;
};

} // namespace lightgcn
