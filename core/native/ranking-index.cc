// `createSearch(vectors, dimension, kernels, precision)`: a promise of an exact index, whose `search` takes and gives what
// that of a FAISS index does. The vectors are read in place for as long as it is open; work is done on the libuv pool, but
// for searches so short that being woken takes longer.
#include <napi.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "async-task.h"
#include "ranking-binding.h"
#include "ranking-search.h"
#include "search-request.h"

namespace ranking_binding {
namespace {

using SharedItems = std::shared_ptr<const ranking::PackedItems>;

constexpr char kFailed[] = "RANKING_FAILED";

// Multiplications below which threads of its own cost a search more than they save it.
constexpr double kLeastParallelWork = 1e9;

// Multiplications of a search that is done before a thread of the pool would have been woken for it: a tenth of a millisecond.
constexpr double kMostWorkAtOnce = 4e6;

// Rows are gathered one by one where they are at most this share of all; more are faster in a scan that skips the others.
constexpr ptrdiff_t kGatheredShare = 32;

// What a search may not or may alone return, as the ranking takes it: rising rows without repeats, all of the index.
class Filter {
 public:
  Filter(const SearchRequest& request, ptrdiff_t count) : count_(count) {
    const std::vector<int32_t> common = Rising(request.excluded.begin(), request.excluded.end());
    offsets_.push_back(0);
    for (size_t query = 0; query < request.count; query++) {
      if (request.offsets.empty()) {
        excluded_.insert(excluded_.end(), common.begin(), common.end());
      } else {
        const auto from = request.excludedOf.begin();
        const auto own = Rising(from + request.offsets[query], from + request.offsets[query + 1]);
        std::set_union(common.begin(), common.end(), own.begin(), own.end(), std::back_inserter(excluded_));
      }
      offsets_.push_back(static_cast<int32_t>(excluded_.size()));
    }
    if (request.hasOnly) only_ = Rising(request.only.begin(), request.only.end());
  }

  const std::vector<int32_t>& offsets() const { return offsets_; }
  const std::vector<int32_t>& excluded() const { return excluded_; }
  const std::vector<int32_t>& only() const { return only_; }

  std::vector<uint64_t> OnlyBits() const {
    std::vector<uint64_t> bits(static_cast<size_t>(count_ + 63) / 64, 0);
    for (const int32_t row : only_) bits[row >> 6] |= uint64_t{1} << (row & 63);
    return bits;
  }

 private:
  template <typename Iterator>
  std::vector<int32_t> Rising(Iterator from, Iterator to) const {
    std::vector<int32_t> rows;
    std::copy_if(from, to, std::back_inserter(rows), [this](int32_t row) { return row >= 0 && row < count_; });
    // Most callers have them so.
    if (!std::is_sorted(rows.begin(), rows.end())) std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return rows;
  }

  const ptrdiff_t count_;
  std::vector<int32_t> offsets_, excluded_, only_;
};

int ChooseThreads(double multiplications) {
  return multiplications < kLeastParallelWork ? 1 : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

double CountMultiplications(const ranking::PackedItems& items, const SearchRequest& request) {
  return static_cast<double>(request.count) * items.count() * items.dimension();
}

void RunSearch(const ranking::PackedItems& items, const SearchRequest& request) {
  const Filter filter(request, items.count());
  ranking::Search search{request.queries.data(),
                         static_cast<ptrdiff_t>(request.count),
                         filter.offsets().data(),
                         filter.excluded().data(),
                         static_cast<ptrdiff_t>(filter.excluded().size()),
                         static_cast<ptrdiff_t>(request.k),
                         ChooseThreads(CountMultiplications(items, request)),
                         request.rows,
                         request.scores};
  if (!request.hasOnly) return ranking::RankAll(items, search);
  if (static_cast<ptrdiff_t>(filter.only().size()) <= items.count() / kGatheredShare) {
    return ranking::RankRows(items, search, filter.only());
  }
  const std::vector<uint64_t> bits = filter.OnlyBits();
  search.allowed = bits.data();
  ranking::RankAll(items, search);
}

class ItemSearch : public Napi::ObjectWrap<ItemSearch> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "ItemSearch",
                       {InstanceMethod<&ItemSearch::Search>("search"), InstanceMethod<&ItemSearch::Close>("close"),
                        InstanceAccessor<&ItemSearch::Kernels>("kernels"),
                        InstanceAccessor<&ItemSearch::SizeBytes>("sizeBytes")});
  }

  explicit ItemSearch(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ItemSearch>(info) {
    if (info.Length() != 2 || !info[0].IsExternal() || !info[1].IsTypedArray()) {
      throw CodedMessage(info.Env(), "RANKING_BAD_ARGUMENT", "a search is made by createSearch only");
    }
    items_ = *info[0].As<Napi::External<SharedItems>>().Data();
    vectors_ = Napi::Persistent(info[1].As<Napi::Object>());
    bytes_ = static_cast<int64_t>(items_->sizeBytes());
    Napi::MemoryManagement::AdjustExternalMemory(info.Env(), bytes_);
  }

  void Finalize(Napi::Env env) override { Release(env); }

 private:
  // search(queries: Float32Array, k, options): Promise<{ rows, scores }>
  Napi::Value Search(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return Translate(env, [&]() -> Napi::Value {
      if (!items_) throw BadArgument("the search is closed");
      try {
        SearchRequest request = ReadRequest(info, static_cast<size_t>(items_->dimension()));
        Napi::Object result = CreateResult(env, request);
        // The vectors are read in place: they stay for as long as this search takes.
        Napi::Array pinned = Napi::Array::New(env, 2);
        pinned.Set(uint32_t{0}, result);
        pinned.Set(uint32_t{1}, vectors_.Value());
        const bool isShort = CountMultiplications(*items_, request) <= kMostWorkAtOnce;
        AsyncTask::Job job{pinned, kFailed, [items = items_, request = std::move(request)] { RunSearch(*items, request); },
                           [](Napi::Env, const Napi::Object& filled) { return filled.Get(uint32_t{0}); }};
        return isShort ? AsyncTask::RunNow(env, std::move(job)) : AsyncTask::Start(env, std::move(job));
      } catch (const BadRequest& error) {
        throw CodedError(env, "RANKING_BAD_ARGUMENT", error.what());
      }
    });
  }

  void Close(const Napi::CallbackInfo& info) { Release(info.Env()); }

  void Release(Napi::Env env) {
    if (!items_) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, -bytes_);
    items_.reset();
    vectors_.Reset();
  }

  Napi::Value Kernels(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), items_ ? items_->kernels().name : "");
  }

  Napi::Value SizeBytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(bytes_));
  }

  SharedItems items_;
  Napi::ObjectReference vectors_;
  int64_t bytes_ = 0;
};

ranking::Precision PrecisionArgument(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "int8") return ranking::Precision::kInt8;
  if (name == "float32") return ranking::Precision::kFloat32;
  throw BadArgument("precision must be int8 or float32");
}

}  // namespace

Napi::Function DefineSearch(Napi::Env env) {
  // One for each environment, kept by the function.
  auto constructor = std::make_shared<Napi::FunctionReference>(Napi::Persistent(ItemSearch::Define(env)));
  const auto create = [constructor](const Napi::CallbackInfo& info) -> Napi::Value {
    return Translate(info.Env(), [&]() -> Napi::Value {
      if (info.Length() != 4) throw BadArgument("wanted vectors, dimension, kernels and precision");
      const auto table = TableArguments(info, false);
      const ranking::Kernels& kernels = KernelsArgument(info[2]);
      const ranking::Precision precision = PrecisionArgument(info[3]);
      auto items = std::make_shared<SharedItems>();
      return AsyncTask::Start(
          info.Env(),
          {info[0].As<Napi::Object>(), kFailed,
           [=, &kernels] { *items = std::make_shared<ranking::PackedItems>(table, kernels, precision); },
           [constructor, items](Napi::Env env, const Napi::Object& vectors) -> Napi::Value {
             return constructor->New({Napi::External<SharedItems>::New(env, items.get()), vectors});
           }});
    });
  };
  return Napi::Function::New(env, create, "createSearch");
}

}  // namespace ranking_binding
