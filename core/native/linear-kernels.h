// What linear.cc asks of the kernels, of which one set is chosen at run time. Row-major float32 throughout.
#pragma once

#include <cstddef>
#include <cstdint>

namespace linear {

// C[m, n] = alpha * A * B + beta * C with A(i, k) = a[i * aRow + k * aDepth] and B(k, j) = b[k * bDepth + j * bColumn].
struct Product {
  const float* a;
  ptrdiff_t aRow, aDepth;
  const float* b;
  ptrdiff_t bDepth, bColumn;
  float* c;
  ptrdiff_t cRow;
  ptrdiff_t depth;
  float alpha, beta;
};

// A rectangle of C, computed by one thread. The depth starts at `depthFrom`: what lies before is known to be zero.
struct Tile {
  ptrdiff_t row, rows, column, columns, depthFrom;
};

constexpr ptrdiff_t kTileRows = 384;
constexpr ptrdiff_t kTileColumns = 768;
constexpr ptrdiff_t kTileDepth = 256;
// Rows and columns of a tile are padded to whole micro-tiles, none of which exceeds 64.
constexpr ptrdiff_t kPackedRows = (kTileRows + 64) * kTileDepth;
constexpr ptrdiff_t kPackedColumns = (kTileColumns + 64) * kTileDepth;

// out[row, :] = alpha * sum of value * dense[index, :] over the entries of the row + beta * out[row, :]
//   + addScale * add[row, :] + moreScale * more[row, :], the last two where they are not null.
struct SparseProduct {
  const int32_t* offsets;
  const int32_t* indices;
  // Null stands for all ones.
  const float* values;
  const float* dense;
  ptrdiff_t columns;
  float* out;
  float alpha, beta;
  const float* add = nullptr;
  float addScale = 0;
  const float* more = nullptr;
  float moreScale = 0;
};

// One BPR step for each of `count` triples (user, liked item, other item), in order.
struct BprSteps {
  const int32_t* triples;
  ptrdiff_t count;
  float* users;
  float* items;
  ptrdiff_t dimension;
  float learningRate, regularization;
};

struct Kernels {
  const char* name;
  // `packedA` and `packedB` hold kPackedRows and kPackedColumns floats, aligned to 64 bytes.
  void (*multiplyTile)(const Product&, const Tile&, float* packedA, float* packedB);
  void (*sparseRows)(const SparseProduct&, ptrdiff_t from, ptrdiff_t to);
  // Adds weight * y * y^T for each listed row y of `table` to the lower triangle of `gram` [dimension, dimension].
  void (*addOuterProducts)(const float* table, const int32_t* rows, ptrdiff_t count, ptrdiff_t dimension, float* gram);
  // The sum of the losses -log sigmoid(margin).
  double (*bprSteps)(const BprSteps&);
};

extern const Kernels kBaseline;
#if defined(__x86_64__)
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif

}  // namespace linear
