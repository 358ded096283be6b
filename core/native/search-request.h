// The arguments of a search of an index, the same for every addon with one: (queries, k, options), as NativeSearch of
// core/src/native-search.ts. They are copied, because the caller may transfer or reuse its buffers while the search runs
// on another thread.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

struct SearchRequest {
  std::vector<float> queries;
  size_t count = 0;
  size_t k = 0;
  std::vector<int32_t> excluded;
  // Those of query i beside `excluded`: excludedOf[offsets[i] .. offsets[i + 1]); no offsets: none.
  std::vector<int32_t> offsets, excludedOf;
  bool hasOnly = false;
  std::vector<int32_t> only;
  int nprobe = 0;    // 0: the index's own
  int efSearch = 0;  // 0: the index's own
  // Out, [count, k].
  int32_t* rows = nullptr;
  float* scores = nullptr;

  bool IsFiltered() const { return hasOnly || !excluded.empty() || !excludedOf.empty(); }
};

// What the request asks for is refused.
struct BadRequest : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

inline std::vector<int32_t> CopyRows(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw BadRequest(std::string(name) + " must be an Int32Array.");
  }
  auto rows = value.As<Napi::Int32Array>();
  return std::vector<int32_t>(rows.Data(), rows.Data() + rows.ElementLength());
}

inline void CheckOffsets(const SearchRequest& request) {
  const auto& offsets = request.offsets;
  const bool fits = offsets.empty() ? request.excludedOf.empty()
                                    : offsets.size() == request.count + 1 && offsets.front() == 0 &&
                                          static_cast<size_t>(offsets.back()) == request.excludedOf.size() &&
                                          std::is_sorted(offsets.begin(), offsets.end());
  if (!fits) throw BadRequest("offsetsOf must rise from 0 to the length of excludeRowsOf, one for each query.");
}

// @throws BadRequest
inline SearchRequest ReadRequest(const Napi::CallbackInfo& info, size_t dimension) {
  if (info.Length() != 3 || !info[0].IsTypedArray() || !info[2].IsObject() ||
      info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array) {
    throw BadRequest("search takes a Float32Array, k and options.");
  }
  auto queries = info[0].As<Napi::Float32Array>();
  auto options = info[2].As<Napi::Object>();
  const double k = info[1].ToNumber().DoubleValue();
  if (queries.ElementLength() == 0 || queries.ElementLength() % dimension != 0) {
    throw BadRequest("Queries must be rows of dimension " + std::to_string(dimension) + ".");
  }
  if (!(k >= 1 && k <= 65536)) throw BadRequest("k must be in [1, 65536].");
  SearchRequest request;
  request.queries.assign(queries.Data(), queries.Data() + queries.ElementLength());
  request.count = queries.ElementLength() / dimension;
  request.k = static_cast<size_t>(k);
  request.excluded = CopyRows(options, "excludeRows");
  request.offsets = CopyRows(options, "offsetsOf");
  request.excludedOf = CopyRows(options, "excludeRowsOf");
  CheckOffsets(request);
  request.hasOnly = !options.Get("onlyRows").IsNull();
  if (request.hasOnly) request.only = CopyRows(options, "onlyRows");
  request.nprobe = std::max(0, options.Get("nprobe").ToNumber().Int32Value());
  request.efSearch = std::max(0, options.Get("efSearch").ToNumber().Int32Value());
  return request;
}

// The object that the promise of a search gives; the request writes into it.
inline Napi::Object CreateResult(Napi::Env env, SearchRequest& request) {
  const size_t cells = request.count * request.k;
  Napi::Int32Array rows = Napi::Int32Array::New(env, cells);
  Napi::Float32Array scores = Napi::Float32Array::New(env, cells);
  request.rows = rows.Data();
  request.scores = scores.Data();
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", rows);
  result.Set("scores", scores);
  return result;
}
