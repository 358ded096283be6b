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
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

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

Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

Napi::Error BadArgument(Napi::Env env, const std::string& message) {
  return CodedError(env, "FAISS_BAD_ARGUMENT", message);
}

// Runs `work` on the libuv pool and settles a promise with what `finish` makes of it on the JavaScript thread.
// `pinned` keeps JavaScript memory that `work` reads or writes.
class Task : public Napi::AsyncWorker {
 public:
  using Finish = std::function<Napi::Value(Napi::Env, const Napi::Object&)>;

  static Napi::Promise Start(Napi::Env env, Napi::Object pinned, std::function<void()> work, Finish finish) {
    Task* task = new Task(env, pinned, std::move(work), std::move(finish));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

  void Execute() override {
    try {
      work_();
    } catch (const std::exception& error) {
      failure_ = error.what();
      failed_ = true;
    } catch (...) {
      failure_ = "unknown C++ exception";
      failed_ = true;
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      if (failed_) {
        deferred_.Reject(CodedError(Env(), "FAISS_FAILED", failure_).Value());
      } else {
        Settle();
      }
    } catch (const Napi::Error&) {
      // The worker thread is being terminated: no JavaScript can run, and nobody is left who waits.
    }
  }

 private:
  Task(Napi::Env env, Napi::Object pinned, std::function<void()> work, Finish finish)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        pinned_(Napi::Persistent(pinned)),
        work_(std::move(work)),
        finish_(std::move(finish)) {}

  void Settle() {
    Napi::Value value;
    try {
      value = finish_(Env(), pinned_.Value());
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
      return;
    }
    deferred_.Resolve(value);
  }

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference pinned_;
  std::function<void()> work_;
  Finish finish_;
  std::string failure_;
  bool failed_ = false;
};

struct SearchRequest {
  std::vector<float> queries;
  size_t count = 0;
  size_t k = 0;
  std::vector<int32_t> excluded;
  // Those of query i beside `excluded`: excluded_of[offsets[i] .. offsets[i + 1]); no offsets: none.
  std::vector<int32_t> offsets, excluded_of;
  bool has_only = false;
  std::vector<int32_t> only;
  int nprobe = 0;    // 0: the index's own
  int ef_search = 0; // 0: the index's own
  int32_t* rows = nullptr;
  float* scores = nullptr;
};

// One bit for each row that may be returned.
class Allowed : public faiss::IDSelector {
 public:
  Allowed(const SearchRequest& request, Id count)
      : count_(count), bits_(static_cast<size_t>(count + 63) / 64, request.has_only ? 0 : ~uint64_t{0}) {
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
      const int32_t row = request.excluded_of[at];
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
  const bool is_filtered = request.has_only || !request.excluded.empty() || !request.excluded_of.empty();
  Allowed allowed(request, is_filtered ? index.ntotal : 0);
  if (request.has_only && ivf == nullptr) return SearchOnly(index, request, allowed);
  faiss::SearchParameters plain;
  faiss::SearchParametersIVF lists;
  faiss::SearchParameters* parameters = nullptr;
  if (ivf != nullptr) {
    const size_t wanted = request.nprobe > 0 ? static_cast<size_t>(request.nprobe) : ivf->nprobe;
    lists.nprobe = request.has_only ? ivf->nlist : std::min<size_t>(wanted, ivf->nlist);
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
  if (hnsw != nullptr && request.ef_search > 0) {
    // FAISS 1.7.3 sizes its queue by the index's own efSearch, whatever the search parameters say.
    std::unique_lock<std::shared_mutex> alone(holder.settings);
    const Restored setting(hnsw->hnsw.efSearch, request.ef_search);
    SearchUnder(index, request);
  } else {
    std::shared_lock<std::shared_mutex> together(holder.settings);
    SearchUnder(index, request);
  }
}

class NativeIndex : public Napi::ObjectWrap<NativeIndex> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "FaissIndex",
                       {
                           InstanceAccessor<&NativeIndex::Size>("size"),
                           InstanceAccessor<&NativeIndex::Dimension>("dimension"),
                           InstanceMethod<&NativeIndex::StartSearch>("search"),
                           InstanceMethod<&NativeIndex::SetDefaultNprobe>("setDefaultNprobe"),
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
    const faiss::Index& index = *Opened(env).index;
    SearchRequest request = ReadRequest(info, index);
    const size_t cells = request.count * request.k;
    Napi::Int32Array rows = Napi::Int32Array::New(env, cells);
    Napi::Float32Array scores = Napi::Float32Array::New(env, cells);
    request.rows = rows.Data();
    request.scores = scores.Data();
    Napi::Object result = Napi::Object::New(env);
    result.Set("rows", rows);
    result.Set("scores", scores);
    SharedHolder holder = holder_;
    return Task::Start(
        env, result, [holder, request = std::move(request)] { Search(*holder, request); },
        [](Napi::Env, const Napi::Object& filled) { return filled; });
  }

  static SearchRequest ReadRequest(const Napi::CallbackInfo& info, const faiss::Index& index) {
    Napi::Env env = info.Env();
    if (info.Length() != 3 || !info[0].IsTypedArray() || !info[2].IsObject() ||
        info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
      throw BadArgument(env, "search takes a Float32Array, k and options.");
    }
    auto queries = info[0].As<Napi::Float32Array>();
    auto options = info[2].As<Napi::Object>();
    const double k = info[1].ToNumber().DoubleValue();
    if (queries.ElementLength() == 0 || queries.ElementLength() % index.d != 0) {
      throw BadArgument(env, "Queries must be rows of dimension " + std::to_string(index.d) + ".");
    }
    if (!(k >= 1 && k <= 65536)) throw BadArgument(env, "k must be in [1, 65536].");
    SearchRequest request;
    // Copied, because the caller may transfer or reuse its buffer while the search runs on another thread.
    request.queries.assign(queries.Data(), queries.Data() + queries.ElementLength());
    request.count = queries.ElementLength() / index.d;
    request.k = static_cast<size_t>(k);
    request.excluded = CopyRows(options, "excludeRows");
    request.offsets = CopyRows(options, "offsetsOf");
    request.excluded_of = CopyRows(options, "excludeRowsOf");
    CheckOffsets(env, request);
    request.has_only = !options.Get("onlyRows").IsNull();
    if (request.has_only) request.only = CopyRows(options, "onlyRows");
    request.nprobe = std::max(0, options.Get("nprobe").ToNumber().Int32Value());
    request.ef_search = std::max(0, options.Get("efSearch").ToNumber().Int32Value());
    return request;
  }

  static std::vector<int32_t> CopyRows(const Napi::Object& options, const char* name) {
    const Napi::Value value = options.Get(name);
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
      throw BadArgument(options.Env(), std::string(name) + " must be an Int32Array.");
    }
    auto rows = value.As<Napi::Int32Array>();
    return std::vector<int32_t>(rows.Data(), rows.Data() + rows.ElementLength());
  }

  static void CheckOffsets(Napi::Env env, const SearchRequest& request) {
    const auto& offsets = request.offsets;
    const bool fits = offsets.empty() ? request.excluded_of.empty()
                                      : offsets.size() == request.count + 1 && offsets.front() == 0 &&
                                            static_cast<size_t>(offsets.back()) == request.excluded_of.size() &&
                                            std::is_sorted(offsets.begin(), offsets.end());
    if (!fits) throw BadArgument(env, "offsetsOf must rise from 0 to the length of excludeRowsOf, one for each query.");
  }

  // setDefaultNprobe(nprobe): what searches of an IVF index use that do not say; written with the index.
  Napi::Value SetDefaultNprobe(const Napi::CallbackInfo& info) {
    Holder& holder = Opened(info.Env());
    auto* ivf = dynamic_cast<faiss::IndexIVF*>(holder.index.get());
    const double nprobe = info[0].ToNumber().DoubleValue();
    if (ivf == nullptr || !(nprobe >= 1 && nprobe <= static_cast<double>(ivf->nlist))) {
      throw BadArgument(info.Env(), "nprobe must be in [1, nlist] of an IVF index.");
    }
    std::unique_lock<std::shared_mutex> alone(holder.settings);
    ivf->nprobe = static_cast<size_t>(nprobe);
    return info.Env().Undefined();
  }

  // write(path): Promise<void>, in FAISS's own format
  Napi::Value StartWrite(const Napi::CallbackInfo& info) {
    Opened(info.Env());
    SharedHolder holder = holder_;
    std::string path = info[0].ToString().Utf8Value();
    return Task::Start(
        info.Env(), Napi::Object::New(info.Env()),
        [holder, path] {
          std::shared_lock<std::shared_mutex> together(holder->settings);
          faiss::write_index(holder->index.get(), path.c_str());
        },
        [](Napi::Env env, const Napi::Object&) { return env.Undefined(); });
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
    return Task::Start(
        env, vectors,
        [=] {
          ChooseThreads(100.0 * count * dimension);
          std::unique_ptr<faiss::Index> index(
              faiss::index_factory(dimension, factory.c_str(), faiss::METRIC_INNER_PRODUCT));
          index->train(count, data);
          index->add(count, data);
          *slot = std::make_shared<Holder>(std::move(index));
        },
        Wrap(slot));
  }

  // read(path, memoryMapped): Promise<FaissIndex>
  Napi::Value Read(const Napi::CallbackInfo& info) {
    std::string path = info[0].ToString().Utf8Value();
    const int flags = info[1].ToBoolean().Value() ? faiss::IO_FLAG_MMAP | faiss::IO_FLAG_READ_ONLY : 0;
    auto slot = std::make_shared<SharedHolder>();
    return Task::Start(
        info.Env(), Napi::Object::New(info.Env()),
        [=] {
          std::unique_ptr<faiss::Index> index(faiss::read_index(path.c_str(), flags));
          if (index->metric_type != faiss::METRIC_INNER_PRODUCT) {
            throw std::runtime_error("the index in the file does not measure inner products");
          }
          if (!index->is_trained || index->d < 1 || index->ntotal < 1 ||
              index->ntotal > std::numeric_limits<int32_t>::max()) {
            throw std::runtime_error("the index in the file is empty, untrained or too large");
          }
          *slot = std::make_shared<Holder>(std::move(index));
        },
        Wrap(slot));
  }

  Task::Finish Wrap(std::shared_ptr<SharedHolder> slot) {
    return [this, slot](Napi::Env env, const Napi::Object&) -> Napi::Value {
      return constructor_.New({Napi::External<SharedHolder>::New(env, slot.get())});
    };
  }

  Napi::FunctionReference constructor_;
};

}  // namespace

NODE_API_ADDON(Addon)
