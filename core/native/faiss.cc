// A narrow binding of libfaiss (1.7.3 or newer) for maximum-inner-product search. Every call that takes time runs on
// the libuv pool; every C++ exception becomes a rejection whose `code` is FAISS_CLOSED, FAISS_BAD_ARGUMENT or
// FAISS_FAILED. No global state but the per-environment constructor, so that each worker thread may load it.
#include <napi.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "async-task.h"
#include "search-request.h"

extern "C" void openblas_set_num_threads(int threads);

namespace {

using Id = faiss::Index::idx_t;

// Multiplications below which one thread does the work (about 0.3 s on one core): libgomp's team would spin at its
// barriers for longer than it saves, the more so on a busy machine.
constexpr double kLeastParallelWork = 1e9;

void ChooseThreads(double multiplications) {
  omp_set_num_threads(multiplications < kLeastParallelWork ? 1 : omp_get_num_procs());
}

struct Holder {
  explicit Holder(std::unique_ptr<faiss::Index> owned) : index(std::move(owned)) {}
  std::unique_ptr<faiss::Index> index;
  // Held shared by searches, alone by searches that must change a setting of the index itself.
  std::shared_mutex settings;
};
using SharedHolder = std::shared_ptr<Holder>;

constexpr char kFailed[] = "FAISS_FAILED";

Napi::Error BadArgument(Napi::Env env, const std::string& message) {
  return CodedError(env, "FAISS_BAD_ARGUMENT", message);
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

// Compares all allowed rows, by what the index makes of their codes.
void SearchOnly(const faiss::Index& index, const SearchRequest& request, Allowed& allowed) {
  std::vector<int32_t> rows = request.only;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  rows.erase(std::remove_if(rows.begin(), rows.end(),
                            [&](int32_t row) { return row < 0 || row >= index.ntotal || !allowed.is_member(row); }),
             rows.end());
  const size_t dimension = index.d;
  std::vector<float> vectors(rows.size() * dimension);
  for (size_t at = 0; at < rows.size(); at++) index.reconstruct(rows[at], vectors.data() + at * dimension);
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

void SearchUnder(faiss::Index& index, const SearchRequest& request) {
  auto* ivf = dynamic_cast<faiss::IndexIVF*>(&index);
  const bool is_filtered = request.IsFiltered();
  Allowed allowed(request, is_filtered ? index.ntotal : 0);
  if (request.hasOnly && ivf == nullptr) return SearchOnly(index, request, allowed);
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

void Search(Holder& holder, const SearchRequest& request) {
  faiss::Index& index = *holder.index;
  ChooseThreads(static_cast<double>(request.count) * index.ntotal * index.d);
  auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(&index);
  if (hnsw != nullptr && request.efSearch > 0) {
    // FAISS 1.7.3 sizes its queue by the index's own efSearch, whatever the search parameters say.
    std::unique_lock<std::shared_mutex> alone(holder.settings);
    const Restored setting(hnsw->hnsw.efSearch, request.efSearch);
    SearchUnder(index, request);
  } else {
    std::shared_lock<std::shared_mutex> together(holder.settings);
    SearchUnder(index, request);
  }
}

// Vectors of which an index learns its lists and codes for each list and each of the 256 codes of a PQ: more teach it no
// more (FAISS itself takes at most 256 for each list).
constexpr Id kTrainingPointsPerList = 64;
constexpr Id kFewestTrainingPoints = 65536;
// Encoded in one go, which takes memory of its own.
constexpr Id kAddedAtOnce = 1 << 16;

// Trains on vectors evenly spread over all.
void Train(faiss::Index& index, const float* vectors, Id count) {
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

class NativeIndex : public Napi::ObjectWrap<NativeIndex> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "FaissIndex",
                       {
                           InstanceAccessor<&NativeIndex::Size>("size"),
                           InstanceAccessor<&NativeIndex::Dimension>("dimension"),
                           InstanceMethod<&NativeIndex::StartSearch>("search"),
                           InstanceMethod<&NativeIndex::SetDefaultBreadth>("setDefaultBreadth"),
                           InstanceMethod<&NativeIndex::StartWrite>("write"),
                           InstanceMethod<&NativeIndex::Close>("close"),
                       });
  }

  explicit NativeIndex(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeIndex>(info) {
    if (info.Length() != 1 || !info[0].IsExternal()) {
      throw BadArgument(info.Env(), "An index is made by build() or read() only.");
    }
    holder_ = *info[0].As<Napi::External<SharedHolder>>().Data();
    bytes_ = holder_->index->ntotal * holder_->index->d * static_cast<int64_t>(sizeof(float));
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
  }

  void Finalize(Napi::Env env) override { Release(env); }

 private:
  Holder& Opened(Napi::Env env) const {
    if (!holder_) throw CodedError(env, "FAISS_CLOSED", "The index is closed.");
    return *holder_;
  }

  void Release(Napi::Env env) {
    if (holder_) Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
    holder_.reset();
  }

  Napi::Value Size(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(Opened(info.Env()).index->ntotal));
  }

  Napi::Value Dimension(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), Opened(info.Env()).index->d);
  }

  // search(queries: Float32Array, k, options): Promise<{ rows, scores }>; options as NativeFaissSearch of faiss-addon.ts
  Napi::Value StartSearch(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    try {
      SearchRequest request = ReadRequest(info, static_cast<size_t>(Opened(env).index->d));
      const Napi::Object result = CreateResult(env, request);
      SharedHolder holder = holder_;
      return AsyncTask::Start(env, {result, kFailed, [holder, request = std::move(request)] { Search(*holder, request); },
                         [](Napi::Env, const Napi::Object& filled) { return filled; }});
    } catch (const BadRequest& error) {
      throw BadArgument(env, error.what());
    }
  }

  // setDefaultBreadth(breadth): what searches use that do not say: nprobe of an IVF index, efSearch of an HNSW index;
  // written with the index.
  Napi::Value SetDefaultBreadth(const Napi::CallbackInfo& info) {
    Holder& holder = Opened(info.Env());
    auto* ivf = dynamic_cast<faiss::IndexIVF*>(holder.index.get());
    auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(holder.index.get());
    const double most = ivf != nullptr ? static_cast<double>(ivf->nlist) : hnsw != nullptr ? 1 << 20 : 0;
    const double breadth = info[0].ToNumber().DoubleValue();
    if (!(breadth >= 1 && breadth <= most)) {
      throw BadArgument(info.Env(), "The breadth must be in [1, " + std::to_string(static_cast<int>(most)) + "].");
    }
    std::unique_lock<std::shared_mutex> alone(holder.settings);
    if (ivf != nullptr) ivf->nprobe = static_cast<size_t>(breadth);
    if (hnsw != nullptr) hnsw->hnsw.efSearch = static_cast<int>(breadth);
    return info.Env().Undefined();
  }

  // write(path): Promise<void>, in FAISS's own format
  Napi::Value StartWrite(const Napi::CallbackInfo& info) {
    Opened(info.Env());
    SharedHolder holder = holder_;
    std::string path = info[0].ToString().Utf8Value();
    const auto write = [holder, path] {
      std::shared_lock<std::shared_mutex> together(holder->settings);
      faiss::write_index(holder->index.get(), path.c_str());
    };
    return AsyncTask::Start(info.Env(), {Napi::Object::New(info.Env()), kFailed, write,
                                         [](Napi::Env env, const Napi::Object&) { return env.Undefined(); }});
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    Release(info.Env());
    return info.Env().Undefined();
  }

  SharedHolder holder_;
  int64_t bytes_ = 0;
};

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    openblas_set_num_threads(1);
    constructor_ = Napi::Persistent(NativeIndex::Define(env));
    DefineAddon(exports, {InstanceMethod("build", &Addon::Build), InstanceMethod("read", &Addon::Read)});
    exports.Set("faissVersion", Napi::String::New(env, std::to_string(FAISS_VERSION_MAJOR) + "." +
                                                           std::to_string(FAISS_VERSION_MINOR) + "." +
                                                           std::to_string(FAISS_VERSION_PATCH)));
  }

 private:
  // build(vectors: Float32Array, dimension, factory): Promise<FaissIndex>; reads `vectors` in place
  Napi::Value Build(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    if (info.Length() != 3 || !info[0].IsTypedArray() ||
        info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
      throw BadArgument(env, "build takes a Float32Array, a dimension and a factory string.");
    }
    auto vectors = info[0].As<Napi::Float32Array>();
    const int dimension = info[1].ToNumber().Int32Value();
    if (dimension < 1 || vectors.ElementLength() == 0 || vectors.ElementLength() % dimension != 0) {
      throw BadArgument(env, "Vectors must be rows of the dimension.");
    }
    const Id count = vectors.ElementLength() / dimension;
    if (count > std::numeric_limits<int32_t>::max()) throw BadArgument(env, "Too many vectors.");
    const float* data = vectors.Data();
    std::string factory = info[2].ToString().Utf8Value();
    auto slot = std::make_shared<SharedHolder>();
    const auto build = [=] {
      ChooseThreads(100.0 * count * dimension);
      std::unique_ptr<faiss::Index> index(
          faiss::index_factory(dimension, factory.c_str(), faiss::METRIC_INNER_PRODUCT));
      Train(*index, data, count);
      for (Id start = 0; start < count; start += kAddedAtOnce) {
        index->add(std::min(kAddedAtOnce, count - start), data + start * dimension);
      }
      *slot = std::make_shared<Holder>(std::move(index));
    };
    return AsyncTask::Start(env, {vectors, kFailed, build, Wrap(slot)});
  }

  // read(path, memoryMapped): Promise<FaissIndex>
  Napi::Value Read(const Napi::CallbackInfo& info) {
    std::string path = info[0].ToString().Utf8Value();
    const int flags = info[1].ToBoolean().Value() ? faiss::IO_FLAG_MMAP | faiss::IO_FLAG_READ_ONLY : 0;
    auto slot = std::make_shared<SharedHolder>();
    const auto read = [=] {
      std::unique_ptr<faiss::Index> index(faiss::read_index(path.c_str(), flags));
      if (index->metric_type != faiss::METRIC_INNER_PRODUCT) {
        throw std::runtime_error("the index in the file does not measure inner products");
      }
      if (!index->is_trained || index->d < 1 || index->ntotal < 1 ||
          index->ntotal > std::numeric_limits<int32_t>::max()) {
        throw std::runtime_error("the index in the file is empty, untrained or too large");
      }
      *slot = std::make_shared<Holder>(std::move(index));
    };
    return AsyncTask::Start(info.Env(), {Napi::Object::New(info.Env()), kFailed, read, Wrap(slot)});
  }

  AsyncTask::Finish Wrap(std::shared_ptr<SharedHolder> slot) {
    return [this, slot](Napi::Env env, const Napi::Object&) -> Napi::Value {
      return constructor_.New({Napi::External<SharedHolder>::New(env, slot.get())});
    };
  }

  Napi::FunctionReference constructor_;
};

}  // namespace

NODE_API_ADDON(Addon)
