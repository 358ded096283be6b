#include "ranking-search.h"

#include "ranking-memory.h"
#include "ranking-user.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace ranking {

namespace {

// Micro-rows of users that share a panel while it is in the first cache.
constexpr ptrdiff_t kBlockMicroRows = 16;

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
        if (isCoded_) user.ScoreAtOnce();
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
