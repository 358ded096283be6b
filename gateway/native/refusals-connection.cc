#include "refusals-connection.h"

#include <optional>
#include <unordered_map>

#include "refusals-stream.h"

namespace refusals {
namespace {

// By stream. Node may have closed a stream that is still a key.
thread_local std::unordered_map<uv_stream_t*, Connection*> watched;

}  // namespace

std::string_view State::NextAnswer(std::string_view origin) const {
  auto found = answers.find(origin);
  if (found == answers.end()) found = answers.find("");
  if (found == answers.end() || found->second.empty()) return {};
  return found->second[refused % found->second.size()];
}

Napi::Function Connection::Define(Napi::Env env) {
  return DefineClass(env, "Connection",
                     {InstanceMethod<&Connection::BeginRequest>("beginRequest"),
                      InstanceMethod<&Connection::EndRequest>("endRequest")});
}

Connection::Connection(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<Connection>(info), state(*info[0].As<Napi::External<std::shared_ptr<State>>>().Data()) {}

Connection::~Connection() {
  const auto found = watched.find(stream);
  if (found != watched.end() && found->second == this) watched.erase(found);
}

void Connection::Receive(uv_stream_t* stream, std::string_view bytes) {
  const auto found = watched.find(stream);
  if (found == watched.end()) PassToNode(stream, bytes);
  else found->second->Look(stream, bytes);
}

void Connection::BeginRequest(const Napi::CallbackInfo& info) {
  headerCount = info[0].As<Napi::Number>().Uint32Value();
  ++begun;
  ++underWay;
  Note();
}

void Connection::EndRequest(const Napi::CallbackInfo&) { --underWay; }

void Connection::Watch(uv_stream_t* open) {
  if (IsIntercepted(open)) return;
  stream = open;
  isSure = false;
  watched[stream] = this;
  Intercept(stream, Receive);
}

// Counts it once in each stretch.
void Connection::Note() {
  if (askedIn == state->stretch) return;
  askedIn = state->stretch;
  ++state->asked;
}

void Connection::Look(uv_stream_t* from, std::string_view bytes) {
  Note();
  const auto request = underWay == 0 ? ReadWholeRequest(bytes) : std::nullopt;
  if (request.has_value() && Refuse(from, *request)) return;
  passedAtMs = uv_now(from->loop);
  const std::uint32_t begunBefore = begun;
  // Node keeps the socket meanwhile, and the socket this.
  PassToNode(from, bytes);
  isSure = request.has_value() && begun == begunBefore + 1 && headerCount == request->headerCount;
  const bool isClosing = uv_is_closing(reinterpret_cast<uv_handle_t*>(from)) != 0;
  if (!isSure && !isClosing && IsIntercepted(from)) LeaveToNode(from);
}

// Whether it did.
bool Connection::Refuse(uv_stream_t* to, const WholeRequest& request) {
  if (!isSure || !state->isFull || uv_now(to->loop) - passedAtMs > state->passEveryMs) return false;
  const std::string_view answer = state->NextAnswer(request.origin);
  if (answer.empty() || !Write(to, answer)) return false;
  ++state->refused;
  return true;
}

}  // namespace refusals
