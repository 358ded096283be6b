// Memory and norms, for the packing of items and for the search.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "ranking-search.h"

namespace ranking {

template <typename Value>
std::unique_ptr<Value, Free> Allocate(size_t count) {
  const size_t bytes = (std::max<size_t>(1, count) * sizeof(Value) + 63) / 64 * 64;
  Value* memory = static_cast<Value*>(std::aligned_alloc(64, bytes));
  if (!memory) throw std::bad_alloc();
  return std::unique_ptr<Value, Free>(memory);
}

inline double SquaredNorm(const float* vector, ptrdiff_t dimension) {
  double sum = 0;
  for (ptrdiff_t k = 0; k < dimension; k++) sum += static_cast<double>(vector[k]) * vector[k];
  return sum;
}

// Never below the true norm: float64 sums of up to 2^20 squares err by less than 1e-9 of the sum.
inline double NormAbove(double squared) { return std::sqrt(squared) * (1 + 1e-9); }

}  // namespace ranking
