// Dense and sparse linear algebra for the models. Every call takes one object of named arguments, checks it, works on the
// libuv pool (with as many threads as asked for) and returns a promise; a failure has the `code` LINEAR_BAD_ARGUMENT,
// LINEAR_NOT_POSITIVE, LINEAR_CANCELLED or LINEAR_FAILED. Arrays are read and written in place. No global state: any thread may load it.
#include <napi.h>

#include "linear-models.h"

namespace {

using linear::Algebra;

Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

struct BadArgument : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

class Task : public Napi::AsyncWorker {
 public:
  // `pinned` keeps the arrays that `work` reads and writes.
  static Napi::Value Start(Napi::Object pinned, std::function<double()> work) {
    Task* task = new Task(pinned, std::move(work));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

  void Execute() override {
    try {
      value_ = work_();
    } catch (const linear::NotPositive& error) {
      Fail("LINEAR_NOT_POSITIVE", error.what());
    } catch (const linear::Cancelled& error) {
      Fail("LINEAR_CANCELLED", error.what());
    } catch (const BadArgument& error) {
      Fail("LINEAR_BAD_ARGUMENT", error.what());
    } catch (const std::exception& error) {
      Fail("LINEAR_FAILED", error.what());
    } catch (...) {
      Fail("LINEAR_FAILED", "unknown C++ exception");
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      if (code_) {
        deferred_.Reject(CodedError(Env(), code_, message_).Value());
      } else {
        deferred_.Resolve(Napi::Number::New(Env(), value_));
      }
    } catch (const Napi::Error&) {
      // The worker thread is being terminated: nobody is left who waits.
    }
  }

 private:
  Task(Napi::Object pinned, std::function<double()> work)
      : Napi::AsyncWorker(pinned.Env()),
        deferred_(Napi::Promise::Deferred::New(pinned.Env())),
        pinned_(Napi::Persistent(pinned)),
        work_(std::move(work)) {}

  void Fail(const char* code, std::string message) {
    code_ = code;
    message_ = std::move(message);
  }

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference pinned_;
  std::function<double()> work_;
  double value_ = 0;
  const char* code_ = nullptr;
  std::string message_;
};

template <typename T>
struct Span {
  T* data = nullptr;
  ptrdiff_t size = 0;
};

// Named arguments of one call. What it hands out stays valid while `pinned` lives: the arrays are held one by one, so
// that a later change of the argument object does not free them.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : env_(info.Env()), pinned_(Napi::Object::New(info.Env())) {
    if (info.Length() != 1 || !info[0].IsObject()) throw Bad("wanted one object of arguments");
    object_ = info[0].As<Napi::Object>();
  }

  Napi::Object pinned() const { return pinned_; }

  double Number(const char* name) {
    const Napi::Value value = object_.Get(name);
    if (!value.IsNumber()) throw Bad(std::string(name) + " must be a number");
    const double number = value.As<Napi::Number>().DoubleValue();
    if (!std::isfinite(number)) throw Bad(std::string(name) + " must be finite");
    return number;
  }

  double NumberOr(const char* name, double standard) {
    return object_.Get(name).IsUndefined() ? standard : Number(name);
  }

  ptrdiff_t Whole(const char* name, double least, double most = 2147483647) {
    const double number = Number(name);
    if (!(number >= least && number <= most) || number != std::floor(number)) {
      throw Bad(std::string(name) + " must be a whole number in [" + std::to_string(least) + ", " +
                std::to_string(most) + "]");
    }
    return static_cast<ptrdiff_t>(number);
  }

  bool Flag(const char* name) { return object_.Get(name).ToBoolean().Value(); }

  Span<float> Floats(const char* name, double wanted) {
    return Array<Napi::Float32Array, float>(name, wanted, napi_float32_array);
  }

  Span<int32_t> Ints(const char* name, double wanted) {
    return Array<Napi::Int32Array, int32_t>(name, wanted, napi_int32_array);
  }

  bool IsNull(const char* name) { return object_.Get(name).IsNull(); }

  bool IsThere(const char* name) { return !object_.Get(name).IsUndefined(); }

  Algebra Threads(const int32_t* cancel = nullptr) {
    return Algebra(kernels(), static_cast<int>(Whole("threads", 1, 256)), cancel);
  }

  // The best kernels, or those of the name in `kernels`, so that tests can try all that this machine runs.
  const linear::Kernels& kernels() {
    const Napi::Value value = object_.Get("kernels");
    const linear::Kernels& best = linear::BestKernels();
    if (!value.IsString()) return best;
    const std::string name = value.As<Napi::String>().Utf8Value();
    if (name == linear::kBaseline.name) return linear::kBaseline;
#if defined(__x86_64__)
    if (name == linear::kAvx2.name && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      return linear::kAvx2;
    }
#endif
    if (name != best.name) throw Bad("this machine does not run the kernels " + name);
    return best;
  }

  Napi::Error Bad(const std::string& message) const { return CodedError(env_, "LINEAR_BAD_ARGUMENT", message + "."); }

 private:
  // A negative `wanted` takes any length.
  template <typename Kind, typename T>
  Span<T> Array(const char* name, double wanted, napi_typedarray_type type) {
    const Napi::Value value = object_.Get(name);
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
      throw Bad(std::string(name) + " is not the right typed array");
    }
    Kind array = value.As<Kind>();
    if (wanted >= 0 && static_cast<double>(array.ElementLength()) != wanted) {
      throw Bad(std::string(name) + " has " + std::to_string(array.ElementLength()) + " values, wanted " +
                std::to_string(wanted));
    }
    pinned_.Set(name, array);
    return {array.Data(), static_cast<ptrdiff_t>(array.ElementLength())};
  }

  Napi::Env env_;
  Napi::Object pinned_;
  Napi::Object object_;
};

// Offsets that start at 0, never fall and end at the number of entries; indices in [0, bound).
void CheckLists(Span<int32_t> offsets, Span<int32_t> indices, ptrdiff_t bound, const char* name) {
  if (offsets.size < 1 || offsets.data[0] != 0 || offsets.data[offsets.size - 1] != indices.size) {
    throw BadArgument(std::string(name) + ": offsets must start at 0 and end at the number of entries.");
  }
  for (ptrdiff_t row = 1; row < offsets.size; row++) {
    if (offsets.data[row] < offsets.data[row - 1]) throw BadArgument(std::string(name) + ": offsets must not fall.");
  }
  for (ptrdiff_t entry = 0; entry < indices.size; entry++) {
    if (indices.data[entry] < 0 || indices.data[entry] >= bound) {
      throw BadArgument(std::string(name) + ": index " + std::to_string(indices.data[entry]) + " is outside [0, " +
                        std::to_string(bound) + ").");
    }
  }
}

// multiply({ a, b, c, rows, columns, depth, transposeA, transposeB, lower, alpha, beta, threads })
Napi::Value Multiply(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const ptrdiff_t rows = from.Whole("rows", 0), columns = from.Whole("columns", 0), depth = from.Whole("depth", 0);
  const double m = static_cast<double>(rows), n = static_cast<double>(columns), k = static_cast<double>(depth);
  const Span<float> a = from.Floats("a", m * k), b = from.Floats("b", k * n), c = from.Floats("c", m * n);
  const bool transposeA = from.Flag("transposeA"), transposeB = from.Flag("transposeB"), lower = from.Flag("lower");
  const linear::Product product{a.data,
                                transposeA ? 1 : depth,
                                transposeA ? rows : 1,
                                b.data,
                                transposeB ? 1 : columns,
                                transposeB ? depth : 1,
                                c.data,
                                columns,
                                depth,
                                static_cast<float>(from.NumberOr("alpha", 1)),
                                static_cast<float>(from.NumberOr("beta", 0))};
  return Task::Start(from.pinned(), [algebra = from.Threads(), product, rows, columns, lower] {
    algebra.Multiply(product, rows, columns, lower);
    return 0.0;
  });
}

// multiplySparse({ offsets, indices, values | null, dense, denseRows, columns, out, alpha, beta, threads })
Napi::Value MultiplySparse(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const Span<int32_t> offsets = from.Ints("offsets", -1), indices = from.Ints("indices", -1);
  const Span<float> values = from.IsNull("values") ? Span<float>{} : from.Floats("values", indices.size);
  const ptrdiff_t columns = from.Whole("columns", 1), denseRows = from.Whole("denseRows", 0);
  const double width = static_cast<double>(columns);
  const Span<float> dense = from.Floats("dense", denseRows * width);
  const Span<float> out = from.Floats("out", std::max<ptrdiff_t>(0, offsets.size - 1) * width);
  const linear::SparseProduct product{offsets.data, indices.data, values.data, dense.data, columns, out.data,
                                      static_cast<float>(from.NumberOr("alpha", 1)), static_cast<float>(from.NumberOr("beta", 0))};
  return Task::Start(from.pinned(), [algebra = from.Threads(), product, offsets, indices, denseRows] {
    CheckLists(offsets, indices, denseRows, "multiplySparse");
    algebra.MultiplySparse(product, offsets.size - 1);
    return 0.0;
  });
}

// invertPositive({ matrix, size, cancel, threads }); `cancel` is an Int32Array whose first value becomes 1 to end the work
Napi::Value InvertPositive(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const ptrdiff_t size = from.Whole("size", 0, 65536);
  const Span<float> matrix = from.Floats("matrix", static_cast<double>(size) * size);
  const Span<int32_t> cancel = from.IsThere("cancel") ? from.Ints("cancel", 1) : Span<int32_t>{};
  return Task::Start(from.pinned(), [algebra = from.Threads(cancel.data), matrix, size] {
    algebra.InvertPositive(matrix.data, size);
    return 0.0;
  });
}

// solveLeastSquares({ offsets, indices, fixed, dimension, out, unobserved, regularization, exponent, threads })
Napi::Value SolveLeastSquares(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const ptrdiff_t dimension = from.Whole("dimension", 1, 4096);
  const Span<int32_t> offsets = from.Ints("offsets", -1), indices = from.Ints("indices", -1);
  const Span<float> fixed = from.Floats("fixed", -1);
  if (fixed.size % dimension != 0) throw from.Bad("fixed is not whole rows of the dimension");
  const ptrdiff_t rows = std::max<ptrdiff_t>(0, offsets.size - 1);
  const Span<float> out = from.Floats("out", static_cast<double>(rows) * dimension);
  const linear::LeastSquares problem{offsets.data,
                                     indices.data,
                                     fixed.data,
                                     fixed.size / dimension,
                                     dimension,
                                     out.data,
                                     static_cast<float>(from.Number("unobserved")),
                                     static_cast<float>(from.Number("regularization")),
                                     static_cast<float>(from.Number("exponent"))};
  return Task::Start(from.pinned(), [algebra = from.Threads(), problem, offsets, indices, rows] {
    CheckLists(offsets, indices, problem.fixedRows, "solveLeastSquares");
    linear::SolveRows(algebra, problem, rows);
    return 0.0;
  });
}

// bprSteps({ triples, users, items, dimension, learningRate, regularization }): the sum of the losses
Napi::Value BprSteps(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const ptrdiff_t dimension = from.Whole("dimension", 1, 4096);
  const Span<int32_t> triples = from.Ints("triples", -1);
  const Span<float> users = from.Floats("users", -1), items = from.Floats("items", -1);
  if (triples.size % 3 != 0) throw from.Bad("triples must be whole");
  const linear::BprSteps steps{triples.data,  triples.size / 3,
                               users.data,    items.data,
                               dimension,     static_cast<float>(from.Number("learningRate")),
                               static_cast<float>(from.Number("regularization"))};
  const linear::Kernels& kernels = from.kernels();
  return Task::Start(from.pinned(), [&kernels, steps, triples, users, items, dimension] {
    for (ptrdiff_t at = 0; at < triples.size; at++) {
      const ptrdiff_t bound = (at % 3 == 0 ? users.size : items.size) / dimension;
      if (triples.data[at] < 0 || triples.data[at] >= bound) {
        throw BadArgument("triples[" + std::to_string(at) + "] is outside [0, " + std::to_string(bound) + ").");
      }
    }
    return kernels.bprSteps(steps);
  });
}

// filterHistories({ userOffsets, userItems, userValues, itemOffsets, itemUsers, itemValues, coefficients,
//   historyOffsets, historyItems, inputScale, outputScale, out, threads })
Napi::Value FilterHistories(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const Span<int32_t> userOffsets = from.Ints("userOffsets", -1), userItems = from.Ints("userItems", -1);
  const Span<int32_t> itemOffsets = from.Ints("itemOffsets", -1), itemUsers = from.Ints("itemUsers", userItems.size);
  const Span<float> userValues = from.Floats("userValues", userItems.size);
  const Span<float> itemValues = from.Floats("itemValues", userItems.size);
  const Span<float> coefficients = from.Floats("coefficients", -1);
  const Span<int32_t> offsets = from.Ints("historyOffsets", -1), historyItems = from.Ints("historyItems", -1);
  const ptrdiff_t users = userOffsets.size - 1, items = itemOffsets.size - 1, count = offsets.size - 1;
  if (users < 0 || items < 0 || count < 0 || coefficients.size == 0) throw from.Bad("offsets and coefficients are empty");
  const Span<float> input = from.Floats("inputScale", items), output = from.Floats("outputScale", items);
  const Span<float> out = from.Floats("out", static_cast<double>(count) * items);
  const linear::ChebyshevFilter filter{userOffsets.data, userItems.data, userValues.data,   users,
                                       itemOffsets.data, itemUsers.data, itemValues.data,   items,
                                       coefficients.data, coefficients.size - 1, 0};
  const linear::FilterScores scores{filter, offsets.data, historyItems.data, count, input.data, output.data, out.data};
  return Task::Start(from.pinned(), [=, algebra = from.Threads()] {
    CheckLists(userOffsets, userItems, items, "users");
    CheckLists(itemOffsets, itemUsers, users, "items");
    CheckLists(offsets, historyItems, items, "histories");
    linear::ScoreHistories(algebra, scores);
    return 0.0;
  });
}

// selectBest({ scores, rows, columns, count, excludedOffsets, excluded, out, threads })
Napi::Value SelectBest(const Napi::CallbackInfo& info) {
  Arguments from(info);
  const ptrdiff_t rows = from.Whole("rows", 0), columns = from.Whole("columns", 0), count = from.Whole("count", 1, 65536);
  const Span<float> scores = from.Floats("scores", static_cast<double>(rows) * columns);
  const Span<int32_t> offsets = from.Ints("excludedOffsets", rows + 1.0), excluded = from.Ints("excluded", -1);
  const Span<int32_t> out = from.Ints("out", static_cast<double>(rows) * count);
  const linear::Selection selection{scores.data, rows, columns, count, offsets.data, excluded.data, out.data};
  return Task::Start(from.pinned(), [=, algebra = from.Threads()] {
    CheckLists(offsets, excluded, columns, "excluded");
    linear::SelectBest(algebra, selection);
    return 0.0;
  });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("kernelNames", [&] {
    Napi::Array names = Napi::Array::New(env);
    uint32_t count = 0;
    names.Set(count++, linear::kBaseline.name);
#if defined(__x86_64__)
    const linear::Kernels& best = linear::BestKernels();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) names.Set(count++, linear::kAvx2.name);
    if (&best == &linear::kAvx512) names.Set(count++, best.name);
#endif
    return names;
  }());
  exports.Set("multiply", Napi::Function::New(env, Multiply));
  exports.Set("multiplySparse", Napi::Function::New(env, MultiplySparse));
  exports.Set("invertPositive", Napi::Function::New(env, InvertPositive));
  exports.Set("solveLeastSquares", Napi::Function::New(env, SolveLeastSquares));
  exports.Set("bprSteps", Napi::Function::New(env, BprSteps));
  exports.Set("selectBest", Napi::Function::New(env, SelectBest));
  exports.Set("filterHistories", Napi::Function::New(env, FilterHistories));
  return exports;
}

}  // namespace

NODE_API_MODULE(linear, Init)
