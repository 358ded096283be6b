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
  void operator()(void* memory) const;
};

// What the kernels scan: the vectors, or whole numbers of 8 bits for a quarter of the memory, which are faster for the few
// users that leave memory the bottleneck. The results are the same.
enum class Precision { kFloat32, kInt8 };

// Item vectors packed in panels by falling norm. Immutable: any number of threads may search at once.
class PackedItems {
 public:
  struct Table {
    const float* vectors;
    ptrdiff_t count, dimension;
    // Otherwise they are read in place, and must neither change nor go before this.
    bool isCopied;
  };

  // @throws BadArgument for a value that is not finite.
  PackedItems(const Table& table, const Kernels& kernels, Precision precision);

  const Kernels& kernels() const { return kernels_; }
  ptrdiff_t count() const { return count_; }
  ptrdiff_t dimension() const { return dimension_; }
  ptrdiff_t panelCount() const { return static_cast<ptrdiff_t>(panelNorms_.size()); }
  double sizeBytes() const;
  Precision precision() const { return precision_; }
  // The items of a panel, and the users that share one.
  ptrdiff_t columns() const { return precision_ == Precision::kInt8 ? kCodeColumns : kernels_.microColumns; }
  ptrdiff_t microRows() const { return precision_ == Precision::kInt8 ? kernels_.codeRows : kernels_.microRows; }

  const float* vector(ptrdiff_t item) const { return vectors_ + item * dimension_; }
  const float* panel(ptrdiff_t index) const { return panels_.get() + index * dimension_ * kernels_.microColumns; }

  ptrdiff_t pairs() const { return (dimension_ + 1) / 2; }
  const int8_t* codes(ptrdiff_t panel) const { return codes_.get() + panel * pairs() * 2 * kCodeColumns; }
  const float* steps(ptrdiff_t panel) const { return steps_.get() + panel * kCodeColumns; }
  const float* slacks(ptrdiff_t panel) const { return slacks_.get() + panel * kCodeColumns; }
  // Users are given in whole numbers up to this.
  double largestUserCode() const;
  // The largest norm of the panel, never below the true one; falls from panel to panel.
  double panelNorm(ptrdiff_t index) const { return panelNorms_[index]; }
  // The item row at a place of the packed order.
  int32_t row(ptrdiff_t place) const { return rows_[place]; }

 private:
  void PackVectors();
  void PackCodes();

  const Kernels& kernels_;
  const Precision precision_;
  ptrdiff_t count_, dimension_;
  std::vector<float> copied_;
  const float* vectors_;
  std::vector<int32_t> rows_;
  std::vector<double> panelNorms_;
  std::unique_ptr<float, Free> panels_;
  std::unique_ptr<int8_t, Free> codes_;
  std::unique_ptr<float, Free> steps_, slacks_;
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
  // [users, k]: their scores, -infinity where there are no more; may be null.
  float* scores = nullptr;
  // One bit for each item that may be in a result; null: all.
  const uint64_t* allowed = nullptr;
};

// @throws BadArgument for vectors that are not finite and lists that are not rising within [0, items).
void RankAll(const PackedItems& items, const Search& search);

// As RankAll, of these rising item rows alone, one by one: for few of them.
void RankRows(const PackedItems& items, const Search& search, const std::vector<int32_t>& rows);

}  // namespace ranking
