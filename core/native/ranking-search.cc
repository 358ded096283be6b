#include "ranking-search.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <numeric>
#include <string>
#include <system_error>
#include <thread>

namespace ranking {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Micro-rows of users that share a panel while it is in the first cache.
constexpr ptrdiff_t kBlockMicroRows = 16;

template <typename Value>
std::unique_ptr<Value, Free> Allocate(size_t count) {
  const size_t bytes = (std::max<size_t>(1, count) * sizeof(Value) + 63) / 64 * 64;
  Value* memory = static_cast<Value*>(std::aligned_alloc(64, bytes));
  if (!memory) throw std::bad_alloc();
  return std::unique_ptr<Value, Free>(memory);
}

double SquaredNorm(const float* vector, ptrdiff_t dimension) {
  double sum = 0;
  for (ptrdiff_t k = 0; k < dimension; k++) sum += static_cast<double>(vector[k]) * vector[k];
  return sum;
}

// Never below the true norm: float64 sums of up to 2^20 squares err by less than 1e-9 of the sum.
double NormAbove(double squared) { return std::sqrt(squared) * (1 + 1e-9); }

struct Candidate {
  double score;
  int32_t row;
};

bool RanksBefore(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// The inner products in float64, added in index order: every product of two float32 is exact, so that a fused
// multiply-add gives the same bits as this loop in any language. Four at a time to hide the latency of the sums.
void ScoreExactly(const PackedItems& items, const float* user, Candidate* candidates, size_t count) {
  const ptrdiff_t dimension = items.dimension();
  size_t at = 0;
  for (; at + 4 <= count; at += 4) {
    Candidate* c = candidates + at;
    const float *v0 = items.vector(c[0].row), *v1 = items.vector(c[1].row);
    const float *v2 = items.vector(c[2].row), *v3 = items.vector(c[3].row);
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (ptrdiff_t k = 0; k < dimension; k++) {
      const double value = user[k];
      s0 += value * v0[k];
      s1 += value * v1[k];
      s2 += value * v2[k];
      s3 += value * v3[k];
    }
    c[0].score = s0;
    c[1].score = s1;
    c[2].score = s2;
    c[3].score = s3;
  }
  for (; at < count; at++) {
    const float* vector = items.vector(candidates[at].row);
    double sum = 0;
    for (ptrdiff_t k = 0; k < dimension; k++) sum += static_cast<double>(user[k]) * vector[k];
    candidates[at].score = sum;
  }
}

// One user's search: candidates, and the floor that a float32 score must pass to become one.
class UserSearch {
 public:
  void Begin(const PackedItems& items, const Search& search, ptrdiff_t user) {
    items_ = &items;
    vector_ = search.userVectors + user * items.dimension();
    excluded_ = search.excludedItems + search.excludedOffsets[user];
    excludedEnd_ = search.excludedItems + search.excludedOffsets[user + 1];
    allowed_ = search.allowed;
    k_ = static_cast<size_t>(std::min(search.k, items.count()));
    capacity_ = 2 * k_ + 32;
    candidates_.clear();
    candidates_.reserve(capacity_);
    pending_.clear();
    floor_ = -kInfinity;
    const double squared = SquaredNorm(vector_, items.dimension());
    if (!std::isfinite(squared)) {
      throw BadArgument("the vector of user " + std::to_string(user) + " is not finite");
    }
    norm_ = NormAbove(squared);
    // |float32 sum - true sum| <= g |u||v| in any order of summation, g = n e / (1 - n e), e = 2^-24 (Higham 2002, 3.1),
    // plus what underflow loses; the float64 sum's own error is far below the doubled g.
    const double n = static_cast<double>(items.dimension());
    const double largest = items.panelCount() > 0 ? norm_ * items.panelNorm(0) : 0;
    slack_ = 2 * n * 0x1p-24 * largest + n * 0x1p-148;
    // Its scores are all equal: the first rows are the best.
    isNull_ = squared == 0;
    // Also where float32 sums may overflow or their bound means nothing.
    needsPlainLoop_ = isNull_ || !(largest < 1e37) || n > 0x1p20;
  }

  bool needsPlainLoop() const { return needsPlainLoop_; }
  float floor() const { return floor_; }
  double norm() const { return norm_; }
  // Where 16 bits say nothing of its values.
  bool isTooSmallForCodes() const { return norm_ < 1e-30; }

  // No item with a smaller norm can pass any more; -infinity while that is not known.
  double normFloor() const { return floor_ > 0 ? floor_ / norm_ : -kInfinity; }

  void Offer(float score, int32_t row) {
    if (!(score > floor_) || !IsWanted(row)) return;
    candidates_.push_back({score, row});
    if (candidates_.size() == capacity_) Compact();
  }

  // An item whose score is not known yet.
  void OfferUnscored(int32_t row) {
    if (!IsWanted(row)) return;
    __builtin_prefetch(items_->vector(row));
    pending_.push_back({0, row});
    if (pending_.size() == kPendingAtOnce) ScorePending();
  }

  void ScorePending() {
    ScoreExactly(*items_, vector_, pending_.data(), pending_.size());
    for (const Candidate& candidate : pending_) {
      if (!(static_cast<float>(candidate.score) > floor_)) continue;
      candidates_.push_back(candidate);
      if (candidates_.size() == capacity_) Compact();
    }
    pending_.clear();
  }

  void PlainLoop() {
    for (int32_t row = 0; row < items_->count() && PlainStep(row); row++) continue;
  }

  void PlainLoopOver(const std::vector<int32_t>& rows) {
    constexpr size_t kAhead = 8;
    for (size_t at = 0; at < rows.size(); at++) {
      if (at + kAhead < rows.size()) __builtin_prefetch(items_->vector(rows[at + kAhead]));
      if (!PlainStep(rows[at])) return;
    }
  }

  void Finish(int32_t* out, float* scores) {
    ScorePending();
    KeepBest();
    for (const Candidate& candidate : candidates_) {
      *out++ = candidate.row;
      if (scores) *scores++ = static_cast<float>(candidate.score);
    }
  }

 private:
  // Sums of four candidates hide each other's latency.
  static constexpr size_t kPendingAtOnce = 16;

  bool IsWanted(int32_t row) const {
    if (allowed_ && !(allowed_[row >> 6] >> (row & 63) & 1)) return false;
    return !std::binary_search(excluded_, excludedEnd_, row);
  }

  // Whether further rows can matter.
  bool PlainStep(int32_t row) {
    if (!IsWanted(row)) return true;
    candidates_.push_back({0, row});
    if (isNull_ && candidates_.size() == k_) return false;
    if (candidates_.size() == capacity_) KeepBest();
    return true;
  }

  void Compact() {
    const auto kth = candidates_.begin() + static_cast<ptrdiff_t>(k_ - 1);
    const auto isHigher = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
    std::nth_element(candidates_.begin(), kth, candidates_.end(), isHigher);
    // At least k items have a true score of kth - slack, so that one below kth - 2 slack is not among the best.
    RaiseFloor(kth->score - 2 * slack_);
    const auto passes = [floor = floor_](const Candidate& candidate) { return candidate.score > floor; };
    candidates_.erase(std::partition(kth + 1, candidates_.end(), passes), candidates_.end());
    // Too many that float32 cannot tell apart: let float64 decide, and the row among equals.
    if (candidates_.size() > capacity_ - k_ / 2 - 16) KeepBest();
  }

  // Cuts the candidates to the k best, in order, by their exact scores.
  void KeepBest() {
    ScoreExactly(*items_, vector_, candidates_.data(), candidates_.size());
    const size_t kept = std::min(k_, candidates_.size());
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(kept), candidates_.end(),
                      RanksBefore);
    candidates_.resize(kept);
    if (kept == k_ && kept > 0) RaiseFloor(candidates_.back().score - slack_);
  }

  void RaiseFloor(double bound) {
    // A score equal to the bound must pass.
    const float rounded = std::nextafter(std::nextafter(static_cast<float>(bound), -kInfinity), -kInfinity);
    floor_ = std::max(floor_, rounded);
  }

  const PackedItems* items_ = nullptr;
  const float* vector_ = nullptr;
  const int32_t* excluded_ = nullptr;
  const int32_t* excludedEnd_ = nullptr;
  const uint64_t* allowed_ = nullptr;
  size_t k_ = 0, capacity_ = 0;
  std::vector<Candidate> candidates_, pending_;
  float floor_ = 0;
  double norm_ = 0, slack_ = 0;
  bool isNull_ = false, needsPlainLoop_ = false;
};

// What one thread works with: a block of users.
class Block {
 public:
  Block(const PackedItems& items, const Search& search, ptrdiff_t microRows)
      : items_(items),
        search_(search),
        rows_(items.microRows()),
        isCoded_(items.precision() == Precision::kInt8),
        users_(static_cast<size_t>(microRows * rows_)),
        packed_(Allocate<float>(static_cast<size_t>(microRows * rows_ * items.pairs() * 2))) {}

  void Run(ptrdiff_t start, ptrdiff_t count) {
    const ptrdiff_t microRows = (count + rows_ - 1) / rows_;
    active_.clear();
    for (ptrdiff_t m = 0; m < microRows; m++) {
      bool wanted = false;
      for (ptrdiff_t i = 0; i < rows_; i++) wanted |= Pack(start, count, m * rows_ + i);
      if (wanted) active_.push_back(m);
    }
    for (ptrdiff_t panel = 0; panel < items_.panelCount() && !active_.empty(); panel++) {
      size_t kept = 0;
      for (const ptrdiff_t m : active_) {
        if (items_.panelNorm(panel) < normFloors_[m]) continue;
        active_[kept++] = m;
        const bool raised = isCoded_ ? ScanCodes(m, panel, std::min(rows_, count - m * rows_)) : ScanPanel(m, panel);
        if (raised) LowerNormFloor(m);
      }
      active_.resize(kept);
    }
    for (ptrdiff_t index = 0; index < count; index++) {
      const ptrdiff_t to = (start + index) * search_.k;
      users_[index].Finish(search_.out + to, search_.scores ? search_.scores + to : nullptr);
    }
  }

 private:
  // Whether the place of the block holds a user for the kernels.
  bool Pack(ptrdiff_t start, ptrdiff_t count, ptrdiff_t index) {
    floors_[index] = kInfinity;
    normFloors_[index / rows_] = -kInfinity;
    const float* from = nullptr;
    if (index < count) {
      UserSearch& user = users_[index];
      user.Begin(items_, search_, start + index);
      if (user.needsPlainLoop() || (isCoded_ && user.isTooSmallForCodes())) {
        user.PlainLoop();
      } else {
        from = search_.userVectors + (start + index) * items_.dimension();
        floors_[index] = -kInfinity;
      }
    }
    if (isCoded_) {
      PackCodes(index, std::min(rows_, count - index / rows_ * rows_), from);
    } else {
      float* to = packed_.get() + index / rows_ * rows_ * items_.dimension() + index % rows_;
      for (ptrdiff_t k = 0; k < items_.dimension(); k++) to[k * rows_] = from ? from[k] : 0;
    }
    return from != nullptr;
  }

  int16_t* UserCodes(ptrdiff_t m) {
    return reinterpret_cast<int16_t*>(packed_.get()) + m * rows_ * items_.pairs() * 2;
  }

  void PackCodes(ptrdiff_t index, ptrdiff_t rows, const float* from) {
    const ptrdiff_t place = index % rows_;
    userSteps_[index] = 0;
    if (place >= rows) return;
    int16_t* to = UserCodes(index / rows_);
    for (ptrdiff_t p = 0; p < items_.pairs(); p++) to[(p * rows + place) * 2] = to[(p * rows + place) * 2 + 1] = 0;
    if (!from) return;
    double largest = 0;
    for (ptrdiff_t k = 0; k < items_.dimension(); k++) largest = std::max(largest, std::fabs(static_cast<double>(from[k])));
    const double step = largest / items_.largestUserCode();
    for (ptrdiff_t k = 0; k < items_.dimension(); k++) {
      to[(k / 2 * rows + place) * 2 + k % 2] = static_cast<int16_t>(std::lrint(from[k] / step));
    }
    userSteps_[index] = static_cast<float>(step / users_[index].norm());
  }

  // Whether a floor was raised.
  bool ScanPanel(ptrdiff_t m, ptrdiff_t panel) {
    uint64_t passing[kMostMicroRows];
    alignas(64) float scores[kMostMicroRows * kMostMicroColumns];
    const ptrdiff_t columns = items_.columns();
    float* floors = floors_ + m * rows_;
    const MicroTile tile{packed_.get() + m * rows_ * items_.dimension(),
                         items_.panel(panel),
                         items_.dimension(),
                         floors,
                         passing,
                         scores};
    if (!items_.kernels().scan(tile)) return false;
    bool raised = false;
    for (ptrdiff_t i = 0; i < rows_; i++) {
      if (passing[i] == 0) continue;
      UserSearch& user = users_[m * rows_ + i];
      for (uint64_t bits = passing[i]; bits != 0; bits &= bits - 1) {
        const ptrdiff_t column = __builtin_ctzll(bits);
        const ptrdiff_t place = panel * columns + column;
        // The last panel is filled up with null vectors.
        if (place < items_.count()) user.Offer(scores[i * columns + column], items_.row(place));
      }
      raised |= user.floor() > floors[i];
      floors[i] = user.floor();
    }
    return raised;
  }

  // As ScanPanel, of the first `rows` users of the micro-row.
  bool ScanCodes(ptrdiff_t m, ptrdiff_t panel, ptrdiff_t rows) {
    uint64_t passing[kMostCodeRows];
    float* floors = floors_ + m * rows_;
    const CodeTile tile{UserCodes(m),
                        items_.codes(panel),
                        items_.pairs(),
                        items_.steps(panel),
                        items_.slacks(panel),
                        userSteps_ + m * rows_,
                        floors,
                        passing};
    if (!items_.kernels().scanCodes[rows - 1](tile)) return false;
    bool raised = false;
    for (ptrdiff_t i = 0; i < rows; i++) {
      if (passing[i] == 0) continue;
      UserSearch& user = users_[m * rows_ + i];
      const float before = user.floor();
      for (uint64_t bits = passing[i]; bits != 0; bits &= bits - 1) {
        const ptrdiff_t place = panel * kCodeColumns + __builtin_ctzll(bits);
        if (place < items_.count()) user.OfferUnscored(items_.row(place));
      }
      if (!(user.floor() > before)) continue;
      raised = true;
      floors[i] = DividedBelow(user.floor(), user.norm());
    }
    return raised;
  }

  static float DividedBelow(float floor, double norm) {
    // The norm is above the true one: a negative floor must be divided by no more than that.
    const double quotient = floor / (floor > 0 ? norm : norm * (1 - 4e-9));
    return std::nextafter(std::nextafter(static_cast<float>(quotient), -kInfinity), -kInfinity);
  }

  // The micro-row needs no panel whose norm is below what each of its users can still use.
  void LowerNormFloor(ptrdiff_t m) {
    double lowest = std::numeric_limits<double>::infinity();
    for (ptrdiff_t i = 0; i < rows_; i++) {
      if (floors_[m * rows_ + i] < kInfinity) lowest = std::min(lowest, users_[m * rows_ + i].normFloor());
    }
    normFloors_[m] = lowest;
  }

  const PackedItems& items_;
  const Search& search_;
  const ptrdiff_t rows_;
  const bool isCoded_;
  std::vector<UserSearch> users_;
  // Values of users, or pairs of their codes in half the space.
  std::unique_ptr<float, Free> packed_;
  std::vector<ptrdiff_t> active_;
  // Of a user, over its norm where items are coded.
  float floors_[kBlockMicroRows * kMostMicroRows];
  float userSteps_[kBlockMicroRows * kMostMicroRows];
  double normFloors_[kBlockMicroRows];
};

void CheckLists(const PackedItems& items, const Search& search) {
  if (search.excludedOffsets[0] != 0 || search.excludedOffsets[search.users] != search.excludedCount) {
    throw BadArgument("excludedOffsets must start at 0 and end at the number of excluded items");
  }
  for (ptrdiff_t user = 0; user < search.users; user++) {
    const ptrdiff_t from = search.excludedOffsets[user], to = search.excludedOffsets[user + 1];
    if (to < from || to > search.excludedCount) throw BadArgument("excludedOffsets must not fall");
    for (ptrdiff_t at = from; at < to; at++) {
      const int32_t row = search.excludedItems[at];
      if (row < 0 || row >= items.count() || (at > from && row <= search.excludedItems[at - 1])) {
        throw BadArgument("the excluded items of user " + std::to_string(user) + " must rise within [0, " +
                          std::to_string(items.count()) + "), got " + std::to_string(row));
      }
    }
  }
}

void FillUp(const Search& search) {
  std::fill(search.out, search.out + search.users * search.k, -1);
  if (search.scores) std::fill(search.scores, search.scores + search.users * search.k, -kInfinity);
}

}  // namespace

void Free::operator()(void* memory) const { std::free(memory); }

const Kernels* FindKernels(const char* name) {
  const auto isWanted = [name](const Kernels& kernels) {
    return name[0] == '\0' || std::strcmp(name, kernels.name) == 0;
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (isWanted(kAvx512) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    return &kAvx512;
  }
  if (isWanted(kAvx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2;
#endif
  return isWanted(kBaseline) ? &kBaseline : nullptr;
}

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

void RankAll(const PackedItems& items, const Search& search) {
  CheckLists(items, search);
  FillUp(search);
  const ptrdiff_t microRow = items.microRows();
  const ptrdiff_t share = (search.users + 4 * search.threads * microRow - 1) / (4 * search.threads * microRow);
  const ptrdiff_t blockMicroRows = std::clamp<ptrdiff_t>(share, 1, kBlockMicroRows);
  const ptrdiff_t blockUsers = blockMicroRows * microRow;
  std::atomic<ptrdiff_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  std::mutex failureLock;
  const auto work = [&] {
    try {
      Block block(items, search, blockMicroRows);
      for (ptrdiff_t start; !failed && (start = next.fetch_add(blockUsers)) < search.users;) {
        block.Run(start, std::min(blockUsers, search.users - start));
      }
    } catch (...) {
      const std::lock_guard<std::mutex> hold(failureLock);
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  const ptrdiff_t blocks = (search.users + blockUsers - 1) / blockUsers;
  try {
    for (ptrdiff_t thread = 1; thread < std::min<ptrdiff_t>(search.threads, blocks); thread++) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // No more threads to be had: fewer do the same work.
  }
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

void RankRows(const PackedItems& items, const Search& search, const std::vector<int32_t>& rows) {
  CheckLists(items, search);
  FillUp(search);
  UserSearch user;
  for (ptrdiff_t at = 0; at < search.users; at++) {
    user.Begin(items, search, at);
    user.PlainLoopOver(rows);
    const ptrdiff_t to = at * search.k;
    user.Finish(search.out + to, search.scores ? search.scores + to : nullptr);
  }
}

}  // namespace ranking
