// The addon `refusals`: `new Refusals(passEveryMs)` refuses requests where libuv has read them, before Node makes anything of
// them. What comes over a connection that is watched goes to Node as if nothing had happened, but for a request that is refused:
// that is answered with bytes that were written before. `readWholeRequest` is for tests. Any thread may load it.
#include <napi.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "refusals-connection.h"
#include "refusals-stream.h"

namespace {

using refusals::Connection;
using refusals::State;

// The refusals of one gateway.
class Refusals : public Napi::ObjectWrap<Refusals> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Refusals",
                       {InstanceMethod<&Refusals::Open>("open"), InstanceMethod<&Refusals::SetFull>("setFull"),
                        InstanceMethod<&Refusals::SetAnswers>("setAnswers"),
                        InstanceMethod<&Refusals::TakeAsked>("takeAsked"), InstanceMethod<&Refusals::Watch>("watch"),
                        InstanceAccessor<&Refusals::GetRefused>("refused")});
  }

  explicit Refusals(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Refusals>(info) {
    state->passEveryMs = static_cast<std::uint64_t>(info[0].As<Napi::Number>().Int64Value());
  }

  // Its connections live on, and refuse nothing.
  ~Refusals() override { state->isFull = false; }

 private:
  Napi::Value Open(const Napi::CallbackInfo& info) {
    const auto& connection = *info.Env().GetInstanceData<Napi::FunctionReference>();
    return connection.New({Napi::External<std::shared_ptr<State>>::New(info.Env(), &state)});
  }

  // Takes connections and the descriptors of their sockets.
  void Watch(const Napi::CallbackInfo& info) {
    const auto connections = info[0].As<Napi::Array>(), descriptors = info[1].As<Napi::Array>();
    std::unordered_map<int, Connection*> wanted;
    for (std::uint32_t index = 0; index < connections.Length(); ++index) {
      const int descriptor = descriptors.Get(index).As<Napi::Number>().Int32Value();
      wanted[descriptor] = Connection::Unwrap(connections.Get(index).As<Napi::Object>());
    }
    uv_loop_t* loop = nullptr;
    NAPI_THROW_IF_FAILED_VOID(info.Env(), napi_get_uv_event_loop(info.Env(), &loop));
    refusals::VisitStreams(loop, [&](int descriptor, uv_stream_t* stream) {
      const auto found = wanted.find(descriptor);
      if (found != wanted.end()) found->second->Watch(stream);
    });
  }

  void SetFull(const Napi::CallbackInfo& info) { state->isFull = info[0].As<Napi::Boolean>(); }

  // Takes an origin and buffers.
  void SetAnswers(const Napi::CallbackInfo& info) {
    std::vector<std::string> answers;
    const auto given = info[1].As<Napi::Array>();
    for (std::uint32_t index = 0; index < given.Length(); ++index) {
      const auto bytes = given.Get(index).As<Napi::Buffer<char>>();
      answers.emplace_back(bytes.Data(), bytes.Length());
    }
    state->answers[info[0].As<Napi::String>().Utf8Value()] = std::move(answers);
  }

  Napi::Value TakeAsked(const Napi::CallbackInfo& info) {
    ++state->stretch;
    return Napi::Number::New(info.Env(), std::exchange(state->asked, 0));
  }

  Napi::Value GetRefused(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(state->refused));
  }

  std::shared_ptr<State> state = std::make_shared<State>();
};

// Takes a buffer.
Napi::Value ReadWholeRequest(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Buffer<char>>();
  const auto request = refusals::ReadWholeRequest({bytes.Data(), bytes.Length()});
  if (!request.has_value()) return info.Env().Undefined();
  auto read = Napi::Object::New(info.Env());
  read.Set("headerCount", static_cast<double>(request->headerCount));
  read.Set("origin", std::string(request->origin));
  return read;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Napi::FunctionReference(Napi::Persistent(Connection::Define(env))));
  exports.Set("Refusals", Refusals::Define(env));
  exports.Set("readWholeRequest", Napi::Function::New(env, ReadWholeRequest, "readWholeRequest"));
  return exports;
}

}  // namespace

NODE_API_MODULE(refusals, Init)
