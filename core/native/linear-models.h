// Steps of models that are too slow in JavaScript: alternating least squares and the polynomial graph filter.
#pragma once

#include <limits>
#include <utility>

#include "linear-algebra.h"

namespace linear {

// One half of iALS (Hu et al. 2008; Rendle et al. 2021): for each row with entries, the solution of
// (unobserved * Y^T Y + sum of y y^T + lambda (entries + unobserved * others)^nu I) x = sum of y.
// A row without entries becomes zero.
struct LeastSquares {
  const int32_t* offsets;
  const int32_t* indices;
  const float* fixed;
  ptrdiff_t fixedRows;
  ptrdiff_t dimension;
  float* out;
  float unobserved, regularization, exponent;
};

inline void SolveRows(const Algebra& algebra, const LeastSquares& problem, ptrdiff_t rows) {
  const ptrdiff_t d = problem.dimension;
  Floats gram = Allocate(d * d);
  algebra.Multiply({problem.fixed, 1, d, problem.fixed, d, 1, gram.get(), d, problem.fixedRows, problem.unobserved, 0}, d,
                   d);
  constexpr ptrdiff_t kChunk = 32;
  ForEachTask(algebra.threads(), (rows + kChunk - 1) / kChunk, [&] {
    auto own = std::shared_ptr<float>(Allocate(d * d).release(), Free());
    return [&, own](ptrdiff_t task) {
      for (ptrdiff_t row = task * kChunk; row < std::min(rows, (task + 1) * kChunk); row++) {
        const int32_t* indices = problem.indices + problem.offsets[row];
        const ptrdiff_t count = problem.offsets[row + 1] - problem.offsets[row];
        float* x = problem.out + row * d;
        std::fill(x, x + d, 0.0f);
        if (count == 0) continue;
        std::memcpy(own.get(), gram.get(), d * d * sizeof(float));
        algebra.kernels().addOuterProducts(problem.fixed, indices, count, d, own.get());
        const double weight = count + problem.unobserved * problem.fixedRows;
        const float ridge = static_cast<float>(problem.regularization * std::pow(weight, problem.exponent));
        for (ptrdiff_t k = 0; k < d; k++) own.get()[k * d + k] += ridge;
        for (ptrdiff_t entry = 0; entry < count; entry++) {
          const float* y = problem.fixed + static_cast<ptrdiff_t>(indices[entry]) * d;
          for (ptrdiff_t k = 0; k < d; k++) x[k] += y[k];
        }
        Algebra::SolveSmall(own.get(), d, x);
      }
    };
  });
}

// sum over k of coefficients[k] * T_k(I - 2 N^T N) applied to each of `columns` signals[items, columns], by Clenshaw's
// recurrence; T_k are Chebyshev polynomials, N[users, items] the normalised interactions, given both ways round.
struct ChebyshevFilter {
  const int32_t* userOffsets;
  const int32_t* userItems;
  const float* userValues;
  ptrdiff_t users;
  const int32_t* itemOffsets;
  const int32_t* itemUsers;
  const float* itemValues;
  ptrdiff_t items;
  const float* coefficients;
  ptrdiff_t order;
  ptrdiff_t columns;
};

// out = filter(signals). All of out, other [items, columns] and middle [users, columns] are overwritten.
inline void ApplyFilter(const Algebra& algebra, const ChebyshevFilter& f, const float* signals, float* out, float* other,
                        float* middle) {
  const ptrdiff_t size = f.items * f.columns;
  // The first step is b_n = c_n x, b_{n+1} = 0; so x stands for b_n, with its coefficient as a scale.
  const float* next = signals;
  float nextScale = f.coefficients[f.order];
  // The buffers are chosen so that the last step writes `out`.
  float* into = f.order % 2 == 1 ? out : other;
  float* spare = f.order % 2 == 1 ? other : out;
  const float* afterNext = nullptr;
  float afterScale = 0;
  if (f.order == 0) {
    for (ptrdiff_t at = 0; at < size; at++) out[at] = nextScale * signals[at];
    return;
  }
  for (ptrdiff_t k = f.order - 1; k >= 0; k--) {
    // b_k = c_k x + scale (b_{k+1} - 2 N^T N b_{k+1}) - b_{k+2}; T_0 and T_1 want half the operator at the end.
    const float scale = (k == 0 ? 1.0f : 2.0f) * nextScale;
    algebra.MultiplySparse({f.userOffsets, f.userItems, f.userValues, next, f.columns, middle, 1, 0}, f.users);
    SparseProduct back{f.itemOffsets, f.itemUsers, f.itemValues, middle, f.columns, into, -2 * scale, 0};
    back.add = signals;
    back.addScale = f.coefficients[k];
    // Where b_{k+2} stands in the place that is written, it is taken as beta.
    if (afterNext == into) {
      back.beta = -afterScale;
    } else if (afterNext) {
      back.addScale -= afterScale;  // afterNext is x itself
    }
    if (next == signals) {
      back.addScale += scale;
    } else {
      back.more = next;
      back.moreScale = scale;
    }
    algebra.MultiplySparse(back, f.items);
    afterNext = next;
    afterScale = nextScale;
    next = into;
    nextScale = 1;
    std::swap(into, spare);
  }
}

// The users' histories [count] as signals over items, scaled on the way in and out by one value for each item, filtered,
// and laid out as scores [count, items].
struct FilterScores {
  ChebyshevFilter filter;
  const int32_t* offsets;
  const int32_t* items;
  ptrdiff_t count;
  const float* inputScale;
  const float* outputScale;
  float* out;
};

// The linear filter c_0 + c_1 - 2 c_1 N^T N, history by history: few users share an item with a history.
inline void ScoreLinearly(const Algebra& algebra, const FilterScores& s) {
  const ChebyshevFilter& f = s.filter;
  ForEachTask(algebra.threads(), s.count, [&] {
    auto middle = std::make_shared<std::vector<float>>(f.users, 0.0f);
    auto touched = std::make_shared<std::vector<int32_t>>();
    return [&s, &f, middle, touched](ptrdiff_t history) {
      float* out = s.out + history * f.items;
      std::fill(out, out + f.items, 0.0f);
      touched->clear();
      float* sums = middle->data();
      for (ptrdiff_t at = s.offsets[history]; at < s.offsets[history + 1]; at++) {
        const int32_t item = s.items[at];
        const float value = s.inputScale[item];
        out[item] += (f.coefficients[0] + f.coefficients[1]) * value;
        for (ptrdiff_t entry = f.itemOffsets[item]; entry < f.itemOffsets[item + 1]; entry++) {
          float& sum = sums[f.itemUsers[entry]];
          // A sum that cancels to 0 would be listed twice, and then adds nothing the second time.
          if (sum == 0) touched->push_back(f.itemUsers[entry]);
          sum += f.itemValues[entry] * value;
        }
      }
      for (const int32_t user : *touched) {
        const float value = -2 * f.coefficients[1] * sums[user];
        sums[user] = 0;
        for (ptrdiff_t entry = f.userOffsets[user]; entry < f.userOffsets[user + 1]; entry++) {
          out[f.userItems[entry]] += f.userValues[entry] * value;
        }
      }
      for (ptrdiff_t item = 0; item < f.items; item++) out[item] *= s.outputScale[item];
    };
  });
}

// Whether a user of the graph reaches so few entries in two steps that going there one by one beats whole passes in
// vectors (gowalla: 7 %). A property of the graph, so that a score never depends on what is
// scored beside it.
inline bool ReachesFew(const ChebyshevFilter& f) {
  double squares = 0;
  for (ptrdiff_t item = 0; item < f.items; item++) {
    const double degree = f.itemOffsets[item + 1] - f.itemOffsets[item];
    squares += degree * degree;
  }
  const double entries = f.userOffsets[f.users];
  const double users = static_cast<double>(std::max<ptrdiff_t>(1, f.users));
  return squares / users * (entries / users) < entries / 8;
}

inline void ScoreHistories(const Algebra& algebra, const FilterScores& s) {
  if (s.filter.order == 1 && ReachesFew(s.filter)) return ScoreLinearly(algebra, s);
  // All tables of this width of a graph of 70,000 nodes share a level-3 cache of 32 MB.
  constexpr ptrdiff_t kWidth = 32;
  const ptrdiff_t items = s.filter.items;
  const Floats signals = Allocate(items * kWidth), filtered = Allocate(items * kWidth), other = Allocate(items * kWidth);
  const Floats middle = Allocate(s.filter.users * kWidth);
  ChebyshevFilter filter = s.filter;
  filter.columns = kWidth;
  std::fill(signals.get(), signals.get() + items * kWidth, 0.0f);
  for (ptrdiff_t start = 0; start < s.count; start += kWidth) {
    const ptrdiff_t width = std::min(kWidth, s.count - start);
    const auto mark = [&](float on) {
      for (ptrdiff_t user = 0; user < width; user++) {
        for (ptrdiff_t entry = s.offsets[start + user]; entry < s.offsets[start + user + 1]; entry++) {
          signals[s.items[entry] * kWidth + user] = on * s.inputScale[s.items[entry]];
        }
      }
    };
    mark(1);
    ApplyFilter(algebra, filter, signals.get(), filtered.get(), other.get(), middle.get());
    mark(0);
    constexpr ptrdiff_t kChunk = 1024;
    ForEachTask(algebra.threads(), (items + kChunk - 1) / kChunk, [&] {
      return [&](ptrdiff_t task) {
        for (ptrdiff_t user = 0; user < width; user++) {
          float* out = s.out + (start + user) * items;
          for (ptrdiff_t item = task * kChunk; item < std::min(items, (task + 1) * kChunk); item++) {
            out[item] = s.outputScale[item] * filtered[item * kWidth + user];
          }
        }
      };
    });
  }
}

// For each row of scores[rows, columns] the `count` best columns, best first, equal scores by column; those excluded and
// those that are -infinity or NaN never count, and -1 fills up.
struct Selection {
  const float* scores;
  ptrdiff_t rows, columns, count;
  const int32_t* excludedOffsets;
  const int32_t* excluded;
  int32_t* out;
};

inline void SelectBest(const Algebra& algebra, const Selection& s) {
  ForEachTask(algebra.threads(), s.rows, [&] {
    auto flags = std::make_shared<std::vector<char>>(s.columns, 0);
    auto best = std::make_shared<std::vector<std::pair<float, int32_t>>>();
    return [&s, flags, best](ptrdiff_t row) {
      const float* scores = s.scores + row * s.columns;
      const int32_t* from = s.excluded + s.excludedOffsets[row];
      const int32_t* to = s.excluded + s.excludedOffsets[row + 1];
      for (const int32_t* item = from; item < to; item++) (*flags)[*item] = 1;
      const auto isBetter = [](const std::pair<float, int32_t>& a, const std::pair<float, int32_t>& b) {
        return a.first > b.first || (a.first == b.first && a.second < b.second);
      };
      best->clear();
      float floor = -std::numeric_limits<float>::infinity();
      constexpr ptrdiff_t kBlock = 64;
      for (ptrdiff_t start = 0; start < s.columns; start += kBlock) {
        const ptrdiff_t end = std::min(s.columns, start + kBlock);
        // Most blocks hold nothing above the floor, which a loop without branches finds out.
        int above = 0;
        for (ptrdiff_t column = start; column < end; column++) above |= scores[column] > floor;
        if (!above) continue;
        for (ptrdiff_t column = start; column < end; column++) {
          if (!(scores[column] > floor) || (*flags)[column]) continue;
          best->emplace_back(scores[column], static_cast<int32_t>(column));
          std::push_heap(best->begin(), best->end(), isBetter);
          if (static_cast<ptrdiff_t>(best->size()) > s.count) {
            std::pop_heap(best->begin(), best->end(), isBetter);
            best->pop_back();
          }
          if (static_cast<ptrdiff_t>(best->size()) == s.count) floor = best->front().first;
        }
      }
      std::sort(best->begin(), best->end(), isBetter);
      for (ptrdiff_t rank = 0; rank < s.count; rank++) {
        s.out[row * s.count + rank] = rank < static_cast<ptrdiff_t>(best->size()) ? (*best)[rank].second : -1;
      }
      for (const int32_t* item = from; item < to; item++) (*flags)[*item] = 0;
    };
  });
}

}  // namespace linear
