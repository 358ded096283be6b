// The search of one user among the items that the kernels let pass.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "ranking-memory.h"
#include "ranking-search.h"

namespace ranking {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Candidate {
  double score;
  int32_t row;
};

inline bool RanksBefore(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

// The inner products in float64, added in index order: every product of two float32 is exact, so that a fused
// multiply-add gives the same bits as this loop in any language. Four at a time to hide the latency of the sums.
inline void ScoreExactly(const PackedItems& items, const float* user, Candidate* candidates, size_t count) {
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
    isScored_ = false;
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

  // Candidates will be scored before they are kept: OfferUnscored alone brings them.
  void ScoreAtOnce() { isScored_ = true; }

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
    if (isScored_) {
      std::nth_element(candidates_.begin(), kth, candidates_.end(), RanksBefore);
      candidates_.resize(k_);
      return RaiseFloor(candidates_.back().score);
    }
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
    if (!isScored_) ScoreExactly(*items_, vector_, candidates_.data(), candidates_.size());
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
  bool isNull_ = false, needsPlainLoop_ = false, isScored_ = false;
};

}  // namespace ranking
