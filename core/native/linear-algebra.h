// Parallel linear algebra over the kernels of linear-kernels.h; plain C++, no JavaScript. Results do not depend on the
// number of threads: every value is summed by one thread in one order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "linear-kernels.h"

namespace linear {

// The matrix is not positive definite, or a value is not finite.
struct NotPositive : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline const Kernels& BestKernels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw")) {
    return kAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2;
#endif
  return kBaseline;
}

// The caller has asked for an end.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

struct Free {
  void operator()(float* memory) const { std::free(memory); }
};
using Floats = std::unique_ptr<float[], Free>;

// Uninitialised, aligned to 64 bytes.
inline Floats Allocate(ptrdiff_t count) {
  const size_t bytes = (static_cast<size_t>(std::max<ptrdiff_t>(count, 1)) * sizeof(float) + 63) / 64 * 64;
  float* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (!memory) throw std::bad_alloc();
  return Floats(memory);
}

// Calls work(task) for every task in [0, tasks) on up to `threads` threads, the caller's among them. `create` makes what
// each thread works with. The first exception is thrown on after all threads have ended.
inline void ForEachTask(int threads, ptrdiff_t tasks, const std::function<std::function<void(ptrdiff_t)>()>& create) {
  std::atomic<ptrdiff_t> next{0};
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
  const auto run = [&] {
    try {
      const std::function<void(ptrdiff_t)> work = create();
      for (ptrdiff_t task = next++; task < tasks && !failed; task = next++) work(task);
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < std::min<ptrdiff_t>(threads, tasks); thread++) {
    try {
      others.emplace_back(run);
    } catch (const std::system_error&) {
      // Fewer threads then do the work.
      break;
    }
  }
  run();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

class Algebra {
 public:
  // Where `cancel` is given, products end with Cancelled soon after it is no longer 0.
  Algebra(const Kernels& kernels, int threads, const int32_t* cancel = nullptr)
      : kernels_(kernels), threads_(std::max(threads, 1)), cancel_(cancel) {}

  const Kernels& kernels() const { return kernels_; }
  int threads() const { return threads_; }

  // C[rows, columns]; with `lower` only tiles that touch the lower triangle are computed. With `triangular` A(i, k) and
  // B(k, j) are known to be zero for k < i and k < j.
  void Multiply(const Product& product, ptrdiff_t rows, ptrdiff_t columns, bool lower = false,
                bool triangular = false) const {
    if (rows <= 0 || columns <= 0) return;
    const ptrdiff_t high = std::min(kTileRows, Even(rows, 96));
    ptrdiff_t wide = std::min(kTileColumns, Even(columns, 64));
    // Enough tiles for all threads, where the product is large enough to be worth splitting.
    while (wide > 128 && (rows + high - 1) / high * ((columns + wide - 1) / wide) < 3 * threads_) wide = Even(wide / 2, 64);
    std::vector<Tile> tiles;
    for (ptrdiff_t row = 0; row < rows; row += high) {
      for (ptrdiff_t column = 0; column < columns; column += wide) {
        const Tile tile{row, std::min(high, rows - row), column, std::min(wide, columns - column),
                        triangular ? std::max(row, column) : 0};
        if (!lower || tile.column < tile.row + tile.rows) tiles.push_back(tile);
      }
    }
    const double flops = 2.0 * rows * columns * product.depth;
    ForEachTask(flops < 4e6 ? 1 : threads_, static_cast<ptrdiff_t>(tiles.size()), [&] {
      auto packedA = std::shared_ptr<float>(Allocate(kPackedRows).release(), Free());
      auto packedB = std::shared_ptr<float>(Allocate(kPackedColumns).release(), Free());
      return [this, &product, &tiles, packedA, packedB](ptrdiff_t task) {
        if (cancel_ && __atomic_load_n(cancel_, __ATOMIC_RELAXED) != 0) throw Cancelled();
        kernels_.multiplyTile(product, tiles[task], packedA.get(), packedB.get());
      };
    });
  }

  void MultiplySparse(const SparseProduct& product, ptrdiff_t rows) const {
    const double work = 2.0 * product.offsets[rows] * product.columns;
    const ptrdiff_t chunk = std::max<ptrdiff_t>(1, std::min<ptrdiff_t>(256, rows / (8 * threads_)));
    ForEachTask(work < 1e6 ? 1 : threads_, (rows + chunk - 1) / chunk, [&] {
      return [this, &product, rows, chunk](ptrdiff_t task) {
        kernels_.sparseRows(product, task * chunk, std::min(rows, (task + 1) * chunk));
      };
    });
  }

  // a = L with a_in = L * L^T; reads and writes the lower triangle of a[size, size] alone. @throws NotPositive
  void Cholesky(float* a, ptrdiff_t size) const {
    Floats inverse = Allocate(kPanel * kPanel);
    Floats panel = Allocate(size * kPanel);
    for (ptrdiff_t at = 0; at < size; at += kPanel) {
      const ptrdiff_t width = std::min(kPanel, size - at);
      float* corner = a + at * size + at;
      FactorCorner(corner, size, width, at);
      const ptrdiff_t below = size - at - width;
      if (below == 0) return;
      InvertCorner(corner, size, width, inverse.get());
      float* under = corner + width * size;
      for (ptrdiff_t row = 0; row < below; row++) {
        std::memcpy(panel.get() + row * width, under + row * size, width * sizeof(float));
      }
      // under = panel * inverse^T, then rest -= under * under^T.
      Multiply({panel.get(), width, 1, inverse.get(), 1, width, under, size, width, 1, 0}, below, width);
      Multiply({under, size, 1, under, 1, size, under + width, size, width, -1, 1}, below, below, true);
    }
  }

  // a = a^-1 of a symmetric positive definite a[size, size], of which the lower triangle is read. @throws NotPositive
  void InvertPositive(float* a, ptrdiff_t size) const {
    Cholesky(a, size);
    Floats corner = Allocate(kPanel * kPanel);
    Floats row = Allocate(kPanel * size);
    // Block row by block row: inverse[i, before] = -inverse[i, i] * L[i, before] * inverse[before, before].
    for (ptrdiff_t at = 0; at < size; at += kPanel) {
      const ptrdiff_t width = std::min(kPanel, size - at);
      float* start = a + at * size;
      InvertCorner(start + at, size, width, corner.get());
      ZeroAboveDiagonal(a, size, at, width);
      if (at > 0) {
        Multiply({start, size, 1, a, size, 1, row.get(), at, at, -1, 0}, width, at);
        Multiply({corner.get(), width, 1, row.get(), at, 1, start, size, width, 1, 0}, width, at);
      }
      for (ptrdiff_t i = 0; i < width; i++) {
        std::memcpy(start + i * size + at, corner.get() + i * width, width * sizeof(float));
      }
    }
    Floats product = Allocate(size * size);
    Multiply({a, 1, size, a, size, 1, product.get(), size, size, 1, 0}, size, size, true, true);
    for (ptrdiff_t i = 0; i < size; i++) {
      for (ptrdiff_t j = 0; j <= i; j++) a[i * size + j] = a[j * size + i] = product[i * size + j];
    }
  }

  // Solves gram * x = x in place for `columns` right sides x[size, columns]; gram[size, size] is factored in place.
  static void SolveSmall(float* gram, ptrdiff_t size, float* x) {
    FactorCorner(gram, size, size, 0);
    for (ptrdiff_t i = 0; i < size; i++) {
      float sum = x[i];
      for (ptrdiff_t k = 0; k < i; k++) sum -= gram[i * size + k] * x[k];
      x[i] = sum / gram[i * size + i];
    }
    for (ptrdiff_t i = size - 1; i >= 0; i--) {
      x[i] /= gram[i * size + i];
      for (ptrdiff_t k = 0; k < i; k++) x[k] -= gram[i * size + k] * x[i];
    }
  }

 private:
  static constexpr ptrdiff_t kPanel = 96;

  static ptrdiff_t Even(ptrdiff_t count, ptrdiff_t step) { return (count + step - 1) / step * step; }

  // Rows are combined in float, whole rows of L at a time so that the compiler vectorises; squares sum in double.
  static void FactorCorner(float* a, ptrdiff_t stride, ptrdiff_t width, ptrdiff_t at) {
    for (ptrdiff_t i = 0; i < width; i++) {
      float* row = a + i * stride;
      for (ptrdiff_t j = 0; j < i; j++) {
        const float* other = a + j * stride;
        double sum = row[j];
        for (ptrdiff_t k = 0; k < j; k++) sum -= static_cast<double>(row[k]) * other[k];
        row[j] = static_cast<float>(sum / other[j]);
      }
      double rest = row[i];
      for (ptrdiff_t k = 0; k < i; k++) rest -= static_cast<double>(row[k]) * row[k];
      if (!(rest > 0) || !std::isfinite(rest)) {
        throw NotPositive("pivot " + std::to_string(at + i) + " is " + std::to_string(rest) + ", not positive");
      }
      row[i] = static_cast<float>(std::sqrt(rest));
    }
  }

  // out[width, width] = inverse of the lower triangle; zero above the diagonal.
  static void InvertCorner(const float* a, ptrdiff_t stride, ptrdiff_t width, float* out) {
    std::fill(out, out + width * width, 0.0f);
    for (ptrdiff_t column = 0; column < width; column++) {
      for (ptrdiff_t i = column; i < width; i++) {
        double sum = i == column ? 1 : 0;
        for (ptrdiff_t k = column; k < i; k++) {
          sum -= static_cast<double>(a[i * stride + k]) * out[k * width + column];
        }
        out[i * width + column] = static_cast<float>(sum / a[i * stride + i]);
      }
    }
  }

  static void ZeroAboveDiagonal(float* a, ptrdiff_t size, ptrdiff_t from, ptrdiff_t rows) {
    for (ptrdiff_t i = from; i < from + rows; i++) std::fill(a + i * size + i + 1, a + (i + 1) * size, 0.0f);
  }

  const Kernels& kernels_;
  const int threads_;
  const int32_t* const cancel_;
};

}  // namespace linear
