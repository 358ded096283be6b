#include "refusals-stream.h"

#include <array>
#include <cstring>
#include <string>

namespace refusals {
namespace {

struct Callbacks {
  uv_alloc_cb alloc = nullptr;
  uv_read_cb read = nullptr;
};

// Node has the same for all its TCP streams.
thread_local Callbacks ofNode;
thread_local Receive receiver = nullptr;
// As much as libuv asks for.
thread_local std::array<char, 65'536> received;

void Restart(uv_stream_t* stream, Callbacks callbacks) {
  uv_read_stop(stream);
  uv_read_start(stream, callbacks.alloc, callbacks.read);
}

uv_buf_t BufferOfNode(uv_stream_t* stream) {
  uv_buf_t buffer = uv_buf_init(nullptr, 0);
  ofNode.alloc(reinterpret_cast<uv_handle_t*>(stream), received.size(), &buffer);
  return buffer;
}

void OnAlloc(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
  *buffer = uv_buf_init(received.data(), static_cast<unsigned>(received.size()));
}

void OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  if (count > 0) {
    receiver(stream, {buffer->base, static_cast<std::size_t>(count)});
    return;
  }
  const uv_buf_t own = BufferOfNode(stream);
  ofNode.read(stream, count, &own);
}

// The rest of what the system did not take at once.
struct Rest {
  uv_write_t request;
  std::string bytes;
};

void WriteLater(uv_stream_t* stream, std::string_view bytes) {
  auto* const rest = new Rest{{}, std::string(bytes)};
  rest->request.data = rest;
  const uv_buf_t buffer = uv_buf_init(rest->bytes.data(), static_cast<unsigned>(rest->bytes.size()));
  const auto onWritten = [](uv_write_t* request, int) { delete static_cast<Rest*>(request->data); };
  // An error is the connection's, of which Node hears when it reads.
  if (uv_write(&rest->request, stream, &buffer, 1, onWritten) != 0) delete rest;
}

}  // namespace

void VisitStreams(uv_loop_t* loop, Visit visit) {
  const auto look = [](uv_handle_t* handle, void* data) {
    uv_os_fd_t descriptor;
    if (handle->type != UV_TCP || uv_is_closing(handle) || uv_fileno(handle, &descriptor) != 0) return;
    auto* const stream = reinterpret_cast<uv_stream_t*>(handle);
    if (stream->read_cb != nullptr) (*static_cast<Visit*>(data))(descriptor, stream);
  };
  uv_walk(loop, look, &visit);
}

bool IsIntercepted(const uv_stream_t* stream) { return stream->read_cb == OnRead; }

void Intercept(uv_stream_t* stream, Receive receive) {
  receiver = receive;
  ofNode = {stream->alloc_cb, stream->read_cb};
  Restart(stream, {OnAlloc, OnRead});
}

void LeaveToNode(uv_stream_t* stream) { Restart(stream, ofNode); }

void PassToNode(uv_stream_t* stream, std::string_view bytes) {
  const uv_buf_t own = BufferOfNode(stream);
  if (own.len < bytes.size()) {
    ofNode.read(stream, UV_ENOBUFS, &own);
    return;
  }
  std::memcpy(own.base, bytes.data(), bytes.size());
  ofNode.read(stream, static_cast<ssize_t>(bytes.size()), &own);
}

bool Write(uv_stream_t* stream, std::string_view bytes) {
  const uv_buf_t buffer = uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const int written = uv_try_write(stream, &buffer, 1);
  if (written < 0) return false;
  if (static_cast<std::size_t>(written) < bytes.size()) WriteLater(stream, bytes.substr(written));
  return true;
}

}  // namespace refusals
