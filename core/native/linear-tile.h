// The kernels, written once over vectors of KERNEL_BYTES and compiled for each instruction set by the file that includes
// this one. No standard header but those of linear-kernels.h may come after the target is set: an inline function of
// theirs, compiled for AVX-512, might be linked into code that runs everywhere.
#include "linear-kernels.h"

namespace linear {
namespace {

typedef float Vector __attribute__((vector_size(KERNEL_BYTES), aligned(4), may_alias));
constexpr ptrdiff_t kLanes = KERNEL_BYTES / 4;
constexpr ptrdiff_t kMicroRows = KERNEL_MICRO_ROWS;
constexpr ptrdiff_t kMicroColumns = 2 * kLanes;

inline Vector Load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void Store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline Vector Spread(float value) { return value - Vector{}; }

void PackRows(const Product& p, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t from, ptrdiff_t depth, float* out) {
  for (ptrdiff_t block = 0; block < rows; block += kMicroRows) {
    const ptrdiff_t count = rows - block < kMicroRows ? rows - block : kMicroRows;
    const float* a = p.a + (row + block) * p.aRow + from * p.aDepth;
    for (ptrdiff_t k = 0; k < depth; k++, out += kMicroRows) {
      for (ptrdiff_t i = 0; i < count; i++) out[i] = p.alpha * a[i * p.aRow + k * p.aDepth];
      for (ptrdiff_t i = count; i < kMicroRows; i++) out[i] = 0;
    }
  }
}

void PackColumns(const Product& p, ptrdiff_t column, ptrdiff_t columns, ptrdiff_t from, ptrdiff_t depth, float* out) {
  for (ptrdiff_t block = 0; block < columns; block += kMicroColumns) {
    const ptrdiff_t count = columns - block < kMicroColumns ? columns - block : kMicroColumns;
    const float* b = p.b + from * p.bDepth + (column + block) * p.bColumn;
    if (p.bColumn == 1 && count == kMicroColumns) {
      for (ptrdiff_t k = 0; k < depth; k++, out += kMicroColumns) {
        Store(out, Load(b + k * p.bDepth));
        Store(out + kLanes, Load(b + k * p.bDepth + kLanes));
      }
      continue;
    }
    for (ptrdiff_t k = 0; k < depth; k++, out += kMicroColumns) {
      for (ptrdiff_t j = 0; j < count; j++) out[j] = b[k * p.bDepth + j * p.bColumn];
      for (ptrdiff_t j = count; j < kMicroColumns; j++) out[j] = 0;
    }
  }
}

// sums[kMicroRows, kMicroColumns] = packed A block times packed B block.
inline void MicroTile(const float* a, const float* b, ptrdiff_t depth, Vector (&sums)[kMicroRows][2]) {
  for (ptrdiff_t i = 0; i < kMicroRows; i++) sums[i][0] = sums[i][1] = Vector{};
  for (ptrdiff_t k = 0; k < depth; k++, a += kMicroRows, b += kMicroColumns) {
    const Vector left = Load(b);
    const Vector right = Load(b + kLanes);
#pragma GCC unroll 16
    for (ptrdiff_t i = 0; i < kMicroRows; i++) {
      const Vector value = Spread(a[i]);
      sums[i][0] += value * left;
      sums[i][1] += value * right;
    }
  }
}

void StoreMicroTile(const Vector (&sums)[kMicroRows][2], float* c, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
                    float beta) {
  if (columns == kMicroColumns) {
    for (ptrdiff_t i = 0; i < rows; i++, c += stride) {
      // beta 0 must not read what may be NaN.
      Store(c, beta == 0 ? sums[i][0] : sums[i][0] + Spread(beta) * Load(c));
      Store(c + kLanes, beta == 0 ? sums[i][1] : sums[i][1] + Spread(beta) * Load(c + kLanes));
    }
    return;
  }
  for (ptrdiff_t i = 0; i < rows; i++, c += stride) {
    for (ptrdiff_t j = 0; j < columns; j++) {
      const float sum = sums[i][j / kLanes][j % kLanes];
      c[j] = beta == 0 ? sum : sum + beta * c[j];
    }
  }
}

void MultiplyTile(const Product& p, const Tile& tile, float* packedA, float* packedB) {
  float beta = p.beta;
  for (ptrdiff_t from = tile.depthFrom; from < p.depth || from == tile.depthFrom; from += kTileDepth) {
    const ptrdiff_t left = p.depth - from;
    const ptrdiff_t depth = left < 0 ? 0 : left < kTileDepth ? left : kTileDepth;
    PackRows(p, tile.row, tile.rows, from, depth, packedA);
    PackColumns(p, tile.column, tile.columns, from, depth, packedB);
    for (ptrdiff_t j = 0; j < tile.columns; j += kMicroColumns) {
      const ptrdiff_t columns = tile.columns - j < kMicroColumns ? tile.columns - j : kMicroColumns;
      for (ptrdiff_t i = 0; i < tile.rows; i += kMicroRows) {
        const ptrdiff_t rows = tile.rows - i < kMicroRows ? tile.rows - i : kMicroRows;
        Vector sums[kMicroRows][2];
        MicroTile(packedA + i * depth, packedB + j * depth, depth, sums);
        StoreMicroTile(sums, p.c + (tile.row + i) * p.cRow + tile.column + j, p.cRow, rows, columns, beta);
      }
    }
    beta = 1;
  }
}

// One row of a sparse product over kBlock vectors of columns, all of which stay in registers.
template <ptrdiff_t kBlock>
inline void SparseRow(const SparseProduct& p, ptrdiff_t row, ptrdiff_t column) {
  Vector sums[kBlock];
  for (ptrdiff_t v = 0; v < kBlock; v++) sums[v] = Vector{};
  const float* dense = p.dense + column;
  for (ptrdiff_t entry = p.offsets[row]; entry < p.offsets[row + 1]; entry++) {
    const float* from = dense + static_cast<ptrdiff_t>(p.indices[entry]) * p.columns;
    const Vector value = Spread(p.values ? p.values[entry] : 1.0f);
#pragma GCC unroll 16
    for (ptrdiff_t v = 0; v < kBlock; v++) sums[v] += value * Load(from + v * kLanes);
  }
  const ptrdiff_t at = row * p.columns + column;
  for (ptrdiff_t v = 0; v < kBlock; v++) {
    Vector result = Spread(p.alpha) * sums[v];
    if (p.beta != 0) result += Spread(p.beta) * Load(p.out + at + v * kLanes);
    if (p.add) result += Spread(p.addScale) * Load(p.add + at + v * kLanes);
    if (p.more) result += Spread(p.moreScale) * Load(p.more + at + v * kLanes);
    Store(p.out + at + v * kLanes, result);
  }
}

void SparseRows(const SparseProduct& p, ptrdiff_t from, ptrdiff_t to) {
  constexpr ptrdiff_t kBlock = 8;
  for (ptrdiff_t row = from; row < to; row++) {
    ptrdiff_t column = 0;
    for (; column + kBlock * kLanes <= p.columns; column += kBlock * kLanes) SparseRow<kBlock>(p, row, column);
    for (; column + 2 * kLanes <= p.columns; column += 2 * kLanes) SparseRow<2>(p, row, column);
    for (; column + kLanes <= p.columns; column += kLanes) SparseRow<1>(p, row, column);
    for (; column < p.columns; column++) {
      float sum = 0;
      for (ptrdiff_t entry = p.offsets[row]; entry < p.offsets[row + 1]; entry++) {
        const float value = p.values ? p.values[entry] : 1.0f;
        sum += value * p.dense[static_cast<ptrdiff_t>(p.indices[entry]) * p.columns + column];
      }
      const ptrdiff_t at = row * p.columns + column;
      float result = p.alpha * sum;
      if (p.beta != 0) result += p.beta * p.out[at];
      if (p.add) result += p.addScale * p.add[at];
      if (p.more) result += p.moreScale * p.more[at];
      p.out[at] = result;
    }
  }
}

void AddOuterProducts(const float* table, const int32_t* rows, ptrdiff_t count, ptrdiff_t dimension, float* gram) {
  // Four rows share each pass over the triangle, which is what bounds this.
  for (ptrdiff_t at = 0; at < count; at += 4) {
    const float* y[4];
    float on[4];
    for (ptrdiff_t k = 0; k < 4; k++) {
      const bool isThere = at + k < count;
      y[k] = table + static_cast<ptrdiff_t>(rows[isThere ? at + k : at]) * dimension;
      on[k] = isThere ? 1.0f : 0.0f;
    }
    for (ptrdiff_t i = 0; i < dimension; i++) {
      float* out = gram + i * dimension;
      const float w0 = on[0] * y[0][i], w1 = on[1] * y[1][i], w2 = on[2] * y[2][i], w3 = on[3] * y[3][i];
      ptrdiff_t j = 0;
      for (; j + kLanes <= i + 1; j += kLanes) {
        Vector sum = Load(out + j);
        sum += Spread(w0) * Load(y[0] + j);
        sum += Spread(w1) * Load(y[1] + j);
        sum += Spread(w2) * Load(y[2] + j);
        sum += Spread(w3) * Load(y[3] + j);
        Store(out + j, sum);
      }
      for (; j <= i; j++) out[j] += w0 * y[0][j] + w1 * y[1][j] + w2 * y[2][j] + w3 * y[3][j];
    }
  }
}

double BprStepsOf(const BprSteps& s) {
  double loss = 0;
  const ptrdiff_t d = s.dimension;
  for (ptrdiff_t at = 0; at < s.count; at++) {
    float* u = s.users + s.triples[3 * at] * d;
    float* p = s.items + s.triples[3 * at + 1] * d;
    float* n = s.items + s.triples[3 * at + 2] * d;
    Vector sums = Vector{};
    ptrdiff_t k = 0;
    for (; k + kLanes <= d; k += kLanes) sums += Load(u + k) * (Load(p + k) - Load(n + k));
    float margin = 0;
    for (ptrdiff_t lane = 0; lane < kLanes; lane++) margin += sums[lane];
    for (; k < d; k++) margin += u[k] * (p[k] - n[k]);
    const double decay = __builtin_exp(-static_cast<double>(margin));
    loss += margin > -700 ? __builtin_log1p(decay) : -static_cast<double>(margin);
    const float slope = s.learningRate * static_cast<float>(margin > -700 ? decay / (1 + decay) : 1);
    const float keep = 1 - s.learningRate * s.regularization;
    for (k = 0; k + kLanes <= d; k += kLanes) {
      const Vector user = Load(u + k), liked = Load(p + k), other = Load(n + k);
      Store(u + k, Spread(keep) * user + Spread(slope) * (liked - other));
      Store(p + k, Spread(keep) * liked + Spread(slope) * user);
      Store(n + k, Spread(keep) * other - Spread(slope) * user);
    }
    for (; k < d; k++) {
      const float user = u[k], liked = p[k], other = n[k];
      u[k] = keep * user + slope * (liked - other);
      p[k] = keep * liked + slope * user;
      n[k] = keep * other - slope * user;
    }
  }
  return loss;
}

}  // namespace

extern const Kernels KERNEL_TABLE = {KERNEL_NAME, MultiplyTile, SparseRows, AddOuterProducts, BprStepsOf};

}  // namespace linear
