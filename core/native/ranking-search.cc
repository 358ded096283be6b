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

std::unique_ptr<float, Free> Allocate(size_t count) {
  const size_t bytes = (std::max<size_t>(1, count) * sizeof(float) + 63) / 64 * 64;
  float* memory = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (!memory) throw std::bad_alloc();
  return std::unique_ptr<float, Free>(memory);
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
    k_ = static_cast<size_t>(std::min(search.k, items.count()));
    capacity_ = 2 * k_ + 32;
    candidates_.clear();
    candidates_.reserve(capacity_);
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

  // No item with a smaller norm can pass any more; -infinity while that is not known.
  double normFloor() const { return floor_ > 0 ? floor_ / norm_ : -kInfinity; }

  void Offer(float score, int32_t row) {
    if (!(score > floor_) || std::binary_search(excluded_, excludedEnd_, row)) return;
    candidates_.push_back({score, row});
    if (candidates_.size() == capacity_) Compact();
  }

  void PlainLoop() {
    for (int32_t row = 0; row < items_->count(); row++) {
      if (std::binary_search(excluded_, excludedEnd_, row)) continue;
      candidates_.push_back({0, row});
      if (isNull_ && candidates_.size() == k_) return;
      if (candidates_.size() == capacity_) KeepBest();
    }
  }

  void Finish(int32_t* out) {
    KeepBest();
    for (const Candidate& candidate : candidates_) *out++ = candidate.row;
  }

 private:
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
  size_t k_ = 0, capacity_ = 0;
  std::vector<Candidate> candidates_;
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
        rows_(items.kernels().microRows),
        users_(static_cast<size_t>(microRows * rows_)),
        packed_(Allocate(static_cast<size_t>(microRows * rows_ * items.dimension()))) {}

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
        ScanPanel(m, panel);
      }
      active_.resize(kept);
    }
    for (ptrdiff_t index = 0; index < count; index++) users_[index].Finish(search_.out + (start + index) * search_.k);
  }

 private:
  // Whether the place of the block holds a user for the kernels.
  bool Pack(ptrdiff_t start, ptrdiff_t count, ptrdiff_t index) {
    float* to = packed_.get() + index / rows_ * rows_ * items_.dimension() + index % rows_;
    floors_[index] = kInfinity;
    normFloors_[index / rows_] = -kInfinity;
    const float* from = nullptr;
    if (index < count) {
      users_[index].Begin(items_, search_, start + index);
      if (users_[index].needsPlainLoop()) {
        users_[index].PlainLoop();
      } else {
        from = search_.userVectors + (start + index) * items_.dimension();
        floors_[index] = -kInfinity;
      }
    }
    for (ptrdiff_t k = 0; k < items_.dimension(); k++) to[k * rows_] = from ? from[k] : 0;
    return from != nullptr;
  }

  void ScanPanel(ptrdiff_t m, ptrdiff_t panel) {
    uint64_t passing[kMostMicroRows];
    alignas(64) float scores[kMostMicroRows * kMostMicroColumns];
    const ptrdiff_t columns = items_.kernels().microColumns;
    float* floors = floors_ + m * rows_;
    const MicroTile tile{packed_.get() + m * rows_ * items_.dimension(),
                         items_.panel(panel),
                         items_.dimension(),
                         floors,
                         passing,
                         scores};
    if (!items_.kernels().scan(tile)) return;
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
    if (raised) LowerNormFloor(m);
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
  std::vector<UserSearch> users_;
  std::unique_ptr<float, Free> packed_;
  std::vector<ptrdiff_t> active_;
  float floors_[kBlockMicroRows * kMostMicroRows];
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

}  // namespace

void Free::operator()(float* memory) const { std::free(memory); }

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

PackedItems::PackedItems(const float* vectors, ptrdiff_t count, ptrdiff_t dimension, const Kernels& kernels)
    : kernels_(kernels),
      count_(count),
      dimension_(dimension),
      vectors_(vectors, vectors + count * dimension),
      rows_(static_cast<size_t>(count)) {
  std::vector<double> squares(static_cast<size_t>(count));
  for (ptrdiff_t item = 0; item < count; item++) {
    squares[item] = SquaredNorm(vector(item), dimension);
    if (!std::isfinite(squares[item])) {
      throw BadArgument("the vector of item " + std::to_string(item) + " is not finite");
    }
  }
  std::iota(rows_.begin(), rows_.end(), 0);
  std::sort(rows_.begin(), rows_.end(), [&squares](int32_t a, int32_t b) {
    return squares[a] > squares[b] || (squares[a] == squares[b] && a < b);
  });
  const ptrdiff_t columns = kernels.microColumns;
  const ptrdiff_t panelCount = (count + columns - 1) / columns;
  panels_ = Allocate(static_cast<size_t>(panelCount * columns * dimension));
  float* to = panels_.get();
  for (ptrdiff_t start = 0; start < panelCount * columns; start += columns, to += columns * dimension) {
    panelNorms_.push_back(NormAbove(squares[rows_[start]]));
    for (ptrdiff_t column = 0; column < columns; column++) {
      const float* from = start + column < count ? vector(rows_[start + column]) : nullptr;
      for (ptrdiff_t k = 0; k < dimension; k++) to[k * columns + column] = from ? from[k] : 0;
    }
  }
}

double PackedItems::sizeBytes() const {
  const double values = static_cast<double>(count_ + panelCount() * kernels_.microColumns) * dimension_;
  return 4 * values + 4.0 * count_ + 8.0 * panelCount();
}

void RankAll(const PackedItems& items, const Search& search) {
  CheckLists(items, search);
  std::fill(search.out, search.out + search.users * search.k, -1);
  const ptrdiff_t microRow = items.kernels().microRows;
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

}  // namespace ranking
