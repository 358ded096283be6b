// Exact top-k by inner product over all items, for many users: float32 kernels with a proven error bound find the
// candidates, float64 sums in index order decide among them, so that the result is that of the plain loop in float64.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "ranking-kernels.h"

namespace ranking {

struct BadArgument : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// The kernels of that name, or the best where it is empty; null where this machine does not run them.
const Kernels* FindKernels(const char* name);

struct Free {
  void operator()(float* memory) const;
};

// Item vectors, copied, and packed in panels by falling norm. Immutable: any number of threads may search at once.
class PackedItems {
 public:
  // @throws BadArgument for a value that is not finite.
  PackedItems(const float* vectors, ptrdiff_t count, ptrdiff_t dimension, const Kernels& kernels);

  const Kernels& kernels() const { return kernels_; }
  ptrdiff_t count() const { return count_; }
  ptrdiff_t dimension() const { return dimension_; }
  ptrdiff_t panelCount() const { return static_cast<ptrdiff_t>(panelNorms_.size()); }
  double sizeBytes() const;

  const float* vector(ptrdiff_t item) const { return vectors_.data() + item * dimension_; }
  const float* panel(ptrdiff_t index) const { return panels_.get() + index * dimension_ * kernels_.microColumns; }
  // The largest norm of the panel, never below the true one; falls from panel to panel.
  double panelNorm(ptrdiff_t index) const { return panelNorms_[index]; }
  // The item row at a place of the packed order.
  int32_t row(ptrdiff_t place) const { return rows_[place]; }

 private:
  const Kernels& kernels_;
  ptrdiff_t count_, dimension_;
  std::vector<float> vectors_;
  std::vector<int32_t> rows_;
  std::vector<double> panelNorms_;
  std::unique_ptr<float, Free> panels_;
};

struct Search {
  // [users, dimension]
  const float* userVectors;
  ptrdiff_t users;
  // Those of user u, rising: excludedItems[excludedOffsets[u] .. excludedOffsets[u + 1]).
  const int32_t* excludedOffsets;
  const int32_t* excludedItems;
  ptrdiff_t excludedCount;
  ptrdiff_t k;
  int threads;
  // [users, k]: rows best first, equal scores by row, -1 where there are no more items.
  int32_t* out;
};

// @throws BadArgument for vectors that are not finite and lists that are not rising within [0, items).
void RankAll(const PackedItems& items, const Search& search);

}  // namespace ranking
