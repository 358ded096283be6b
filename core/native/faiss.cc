// A narrow binding of libfaiss (1.7.3 or newer) for maximum-inner-product search. Every call that takes time runs on
// the libuv pool; every C++ exception becomes a rejection whose `code` is FAISS_CLOSED, FAISS_BAD_ARGUMENT or
// FAISS_FAILED. No global state but the per-environment constructor, so that each worker thread may load it.
#include <napi.h>

#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "async-task.h"
#include "faiss-search.h"
#include "search-request.h"

extern "C" void openblas_set_num_threads(int threads);

namespace {

using faiss_binding::ChooseThreads;
using faiss_binding::Fill;
using faiss_binding::Holder;
using faiss_binding::Id;
using faiss_binding::Search;
using faiss_binding::SharedHolder;

constexpr char kFailed[] = "FAISS_FAILED";

Napi::Error BadArgument(Napi::Env env, const std::string& message) {
  return CodedError(env, "FAISS_BAD_ARGUMENT", message);
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
      Fill(*index, data, count);
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
