// The native back-end of LightGCN training (core/src/lightgcn/native-backend.ts). Every call is synchronous: trainings
// run in worker threads. Errors carry a `code`: LIGHTGCN_BAD_ARGUMENT or LIGHTGCN_FAILED.
#include <napi.h>

#include "lightgcn-bandwidth.h"
#include "lightgcn-trainer.h"

#include <cmath>
#include <string>

namespace {

using lightgcn::Kernels;
using lightgcn::Trainer;

struct BadArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<const Kernels *> supported_kernels() {
  std::vector<const Kernels *> all;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    all.push_back(&lightgcn::avx512_kernels());
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&lightgcn::avx2_kernels());
#endif
  all.push_back(&lightgcn::baseline_kernels());
  return all;
}

const Kernels &kernels_named(const std::string &name) {
  for (const Kernels *kernels : supported_kernels())
    if (name.empty() || name == kernels->name) return *kernels;
  throw BadArgument("this processor has no instruction set " + name);
}

Napi::Float32Array floats(const Napi::Value &value, const char *name, size_t wanted) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
    throw BadArgument(std::string(name) + " must be a Float32Array");
  const auto array = value.As<Napi::Float32Array>();
  if (array.ElementLength() != wanted) {
    throw BadArgument(std::string(name) + " must have " + std::to_string(wanted) + " values, got " +
                      std::to_string(array.ElementLength()));
  }
  return array;
}

Napi::Int32Array integers(const Napi::Value &value, const char *name, int first, int last) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw BadArgument(std::string(name) + " must be an Int32Array");
  const auto array = value.As<Napi::Int32Array>();
  for (size_t index = 0; index < array.ElementLength(); index++) {
    if (array[index] < first || array[index] >= last) {
      throw BadArgument(std::string(name) + "[" + std::to_string(index) + "] is " + std::to_string(array[index]) +
                        ", outside [" + std::to_string(first) + ", " + std::to_string(last) + ")");
    }
  }
  return array;
}

double number(const Napi::Value &value, const char *name, double least, double most) {
  const double result = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(result >= least && result <= most)) {
    throw BadArgument(std::string(name) + " must be a number in [" + std::to_string(least) + ", " +
                      std::to_string(most) + "]");
  }
  return result;
}

lightgcn::Graph graph_of(const Napi::CallbackInfo &info) {
  lightgcn::Graph graph;
  graph.node_count = static_cast<int>(number(info[1], "nodeCount", 1, 1 << 30));
  graph.user_count = static_cast<int>(number(info[0], "userCount", 0, graph.node_count));
  const auto neighbors = integers(info[3], "neighbors", 0, graph.node_count);
  const int length = static_cast<int>(neighbors.ElementLength());
  const auto offsets = integers(info[2], "offsets", 0, length + 1);
  if (offsets.ElementLength() != static_cast<size_t>(graph.node_count) + 1)
    throw BadArgument("offsets must have nodeCount + 1 values");
  for (int node = 0; node < graph.node_count; node++)
    if (offsets[node] > offsets[node + 1]) throw BadArgument("offsets must ascend");
  if (offsets[0] != 0 || offsets[graph.node_count] != length) throw BadArgument("offsets must span all neighbors");
  graph.offsets.assign(offsets.Data(), offsets.Data() + offsets.ElementLength());
  graph.neighbors.assign(neighbors.Data(), neighbors.Data() + length);
  return graph;
}

// What a failure of ours looks like in JavaScript.
template <typename Work>
Napi::Value guard(Napi::Env env, Work work) {
  const auto failed = [&](const char *code, const std::string &message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", code);
    return error;
  };
  try {
    return work();
  } catch (const BadArgument &error) {
    throw failed("LIGHTGCN_BAD_ARGUMENT", error.what());
  } catch (const Napi::Error &) {
    throw;
  } catch (const std::bad_alloc &) {
    throw failed("LIGHTGCN_FAILED", "not enough memory");
  } catch (const std::exception &error) {
    throw failed("LIGHTGCN_FAILED", error.what());
  }
}

class TrainerObject : public Napi::ObjectWrap<TrainerObject> {
public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Trainer",
                       {
                           InstanceMethod<&TrainerObject::call<&TrainerObject::load_state>>("loadState"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::store_state>>("storeState"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::propagate>>("propagate"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::bpr_loss>>("bprLoss"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::softmax_loss>>("softmaxLoss"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::gradient>>("gradient"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::step>>("step"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::time_layer>>("timeLayer"),
                           InstanceMethod<&TrainerObject::call<&TrainerObject::close>>("close"),
                           InstanceAccessor<&TrainerObject::size_bytes>("sizeBytes"),
                           InstanceAccessor<&TrainerObject::instruction_set>("instructionSet"),
                       });
  }

  explicit TrainerObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<TrainerObject>(info) {
    guard(info.Env(), [&] {
      const lightgcn::Graph graph = graph_of(info);
      const int dimension = static_cast<int>(number(info[4], "dimension", 1, 4096));
      if (!info[5].IsTypedArray()) throw BadArgument("coefficients must be a Float32Array");
      const auto coefficients = floats(info[5], "coefficients", info[5].As<Napi::TypedArray>().ElementLength());
      if (coefficients.ElementLength() == 0) throw BadArgument("coefficients must not be empty");
      const int threads = static_cast<int>(number(info[6], "threads", 1, 256));
      const Kernels &kernels = kernels_named(info[7].IsString() ? info[7].As<Napi::String>().Utf8Value() : "");
      trainer = std::make_unique<Trainer>(
          graph, dimension,
          std::vector<float>(coefficients.Data(), coefficients.Data() + coefficients.ElementLength()), threads, kernels);
      return info.Env().Undefined();
    });
  }

private:
  template <Napi::Value (TrainerObject::*method)(const Napi::CallbackInfo &)>
  Napi::Value call(const Napi::CallbackInfo &info) {
    return guard(info.Env(), [&] {
      if (!trainer) throw BadArgument("the trainer is closed");
      return (this->*method)(info);
    });
  }

  size_t value_count() const { return static_cast<size_t>(trainer->node_count()) * trainer->dimension; }

  Napi::Value load_state(const Napi::CallbackInfo &info) {
    const auto ego = floats(info[0], "ego", value_count());
    const auto first = floats(info[1], "firstMoment", value_count());
    const auto second = floats(info[2], "secondMoment", value_count());
    trainer->load_state(ego.Data(), first.Data(), second.Data());
    return info.Env().Undefined();
  }

  Napi::Value store_state(const Napi::CallbackInfo &info) {
    auto ego = floats(info[0], "ego", value_count());
    auto first = floats(info[1], "firstMoment", value_count());
    auto second = floats(info[2], "secondMoment", value_count());
    trainer->store_state(ego.Data(), first.Data(), second.Data());
    return info.Env().Undefined();
  }

  Napi::Value propagate(const Napi::CallbackInfo &info) {
    const auto input = floats(info[0], "input", value_count());
    auto output = floats(info[1], "output", value_count());
    trainer->propagate(input.Data(), output.Data());
    return info.Env().Undefined();
  }

  // users, positives, negatives, regularization
  Napi::Value bpr_loss(const Napi::CallbackInfo &info) {
    const auto users = integers(info[0], "users", 0, trainer->user_count());
    const auto positives = integers(info[1], "positives", trainer->user_count(), trainer->node_count());
    const auto negatives = integers(info[2], "negatives", trainer->user_count(), trainer->node_count());
    const size_t count = users.ElementLength();
    if (count == 0 || positives.ElementLength() != count || negatives.ElementLength() != count)
      throw BadArgument("users, positives and negatives must have one length above 0");
    const double strength = number(info[3], "regularization", 0, 1);
    const double loss =
        trainer->bpr_loss(users.Data(), positives.Data(), negatives.Data(), static_cast<int>(count));
    return Napi::Number::New(info.Env(), loss + trainer->regularize(strength));
  }

  // users, items, regularization, chunkSize, temperature, partitionExponent, itemBias
  Napi::Value softmax_loss(const Napi::CallbackInfo &info) {
    const auto users = integers(info[0], "users", 0, trainer->user_count());
    const auto items = integers(info[1], "items", trainer->user_count(), trainer->node_count());
    const size_t count = users.ElementLength();
    if (count == 0 || items.ElementLength() != count)
      throw BadArgument("users and items must have one length above 0");
    const double strength = number(info[2], "regularization", 0, 1);
    lightgcn::Softmax softmax;
    softmax.chunk_size = static_cast<int>(number(info[3], "chunkSize", 1, 1 << 30));
    softmax.temperature = number(info[4], "temperature", 0.01, 1e6);
    softmax.partition_exponent = number(info[5], "partitionExponent", 0, 10);
    softmax.item_bias = floats(info[6], "itemBias", trainer->node_count() - trainer->user_count()).Data();
    const double loss = trainer->softmax_loss(users.Data(), items.Data(), static_cast<int>(count), softmax);
    return Napi::Number::New(info.Env(), loss + trainer->regularize(strength));
  }

  Napi::Value gradient(const Napi::CallbackInfo &info) {
    auto output = floats(info[0], "output", value_count());
    trainer->gradient(output.Data());
    return info.Env().Undefined();
  }

  // rate, rootCorrection, firstDecay, secondDecay, epsilon
  Napi::Value step(const Napi::CallbackInfo &info) {
    lightgcn::AdamRates rates;
    float *targets[] = {&rates.rate, &rates.root_correction, &rates.first_decay, &rates.second_decay, &rates.epsilon};
    for (int index = 0; index < 5; index++)
      *targets[index] = static_cast<float>(number(info[index], "Adam's rates", 0, 1e9));
    trainer->step(rates);
    return info.Env().Undefined();
  }

  Napi::Value time_layer(const Napi::CallbackInfo &info) {
    return Napi::Number::New(info.Env(), trainer->time_layer(static_cast<int>(number(info[0], "repeats", 1, 1e6))));
  }

  Napi::Value close(const Napi::CallbackInfo &info) {
    trainer.reset();
    return info.Env().Undefined();
  }

  Napi::Value size_bytes(const Napi::CallbackInfo &info) {
    return Napi::Number::New(info.Env(), trainer ? static_cast<double>(trainer->size_bytes()) : 0);
  }

  Napi::Value instruction_set(const Napi::CallbackInfo &info) {
    return Napi::String::New(info.Env(), trainer ? trainer->kernels.name : "");
  }

  std::unique_ptr<Trainer> trainer;
};

// rowCount, stride, rows, threads
Napi::Value row_bandwidth(const Napi::CallbackInfo &info) {
  return guard(info.Env(), [&] {
    const int row_count = static_cast<int>(number(info[0], "rowCount", 1, 1 << 28));
    const int stride = static_cast<int>(number(info[1], "stride", 16, 4096));
    if (stride % 16) throw BadArgument("stride must be a multiple of 16");
    const auto rows = integers(info[2], "rows", 0, row_count);
    if (rows.ElementLength() == 0 || rows.ElementLength() > 1 << 30) throw BadArgument("rows must have 1 to 2^30 values");
    const int threads = static_cast<int>(number(info[3], "threads", 1, 256));
    const int count = static_cast<int>(rows.ElementLength());
    return Napi::Number::New(info.Env(),
                             lightgcn::measure_row_bandwidth(row_count, stride, rows.Data(), count, threads));
  });
}

// floatCount of each of three arrays, threads
Napi::Value stream_bandwidth(const Napi::CallbackInfo &info) {
  return guard(info.Env(), [&] {
    const size_t count = static_cast<size_t>(number(info[0], "floatCount", 1, 1 << 30));
    const int threads = static_cast<int>(number(info[1], "threads", 1, 256));
    return Napi::Number::New(info.Env(), lightgcn::measure_stream_bandwidth(count, threads));
  });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  const auto all = supported_kernels();
  Napi::Array names = Napi::Array::New(env, all.size());
  for (size_t index = 0; index < all.size(); index++) names.Set(static_cast<uint32_t>(index), all[index]->name);
  exports.Set("instructionSets", names);
  exports.Set("measureRowBandwidth", Napi::Function::New(env, row_bandwidth));
  exports.Set("measureStreamBandwidth", Napi::Function::New(env, stream_bandwidth));
  exports.Set("Trainer", TrainerObject::define(env));
  return exports;
}

} // namespace

NODE_API_MODULE(lightgcn, initialize)
