// The addon `ranking`: `new PackedItems(vectors, dimension, kernels)` and its `rank` (at once, for worker threads) and
// `rankAsync` (on the libuv pool), and `createSearch` (ranking-index.cc). Errors have the `code` RANKING_BAD_ARGUMENT or RANKING_FAILED. What a promise works on
// is copied, so that nothing that JavaScript does meanwhile matters. No global state: any thread may load it.
#include <napi.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "ranking-binding.h"
#include "ranking-search.h"

namespace {

using ranking::BadArgument;
using ranking_binding::ArrayArgument;
using ranking_binding::CodedMessage;
using ranking_binding::KernelsArgument;
using ranking_binding::TableArguments;
using ranking_binding::Translate;
using ranking_binding::WholeArgument;

// The arguments of a ranking, and its result. The search points at the arguments.
struct Call {
  Napi::Float32Array userVectors;
  Napi::Int32Array excludedOffsets, excludedItems;
  ranking::Search search;
};

Call ReadCall(const Napi::CallbackInfo& info, ptrdiff_t dimension) {
  if (info.Length() != 5) throw BadArgument("wanted five arguments, got " + std::to_string(info.Length()));
  Call call{ArrayArgument<Napi::Float32Array>(info[0], "userVectors", napi_float32_array),
            ArrayArgument<Napi::Int32Array>(info[1], "excludedOffsets", napi_int32_array),
            ArrayArgument<Napi::Int32Array>(info[2], "excludedItems", napi_int32_array),
            {}};
  const size_t values = call.userVectors.ElementLength(), users = values / static_cast<size_t>(dimension);
  if (values % static_cast<size_t>(dimension) != 0) {
    throw BadArgument("userVectors has " + std::to_string(values) + " values, wanted whole vectors of " +
                      std::to_string(dimension));
  }
  if (call.excludedOffsets.ElementLength() != users + 1) {
    throw BadArgument("excludedOffsets has " + std::to_string(call.excludedOffsets.ElementLength()) +
                      " values, wanted " + std::to_string(users + 1));
  }
  const ptrdiff_t k = WholeArgument(info[3], "count", 1e6), threads = WholeArgument(info[4], "threads", 256);
  if (static_cast<double>(users) * static_cast<double>(k) > 1e9) throw BadArgument("more than 1e9 rows are asked for");
  call.search = {call.userVectors.Data(),
                 static_cast<ptrdiff_t>(users),
                 call.excludedOffsets.Data(),
                 call.excludedItems.Data(),
                 static_cast<ptrdiff_t>(call.excludedItems.ElementLength()),
                 k,
                 static_cast<int>(threads),
                 nullptr};
  return call;
}

using SharedItems = std::shared_ptr<const ranking::PackedItems>;

class RankTask : public Napi::AsyncWorker {
 public:
  static Napi::Value Start(Napi::Env env, SharedItems items, const ranking::Search& search) {
    RankTask* task = new RankTask(env, std::move(items), search);
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

  void Execute() override {
    try {
      search_.userVectors = userVectors_.data();
      search_.excludedOffsets = excludedOffsets_.data();
      search_.excludedItems = excludedItems_.data();
      rows_.resize(static_cast<size_t>(search_.users * search_.k));
      search_.out = rows_.data();
      ranking::RankAll(*items_, search_);
    } catch (const BadArgument& error) {
      Fail("RANKING_BAD_ARGUMENT", error.what());
    } catch (const std::exception& error) {
      Fail("RANKING_FAILED", error.what());
    } catch (...) {
      Fail("RANKING_FAILED", "unknown C++ exception");
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      if (code_) return deferred_.Reject(CodedMessage(Env(), code_, message_).Value());
      Napi::Int32Array rows = Napi::Int32Array::New(Env(), rows_.size());
      std::copy(rows_.begin(), rows_.end(), rows.Data());
      deferred_.Resolve(rows);
    } catch (const Napi::Error&) {
      // The worker thread is being terminated: nobody is left who waits.
    }
  }

 private:
  RankTask(Napi::Env env, SharedItems items, const ranking::Search& search)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        items_(std::move(items)),
        search_(search),
        userVectors_(search.userVectors, search.userVectors + search.users * items_->dimension()),
        excludedOffsets_(search.excludedOffsets, search.excludedOffsets + search.users + 1),
        excludedItems_(search.excludedItems, search.excludedItems + search.excludedCount) {}

  void Fail(const char* code, std::string message) {
    code_ = code;
    message_ = std::move(message);
  }

  Napi::Promise::Deferred deferred_;
  SharedItems items_;
  ranking::Search search_;
  std::vector<float> userVectors_;
  std::vector<int32_t> excludedOffsets_, excludedItems_, rows_;
  const char* code_ = nullptr;
  std::string message_;
};

class PackedItems : public Napi::ObjectWrap<PackedItems> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "PackedItems",
                       {InstanceMethod("rank", &PackedItems::Rank), InstanceMethod("rankAsync", &PackedItems::RankAsync),
                        InstanceMethod("close", &PackedItems::Close),
                        InstanceAccessor<&PackedItems::Kernels>("kernels"),
                        InstanceAccessor<&PackedItems::SizeBytes>("sizeBytes")});
  }

  explicit PackedItems(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PackedItems>(info) {
    Translate(info.Env(), [&] {
      if (info.Length() != 3) throw BadArgument("wanted vectors, dimension and kernels");
      items_ = std::make_shared<ranking::PackedItems>(TableArguments(info, true), KernelsArgument(info[2]),
                                                      ranking::Precision::kFloat32);
      Napi::MemoryManagement::AdjustExternalMemory(info.Env(), static_cast<int64_t>(items_->sizeBytes()));
    });
  }

  void Finalize(Napi::Env env) override { Release(env); }

 private:
  // Finalisers wait for the event loop to turn, which a loop over many rankings may not let it do. Tasks under way keep
  // their own share of the items.
  void Close(const Napi::CallbackInfo& info) { Release(info.Env()); }

  void Release(Napi::Env env) {
    if (!items_) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, -static_cast<int64_t>(items_->sizeBytes()));
    items_.reset();
  }

  void RequireOpen() const {
    if (!items_) throw BadArgument("the items are closed");
  }

  Napi::Value Rank(const Napi::CallbackInfo& info) {
    return Translate(info.Env(), [&]() -> Napi::Value {
      RequireOpen();
      Call call = ReadCall(info, items_->dimension());
      Napi::Int32Array rows =
          Napi::Int32Array::New(info.Env(), static_cast<size_t>(call.search.users * call.search.k));
      call.search.out = rows.Data();
      ranking::RankAll(*items_, call.search);
      return rows;
    });
  }

  Napi::Value RankAsync(const Napi::CallbackInfo& info) {
    return Translate(info.Env(), [&] {
      RequireOpen();
      return RankTask::Start(info.Env(), items_, ReadCall(info, items_->dimension()).search);
    });
  }

  Napi::Value Kernels(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), items_ ? items_->kernels().name : "");
  }

  Napi::Value SizeBytes(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), items_ ? items_->sizeBytes() : 0);
  }

  SharedItems items_;
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  const Napi::Array names = Napi::Array::New(env);
  for (const char* name : {"avx512", "avx2", "baseline"}) {
    if (ranking::FindKernels(name)) names.Set(names.Length(), name);
  }
  exports.Set("kernelNames", names);
  exports.Set("PackedItems", PackedItems::Define(env));
  exports.Set("createSearch", ranking_binding::DefineSearch(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(ranking, Init)
