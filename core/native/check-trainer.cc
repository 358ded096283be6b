// Drives the LightGCN trainer without Node, so that sanitizers see nothing but it: every instruction set and several
// thread counts on random graphs of odd shapes. Exits 1 where two of them disagree. Built and run by sanitize.mjs.
#include "lightgcn-trainer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <set>
#include <stdexcept>

namespace {

using lightgcn::Kernels;
using lightgcn::Trainer;

struct Shape {
  int users, items, pairs, dimension;
  std::vector<float> coefficients;
  int batch, chunk;
};

// Without edges, with one, with dimensions on both sides of a vector's width, batches larger and smaller than the graph.
const std::vector<Shape> SHAPES = {
    {1, 1, 1, 1, {1}, 1, 1},
    {1, 1, 0, 3, {0.5f, 0.5f}, 2, 5},
    {1, 9, 5, 16, {0, 1}, 7, 3},
    {40, 2, 60, 17, {0.25f, 0.25f, 0.25f, 0.25f}, 100, 64},
    {5, 3, 4, 80, {0.5f, 0, 0.5f}, 1, 1},
    {300, 170, 3000, 64, {0.5f, 0.5f}, 500, 300},
    {97, 211, 4000, 33, {0.2f, 0.2f, 0.2f, 0.2f, 0.2f}, 600, 600},
    {900, 400, 3000, 130, {0, 0.5f, 0.5f}, 40, 16},
};

struct World {
  lightgcn::Graph graph;
  std::vector<int32_t> users, positives, negatives;
  std::vector<float> ego, bias;
};

World create_world(const Shape &shape) {
  std::mt19937 random(7);
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  const int nodes = shape.users + shape.items;
  std::vector<std::set<int32_t>> neighbors(nodes);
  for (int pair = 0; pair < shape.pairs; pair++) {
    // Squares make some nodes far busier than others and leave some without edges.
    const int user = below(shape.users) * below(shape.users) / shape.users;
    const int item = shape.users + below(shape.items) * below(shape.items) / shape.items;
    neighbors[user].insert(item);
    neighbors[item].insert(user);
  }
  World world{{shape.users, nodes, {0}, {}}, {}, {}, {}, {}, {}};
  for (const std::set<int32_t> &own : neighbors) {
    world.graph.neighbors.insert(world.graph.neighbors.end(), own.begin(), own.end());
    world.graph.offsets.push_back(static_cast<int32_t>(world.graph.neighbors.size()));
  }
  for (int index = 0; index < shape.batch; index++) {
    world.users.push_back(below(shape.users));
    world.positives.push_back(shape.users + below(shape.items));
    world.negatives.push_back(shape.users + below(shape.items));
  }
  std::normal_distribution<float> normal(0, 0.3f);
  for (int at = 0; at < nodes * shape.dimension; at++) world.ego.push_back(normal(random));
  for (int item = 0; item < shape.items; item++) world.bias.push_back(normal(random));
  return world;
}

// Losses, gradients and the state after a few steps of both losses, one after the other.
std::vector<float> train(const Shape &shape, const World &world, int threads, const Kernels &kernels) {
  Trainer trainer(world.graph, shape.dimension, shape.coefficients, threads, kernels);
  const size_t values = world.ego.size();
  std::vector<float> result, moments(values), table(values);
  const auto keep = [&](const std::vector<float> &part) { result.insert(result.end(), part.begin(), part.end()); };
  trainer.load_state(world.ego.data(), moments.data(), moments.data());
  trainer.propagate(world.ego.data(), table.data());
  keep(table);
  const lightgcn::Softmax softmax{shape.chunk, 0.2, 0.8, world.bias.data()};
  const int count = static_cast<int>(world.users.size());
  for (int step = 1; step <= 4; step++) {
    const bool is_softmax = step % 2 == 0;
    // Every other batch is a part of the whole, so that what an earlier batch left behind would show.
    const int size = step > 2 ? (count + 1) / 2 : count;
    double loss = is_softmax ? trainer.softmax_loss(world.users.data(), world.positives.data(), size, softmax)
                             : trainer.bpr_loss(world.users.data(), world.positives.data(), world.negatives.data(), size);
    loss += trainer.regularize(0.01);
    result.push_back(static_cast<float>(loss));
    trainer.gradient(table.data());
    keep(table);
    trainer.step({0.01f / (1 - std::pow(0.9f, static_cast<float>(step))),
                  1 / std::sqrt(1 - std::pow(0.999f, static_cast<float>(step))), 0.9f, 0.999f, 1e-4f});
  }
  std::vector<float> second(values);
  trainer.store_state(table.data(), moments.data(), second.data());
  keep(table);
  trainer.time_layer(2);
  return result;
}

std::vector<const Kernels *> supported_kernels() {
  std::vector<const Kernels *> all{&lightgcn::baseline_kernels()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&lightgcn::avx2_kernels());
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    all.push_back(&lightgcn::avx512_kernels());
#endif
  return all;
}

// The largest difference, relative to the largest value; infinite where a value is not finite.
float distance(const std::vector<float> &left, const std::vector<float> &right) {
  float largest = 1e-3f, worst = 0;
  for (size_t at = 0; at < left.size(); at++) {
    if (!std::isfinite(left[at]) || !std::isfinite(right[at])) return INFINITY;
    largest = std::max(largest, std::fabs(left[at]));
    worst = std::max(worst, std::fabs(left[at] - right[at]));
  }
  return worst / largest;
}

// A team throws on what one of its threads threw, and works on.
bool survives_failures(int threads) {
  lightgcn::ThreadTeam team(threads);
  for (int thrower = 0; thrower < threads; thrower++) {
    bool is_caught = false;
    try {
      team.run([&](int thread) {
        if (thread == thrower) throw std::runtime_error("wanted");
      });
    } catch (const std::runtime_error &) {
      is_caught = true;
    }
    if (!is_caught) return false;
  }
  std::vector<int> seen(threads);
  team.run([&](int thread) { seen[thread]++; });
  return std::count(seen.begin(), seen.end(), 1) == threads;
}

} // namespace

int main() {
  int failures = survives_failures(1) && survives_failures(4) ? 0 : 1;
  for (const Shape &shape : SHAPES) {
    const World world = create_world(shape);
    const std::vector<float> wanted = train(shape, world, 1, lightgcn::baseline_kernels());
    for (const Kernels *kernels : supported_kernels()) {
      for (const int threads : {1, 2, 3, 7}) {
        const float difference = distance(wanted, train(shape, world, threads, *kernels));
        if (difference < 1e-3f) continue;
        failures++;
        std::printf("%d users, %d items, dimension %d: %s on %d threads differs by %g\n", shape.users, shape.items,
                    shape.dimension, kernels->name, threads, difference);
      }
    }
  }
  std::printf("trainer: %zu graphs, %zu instruction sets, %d disagreements\n", SHAPES.size(), supported_kernels().size(),
              failures);
  return failures > 0;
}
