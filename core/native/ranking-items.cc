// How items are packed for the kernels.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>

#include "ranking-memory.h"
#include "ranking-search.h"

namespace ranking {

void Free::operator()(void* memory) const { std::free(memory); }

PackedItems::PackedItems(const Table& table, const Kernels& kernels, Precision precision)
    : kernels_(kernels),
      precision_(precision),
      count_(table.count),
      dimension_(table.dimension),
      vectors_(table.vectors),
      rows_(static_cast<size_t>(table.count)) {
  if (table.isCopied) {
    copied_.assign(table.vectors, table.vectors + count_ * dimension_);
    vectors_ = copied_.data();
  }
  std::vector<double> squares(static_cast<size_t>(count_));
  for (ptrdiff_t item = 0; item < count_; item++) {
    squares[item] = SquaredNorm(vector(item), dimension_);
    if (!std::isfinite(squares[item])) {
      throw BadArgument("the vector of item " + std::to_string(item) + " is not finite");
    }
  }
  std::iota(rows_.begin(), rows_.end(), 0);
  std::sort(rows_.begin(), rows_.end(), [&squares](int32_t a, int32_t b) {
    return squares[a] > squares[b] || (squares[a] == squares[b] && a < b);
  });
  for (ptrdiff_t place = 0; place < count_; place += columns()) panelNorms_.push_back(NormAbove(squares[rows_[place]]));
  if (precision == Precision::kInt8) {
    PackCodes();
  } else {
    PackVectors();
  }
}

void PackedItems::PackVectors() {
  const ptrdiff_t width = columns();
  panels_ = Allocate<float>(static_cast<size_t>(panelCount() * width * dimension_));
  float* to = panels_.get();
  for (ptrdiff_t start = 0; start < panelCount() * width; start += width, to += width * dimension_) {
    for (ptrdiff_t column = 0; column < width; column++) {
      const float* from = start + column < count_ ? vector(rows_[start + column]) : nullptr;
      for (ptrdiff_t k = 0; k < dimension_; k++) to[k * width + column] = from ? from[k] : 0;
    }
  }
}

double PackedItems::largestUserCode() const {
  // No sum of products may pass 32 bits.
  return std::min(32767.0, std::floor(2147483647.0 / (127.0 * 2 * static_cast<double>(pairs()))));
}

// Item v becomes whole numbers c and a step s. With w = s c, user u and its own whole numbers as a vector x,
// |u v - x w| <= |u| |v - w| + |u - x| |w|, and |u - x| <= sqrt(n) / 2 / largestUserCode |u|: the slack is that over |u|,
// a little more than what rounding in float32 adds.
void PackedItems::PackCodes() {
  const size_t places = static_cast<size_t>(panelCount() * kCodeColumns);
  codes_ = Allocate<int8_t>(places * static_cast<size_t>(pairs() * 2));
  steps_ = Allocate<float>(places);
  slacks_ = Allocate<float>(places);
  std::memset(codes_.get(), 0, places * static_cast<size_t>(pairs() * 2));
  const double userError = 0.51 * std::sqrt(static_cast<double>(dimension_)) / largestUserCode() + 1e-6;
  for (size_t place = 0; place < places; place++) {
    const ptrdiff_t panel = static_cast<ptrdiff_t>(place) / kCodeColumns;
    steps_.get()[place] = slacks_.get()[place] = 0;
    if (static_cast<ptrdiff_t>(place) >= count_) continue;
    const float* from = vector(rows_[place]);
    float largest = 0;
    for (ptrdiff_t k = 0; k < dimension_; k++) largest = std::max(largest, std::fabs(from[k]));
    // A smaller one is lost in its slack.
    const float step = largest < 1e-30f ? 0 : largest / 127;
    const float perStep = step == 0 ? 0 : 1 / step;
    int8_t* to = codes_.get() + panel * pairs() * 2 * kCodeColumns + static_cast<ptrdiff_t>(place) % kCodeColumns * 2;
    double lost = 0, kept = 0;
    for (ptrdiff_t k = 0; k < dimension_; k++) {
      const int code = std::clamp(static_cast<int>(std::nearbyint(from[k] * perStep)), -127, 127);
      to[k / 2 * 2 * kCodeColumns + k % 2] = static_cast<int8_t>(code);
      const double value = static_cast<double>(step) * code;
      lost += (from[k] - value) * (from[k] - value);
      kept += value * value;
    }
    steps_.get()[place] = step;
    slacks_.get()[place] = static_cast<float>((std::sqrt(lost) + userError * std::sqrt(kept)) * (1 + 1e-6) + 1e-37);
  }
}

double PackedItems::sizeBytes() const {
  const double places = static_cast<double>(panelCount() * columns());
  const double item = precision_ == Precision::kInt8 ? 2.0 * pairs() + 8 : 4.0 * dimension_;
  return 4.0 * copied_.size() + places * item + 4.0 * count_ + 8.0 * panelCount();
}

}  // namespace ranking
