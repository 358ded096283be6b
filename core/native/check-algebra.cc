// Drives the linear algebra and the ranking without Node, so that sanitizers see nothing but them: every instruction set
// and several thread counts on random data of odd shapes. Exits 1 where two of them disagree. Built and run by sanitize.mjs.
#include "linear-models.h"
#include "ranking-search.h"

#include <cstdio>
#include <random>

namespace {

struct Lists {
  std::vector<int32_t> offsets{0}, entries;
  std::vector<float> values;
};

struct Shape {
  int rows, columns, depth, entries;
};

// One, nothing at all, fewer and more than a tile, an odd remainder on every side.
const std::vector<Shape> SHAPES = {{1, 1, 1, 1}, {3, 2, 5, 0}, {17, 33, 9, 4}, {100, 97, 64, 12}, {401, 130, 70, 30}};

class Random {
 public:
  std::vector<float> Normals(ptrdiff_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal_(engine_);
    return values;
  }

  // Ascending entries without repeats, some rows empty.
  Lists Rows(int rows, int bound, int most) {
    Lists lists;
    for (int row = 0; row < rows; row++) {
      for (int entry = 0; entry < bound; entry++) {
        if (static_cast<int>(engine_() % static_cast<unsigned>(bound)) < most / (1 + row % 3)) {
          lists.entries.push_back(entry);
          lists.values.push_back(normal_(engine_));
        }
      }
      lists.offsets.push_back(static_cast<int32_t>(lists.entries.size()));
    }
    return lists;
  }

 private:
  std::mt19937 engine_{7};
  std::normal_distribution<float> normal_{0, 1};
};

Lists Transpose(const Lists& lists, int columns) {
  Lists result;
  for (int column = 0; column < columns; column++) {
    for (size_t row = 0; row + 1 < lists.offsets.size(); row++) {
      for (int32_t at = lists.offsets[row]; at < lists.offsets[row + 1]; at++) {
        if (lists.entries[at] != column) continue;
        result.entries.push_back(static_cast<int32_t>(row));
        result.values.push_back(lists.values[at]);
      }
    }
    result.offsets.push_back(static_cast<int32_t>(result.entries.size()));
  }
  return result;
}

// Everything that the addon `linear` computes, one result after the other.
std::vector<float> Compute(const Shape& shape, const linear::Kernels& kernels, int threads) {
  const linear::Algebra algebra(kernels, threads);
  const auto [rows, columns, depth, most] = shape;
  Random random;
  std::vector<float> result;
  const auto keep = [&](const std::vector<float>& part) { result.insert(result.end(), part.begin(), part.end()); };
  const std::vector<float> a = random.Normals(rows * depth), b = random.Normals(depth * columns);
  std::vector<float> c = random.Normals(rows * columns), gram(columns * columns);
  algebra.Multiply({a.data(), depth, 1, b.data(), columns, 1, c.data(), columns, depth, 0.5f, 2}, rows, columns);
  keep(c);
  algebra.Multiply({b.data(), 1, columns, b.data(), columns, 1, gram.data(), columns, depth, 0.1f, 0}, columns, columns, true);
  for (int k = 0; k < columns; k++) gram[k * columns + k] += 10;
  algebra.InvertPositive(gram.data(), columns);
  keep(gram);
  const Lists users = random.Rows(rows, columns, most), items = Transpose(users, columns);
  const std::vector<float> fixed = random.Normals(columns * depth);
  std::vector<float> out(rows * depth);
  algebra.MultiplySparse({users.offsets.data(), users.entries.data(), users.values.data(), fixed.data(), depth, out.data(), 1, 0}, rows);
  keep(out);
  SolveRows(algebra, {users.offsets.data(), users.entries.data(), fixed.data(), columns, depth, out.data(), 0.1f, 0.5f, 1}, rows);
  keep(out);
  const std::vector<float> scale(columns, 0.5f), coefficients{0.4f, -0.3f, 0.2f, -0.1f};
  for (const ptrdiff_t order : {0, 1, 3}) {
    const linear::ChebyshevFilter filter{users.offsets.data(), users.entries.data(), users.values.data(), rows,
                                         items.offsets.data(), items.entries.data(), items.values.data(), columns,
                                         coefficients.data(), order, 0};
    std::vector<float> scores(rows * columns);
    ScoreHistories(algebra, {filter, users.offsets.data(), users.entries.data(), rows, scale.data(), scale.data(), scores.data()});
    keep(scores);
  }
  std::vector<int32_t> best(rows * 7);
  SelectBest(algebra, {c.data(), rows, columns, 7, users.offsets.data(), users.entries.data(), best.data()});
  result.insert(result.end(), best.begin(), best.end());
  return result;
}

std::vector<float> Rank(const Shape& shape, const ranking::Kernels& kernels, ranking::Precision precision, int threads) {
  Random random;
  const std::vector<float> items = random.Normals(shape.columns * shape.depth), users = random.Normals(shape.rows * shape.depth);
  const Lists known = random.Rows(shape.rows, shape.columns, shape.entries);
  const ranking::PackedItems packed({items.data(), shape.columns, shape.depth, true}, kernels, precision);
  std::vector<int32_t> out(shape.rows * 10);
  RankAll(packed, {users.data(), shape.rows, known.offsets.data(), known.entries.data(),
                   static_cast<ptrdiff_t>(known.entries.size()), 10, threads, out.data()});
  return std::vector<float>(out.begin(), out.end());
}

std::vector<const linear::Kernels*> SupportedKernels() {
  std::vector<const linear::Kernels*> all{&linear::kBaseline};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&linear::kAvx2);
  if (&linear::BestKernels() == &linear::kAvx512) all.push_back(&linear::kAvx512);
#endif
  return all;
}

// Whether all values are within a thousandth of the largest of each other, and finite.
bool Agree(const std::vector<float>& left, const std::vector<float>& right) {
  float largest = 1;
  for (const float value : left) largest = std::max(largest, std::fabs(value));
  for (size_t at = 0; at < left.size(); at++) {
    if (!(std::fabs(left[at] - right[at]) <= 1e-3f * largest)) return false;
  }
  return left.size() == right.size();
}

}  // namespace

int main() {
  int failures = 0, runs = 0;
  const auto check = [&](bool agrees, const char* what, const char* kernels, int threads, const Shape& shape) {
    runs++;
    if (agrees) return;
    failures++;
    std::printf("%s of %d x %d: %s on %d threads differs\n", what, shape.rows, shape.columns, kernels, threads);
  };
  for (const Shape& shape : SHAPES) {
    const std::vector<float> computed = Compute(shape, linear::kBaseline, 1);
    const std::vector<float> ranked = Rank(shape, *ranking::FindKernels("baseline"), ranking::Precision::kFloat32, 1);
    for (const int threads : {1, 2, 5}) {
      for (const linear::Kernels* kernels : SupportedKernels()) {
        check(Agree(computed, Compute(shape, *kernels, threads)), "algebra", kernels->name, threads, shape);
      }
      for (const char* name : {"baseline", "avx2", "avx512"}) {
        const ranking::Kernels* kernels = ranking::FindKernels(name);
        for (const ranking::Precision precision : {ranking::Precision::kFloat32, ranking::Precision::kInt8}) {
          if (kernels) check(ranked == Rank(shape, *kernels, precision, threads), "ranking", name, threads, shape);
        }
      }
    }
  }
  std::printf("algebra and ranking: %d runs, %d disagreements\n", runs, failures);
  return failures > 0;
}
