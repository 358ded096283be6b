// A connection on which something was refused.
#pragma once

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "refusals-request.h"

namespace refusals {

// What all connections of a gateway share.
struct State {
  bool isFull = false;
  // Of all connections, since the start.
  std::uint64_t refused = 0;
  // The number of the stretch of time that is counted, and of how many connections something came in it.
  std::uint32_t stretch = 1;
  std::uint32_t asked = 0;
  // Nothing is refused for longer than this in a row, in ms, without Node having seen something: it would close the connection.
  std::uint64_t passEveryMs = 0;
  // What is answered, one after the other, to pages of each allowed origin, and to all others under "".
  std::map<std::string, std::vector<std::string>, std::less<>> answers;

  // Nothing while there are none.
  std::string_view NextAnswer(std::string_view origin) const;
};

// Its JavaScript object lives as long as the socket that it is kept for.
class Connection : public Napi::ObjectWrap<Connection> {
 public:
  static Napi::Function Define(Napi::Env env);

  // Takes an External of a std::shared_ptr<State>.
  explicit Connection(const Napi::CallbackInfo& info);
  ~Connection() override;

  // Looks at what comes over its stream from now on, as long as it and the parser agree on it. To be called when the parser
  // holds no part of a body.
  void Watch(uv_stream_t* open);

 private:
  static void Receive(uv_stream_t* stream, std::string_view bytes);

  // Takes the number of its headers.
  void BeginRequest(const Napi::CallbackInfo& info);
  void EndRequest(const Napi::CallbackInfo& info);

  void Note();
  void Look(uv_stream_t* stream, std::string_view bytes);
  bool Refuse(uv_stream_t* stream, const WholeRequest& request);

  const std::shared_ptr<State> state;
  // The last one that was watched, which may be gone: it is a key, and not looked at.
  uv_stream_t* stream = nullptr;
  // Of its requests that were parsed, how many there were, and how many are not answered.
  std::uint32_t begun = 0;
  std::uint32_t underWay = 0;
  // Of the newest one.
  std::uint32_t headerCount = 0;
  // The stretch in which something came last.
  std::uint32_t askedIn = 0;
  // When Node saw something last, on libuv's clock.
  std::uint64_t passedAtMs = 0;
  // Whether the parser holds no beginning of another request, which may have come in one piece with the one before.
  bool isSure = false;
};

}  // namespace refusals
