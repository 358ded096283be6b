// What the two halves of the addon `ranking` share: its arguments and its errors, whose `code` is RANKING_BAD_ARGUMENT or
// RANKING_FAILED.
#pragma once

#include <napi.h>

#include <cmath>
#include <string>

#include "async-task.h"
#include "ranking-search.h"

namespace ranking_binding {

using ranking::BadArgument;

// ranking-index.cc: the function `createSearch`.
Napi::Function DefineSearch(Napi::Env env);

inline Napi::Error CodedMessage(Napi::Env env, const char* code, const std::string& message) {
  return CodedError(env, code, message + ".");
}

template <typename Work>
auto Translate(Napi::Env env, Work work) {
  try {
    return work();
  } catch (const Napi::Error&) {
    throw;
  } catch (const BadArgument& error) {
    throw CodedMessage(env, "RANKING_BAD_ARGUMENT", error.what());
  } catch (const std::exception& error) {
    throw CodedMessage(env, "RANKING_FAILED", error.what());
  }
}

inline ptrdiff_t WholeArgument(const Napi::Value& value, const char* name, int most) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number >= 1 && number <= most) || number != std::floor(number)) {
    throw BadArgument(std::string(name) + " must be a whole number in [1, " + std::to_string(most) + "]");
  }
  return static_cast<ptrdiff_t>(number);
}

template <typename Array>
Array ArrayArgument(const Napi::Value& value, const char* name, napi_typedarray_type type) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw BadArgument(std::string(name) + " is not the right typed array");
  }
  return value.As<Array>();
}

// The first two arguments: itemVectors and their dimension.
inline ranking::PackedItems::Table TableArguments(const Napi::CallbackInfo& info, bool isCopied) {
  const auto vectors = ArrayArgument<Napi::Float32Array>(info[0], "itemVectors", napi_float32_array);
  const ptrdiff_t dimension = WholeArgument(info[1], "dimension", 65536);
  const ptrdiff_t values = static_cast<ptrdiff_t>(vectors.ElementLength());
  if (values % dimension != 0) {
    throw BadArgument("itemVectors has " + std::to_string(values) + " values, wanted whole vectors of " +
                      std::to_string(dimension));
  }
  return {vectors.Data(), values / dimension, dimension, isCopied};
}

inline const ranking::Kernels& KernelsArgument(const Napi::Value& value) {
  if (!value.IsString()) throw BadArgument("kernels must be a string");
  const std::string name = value.As<Napi::String>().Utf8Value();
  const ranking::Kernels* kernels = ranking::FindKernels(name.c_str());
  if (!kernels) throw BadArgument("this machine does not run the kernels " + name);
  return *kernels;
}

}  // namespace ranking_binding
