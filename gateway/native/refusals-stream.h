// What is done to the streams of libuv that are Node's.
#pragma once

#include <uv.h>

#include <functional>
#include <string_view>

namespace refusals {

// Gets what was read of a stream, which is at least one byte, in memory that is used again.
using Receive = void (*)(uv_stream_t* stream, std::string_view bytes);

using Visit = std::function<void(int descriptor, uv_stream_t* stream)>;

// Calls `visit` for each TCP stream of the loop that is read.
void VisitStreams(uv_loop_t* loop, Visit visit);

// Whether what is read of a stream goes to `receive` of `Intercept`. It no longer does once Node begins to read anew.
bool IsIntercepted(const uv_stream_t* stream);

// Has what is read of a stream go to `receive`, the same for all streams of a thread, and not to Node.
void Intercept(uv_stream_t* stream, Receive receive);

// Undoes it.
void LeaveToNode(uv_stream_t* stream);

// Gives Node bytes as if it had read them. The stream may be closed afterwards.
void PassToNode(uv_stream_t* stream, std::string_view bytes);

// Whether bytes were written, or will be; nothing was where not. Nothing is while others wait to be.
bool Write(uv_stream_t* stream, std::string_view bytes);

}  // namespace refusals
