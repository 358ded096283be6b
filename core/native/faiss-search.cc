#include "faiss-search.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/invlists/DirectMap.h>
#include <faiss/invlists/InvertedLists.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <mutex>
#include <vector>

namespace faiss_binding {
namespace {

// Multiplications below which one thread does the work (about 0.3 s on one core): libgomp's team would spin at its
// barriers for longer than it saves, the more so on a busy machine.
constexpr double kLeastParallelWork = 1e9;

// Vectors of which an index learns its lists and codes for each list and each of the 256 codes of a PQ: more teach it no
// more (FAISS itself takes at most 256 for each list).
constexpr Id kTrainingPointsPerList = 40;
constexpr Id kFewestTrainingPoints = 65536;
// Encoded in one go, which takes memory of its own.
constexpr Id kAddedAtOnce = 1 << 16;

// Trains on vectors evenly spread over all.
void TrainOnSample(faiss::Index& index, const float* vectors, Id count) {
  const auto* ivf = dynamic_cast<const faiss::IndexIVF*>(&index);
  const Id lists = ivf == nullptr ? 0 : static_cast<Id>(ivf->nlist);
  const Id wanted = std::max(kFewestTrainingPoints, kTrainingPointsPerList * lists);
  if (wanted >= count) return index.train(count, vectors);
  std::vector<float> sample(static_cast<size_t>(wanted) * index.d);
  for (Id at = 0; at < wanted; at++) {
    const float* from = vectors + at * count / wanted * index.d;
    std::copy(from, from + index.d, sample.begin() + at * index.d);
  }
  index.train(wanted, sample.data());
}

// One bit for each row that may be returned.
class Allowed : public faiss::IDSelector {
 public:
  Allowed(const SearchRequest& request, Id count)
      : count_(count), bits_(static_cast<size_t>(count + 63) / 64, request.hasOnly ? 0 : ~uint64_t{0}) {
    for (const int32_t row : request.only) {
      if (IsRow(row)) bits_[row >> 6] |= uint64_t{1} << (row & 63);
    }
    for (const int32_t row : request.excluded) Drop(row);
  }

  bool is_member(Id row) const final { return bits_[row >> 6] >> (row & 63) & 1; }

  // Whether the row was allowed before.
  bool Drop(int32_t row) {
    if (!IsRow(row) || !is_member(row)) return false;
    bits_[row >> 6] &= ~(uint64_t{1} << (row & 63));
    return true;
  }

  void Restore(int32_t row) { bits_[row >> 6] |= uint64_t{1} << (row & 63); }

 private:
  bool IsRow(int32_t row) const { return row >= 0 && row < count_; }

  const Id count_;
  std::vector<uint64_t> bits_;
};

// What one query may not return beside the rest of its call, for as long as this lives.
class Dropped {
 public:
  Dropped(Allowed& allowed, const SearchRequest& request, size_t query) : allowed_(allowed) {
    if (request.offsets.empty()) return;
    for (int32_t at = request.offsets[query]; at < request.offsets[query + 1]; at++) {
      const int32_t row = request.excludedOf[at];
      if (allowed.Drop(row)) rows_.push_back(row);
    }
  }
  ~Dropped() {
    for (const int32_t row : rows_) allowed_.Restore(row);
  }
  Dropped(const Dropped&) = delete;

 private:
  Allowed& allowed_;
  std::vector<int32_t> rows_;
};

// Sets a value and puts the old one back, exceptions included.
struct Restored {
  Restored(int& place, int value) : place(place), old(place) { place = value; }
  ~Restored() { place = old; }
  int& place;
  int old;
};

struct Found {
  std::vector<Id> labels;
  std::vector<float> scores;
};

Found SearchPlainly(const faiss::Index& index, const float* queries, size_t count, size_t fetched,
                    const faiss::SearchParameters* parameters) {
  Found found{std::vector<Id>(count * fetched, -1), std::vector<float>(count * fetched)};
  index.search(count, queries, fetched, found.scores.data(), found.labels.data(), parameters);
  return found;
}

// Copies the best k allowed rows of the `fetched` found, and fills up.
void Store(const SearchRequest& request, size_t query, const Id* labels, const float* scores, size_t fetched,
           const Allowed* allowed) {
  int32_t* rows_out = request.rows + query * request.k;
  float* scores_out = request.scores + query * request.k;
  size_t rank = 0;
  for (size_t from = 0; from < fetched && rank < request.k; from++) {
    if (labels[from] < 0 || (allowed != nullptr && !allowed->is_member(labels[from]))) continue;
    rows_out[rank] = static_cast<int32_t>(labels[from]);
    scores_out[rank] = scores[from];
    rank++;
  }
  std::fill(rows_out + rank, rows_out + request.k, -1);
  std::fill(scores_out + rank, scores_out + request.k, -std::numeric_limits<float>::infinity());
}

void FindPlaces(const faiss::IndexIVF& ivf, std::vector<uint64_t>& places) {
  places.resize(static_cast<size_t>(ivf.ntotal));
  for (size_t list = 0; list < ivf.nlist; list++) {
    const faiss::InvertedLists::ScopedIds rows(ivf.invlists, list);
    for (size_t at = 0; at < ivf.invlists->list_size(list); at++) places[rows[at]] = faiss::lo_build(list, at);
  }
}

// The vectors of the rows, as the index's codes have them.
std::vector<float> Reconstruct(Holder& holder, const std::vector<int32_t>& rows) {
  const faiss::Index& index = *holder.index;
  const size_t dimension = index.d;
  std::vector<float> vectors(rows.size() * dimension);
  const auto* ivf = dynamic_cast<const faiss::IndexIVF*>(&index);
  if (ivf != nullptr) std::call_once(holder.placesMade, [&] { FindPlaces(*ivf, holder.places); });
  for (size_t at = 0; at < rows.size(); at++) {
    float* to = vectors.data() + at * dimension;
    if (ivf == nullptr) {
      index.reconstruct(rows[at], to);
    } else {
      const uint64_t place = holder.places[rows[at]];
      ivf->reconstruct_from_offset(faiss::lo_listno(place), faiss::lo_offset(place), to);
    }
  }
  return vectors;
}

// An IVF index compares more rows than this share of all faster list by list.
constexpr size_t kGatheredShare = 16;

// Compares all allowed rows, by what the index makes of their codes.
void SearchOnly(Holder& holder, const SearchRequest& request, Allowed& allowed) {
  const faiss::Index& index = *holder.index;
  std::vector<int32_t> rows = request.only;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  rows.erase(std::remove_if(rows.begin(), rows.end(),
                            [&](int32_t row) { return row < 0 || row >= index.ntotal || !allowed.is_member(row); }),
             rows.end());
  const size_t dimension = index.d;
  const std::vector<float> vectors = Reconstruct(holder, rows);
  faiss::IndexFlatIP subset(index.d);
  subset.add(rows.size(), vectors.data());
  // So many more are fetched that those which a query may not return can be dropped afterwards.
  for (size_t query = 0; query < request.count; query++) {
    const Dropped own(allowed, request, query);
    const size_t own_count =
        request.offsets.empty() ? 0 : static_cast<size_t>(request.offsets[query + 1] - request.offsets[query]);
    const size_t fetched = std::min(request.k + own_count, rows.size());
    if (fetched == 0) {
      Store(request, query, nullptr, nullptr, 0, nullptr);
      continue;
    }
    Found found = SearchPlainly(subset, request.queries.data() + query * dimension, 1, fetched, nullptr);
    for (Id& label : found.labels) label = label < 0 ? label : rows[label];
    Store(request, query, found.labels.data(), found.scores.data(), fetched, &allowed);
  }
}

// Rows that queries of one call may not return: up to so many are fetched with the others and dropped, so that FAISS
// gets all queries at once.
constexpr size_t kMostFetchedToDrop = 512;

size_t MostExcludedOf(const SearchRequest& request) {
  size_t most = 0;
  for (size_t query = 0; query + 1 < request.offsets.size(); query++) {
    most = std::max(most, static_cast<size_t>(request.offsets[query + 1] - request.offsets[query]));
  }
  return most;
}

void SearchFiltered(const faiss::Index& index, const SearchRequest& request, Allowed& allowed,
                    const faiss::SearchParameters* parameters) {
  const size_t own_most = MostExcludedOf(request);
  const size_t common = parameters != nullptr ? 0 : request.excluded.size();
  if (own_most <= kMostFetchedToDrop || parameters == nullptr) {
    const size_t fetched = std::min<size_t>(request.k + common + own_most, index.ntotal);
    const Found found = SearchPlainly(index, request.queries.data(), request.count, fetched, parameters);
    for (size_t query = 0; query < request.count; query++) {
      const Dropped own(allowed, request, query);
      const size_t from = query * fetched;
      Store(request, query, found.labels.data() + from, found.scores.data() + from, fetched, &allowed);
    }
    return;
  }
  const size_t fetched = std::min<size_t>(request.k, index.ntotal);
  for (size_t query = 0; query < request.count; query++) {
    const Dropped own(allowed, request, query);
    const Found found = SearchPlainly(index, request.queries.data() + query * index.d, 1, fetched, parameters);
    Store(request, query, found.labels.data(), found.scores.data(), fetched, nullptr);
  }
}

void SearchUnder(Holder& holder, const SearchRequest& request) {
  faiss::Index& index = *holder.index;
  auto* ivf = dynamic_cast<faiss::IndexIVF*>(&index);
  const bool is_filtered = request.IsFiltered();
  Allowed allowed(request, is_filtered ? index.ntotal : 0);
  const bool are_few = request.only.size() <= static_cast<size_t>(index.ntotal) / kGatheredShare;
  if (request.hasOnly && (ivf == nullptr || are_few)) return SearchOnly(holder, request, allowed);
  faiss::SearchParameters plain;
  faiss::SearchParametersIVF lists;
  faiss::SearchParameters* parameters = nullptr;
  if (ivf != nullptr) {
    const size_t wanted = request.nprobe > 0 ? static_cast<size_t>(request.nprobe) : ivf->nprobe;
    lists.nprobe = request.hasOnly ? ivf->nlist : std::min<size_t>(wanted, ivf->nlist);
    parameters = &lists;
  } else if (dynamic_cast<faiss::IndexFlat*>(&index) != nullptr) {
    parameters = &plain;
  }
  if (is_filtered) {
    if (parameters != nullptr) parameters->sel = &allowed;
    return SearchFiltered(index, request, allowed, parameters);
  }
  const size_t fetched = std::min<size_t>(request.k, index.ntotal);
  const Found found = SearchPlainly(index, request.queries.data(), request.count, fetched, parameters);
  for (size_t query = 0; query < request.count; query++) {
    const size_t from = query * fetched;
    Store(request, query, found.labels.data() + from, found.scores.data() + from, fetched, nullptr);
  }
}

}  // namespace

void ChooseThreads(double multiplications) {
  omp_set_num_threads(multiplications < kLeastParallelWork ? 1 : omp_get_num_procs());
}

void Fill(faiss::Index& index, const float* vectors, Id count) {
  TrainOnSample(index, vectors, count);
  for (Id start = 0; start < count; start += kAddedAtOnce) {
    index.add(std::min(kAddedAtOnce, count - start), vectors + start * index.d);
  }
}

void Search(Holder& holder, const SearchRequest& request) {
  faiss::Index& index = *holder.index;
  ChooseThreads(static_cast<double>(request.count) * index.ntotal * index.d);
  auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(&index);
  if (hnsw != nullptr && request.efSearch > 0) {
    // FAISS 1.7.3 sizes its queue by the index's own efSearch, whatever the search parameters say.
    std::unique_lock<std::shared_mutex> alone(holder.settings);
    const Restored setting(hnsw->hnsw.efSearch, request.efSearch);
    SearchUnder(holder, request);
  } else {
    std::shared_lock<std::shared_mutex> together(holder.settings);
    SearchUnder(holder, request);
  }
}

}  // namespace faiss_binding
