// The addon `mapping`: `mapFile(path)` gives a file's bytes as an ArrayBuffer that the system reads from the file when they
// are touched and drops when memory is short. Writing to it changes a private copy only.
#include <napi.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace {

Napi::Error SystemError(Napi::Env env, const char* step, const std::string& path) {
  const int code = errno;
  Napi::Error error = Napi::Error::New(env, std::string(step) + " " + path + ": " + std::strerror(code));
  error.Set("errno", Napi::Number::New(env, code));
  return error;
}

struct OpenFile {
  explicit OpenFile(const std::string& path) : descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (descriptor >= 0) close(descriptor);
  }
  OpenFile(const OpenFile&) = delete;
  const int descriptor;
};

Napi::Value MapFile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsString()) throw Napi::TypeError::New(env, "mapFile takes a path.");
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const OpenFile file(path);
  struct stat status;
  if (file.descriptor < 0 || fstat(file.descriptor, &status) != 0) throw SystemError(env, "open", path);
  if (!S_ISREG(status.st_mode)) throw Napi::TypeError::New(env, path + " is not a regular file.");
  const size_t size = static_cast<size_t>(status.st_size);
  // Nothing cannot be mapped.
  if (size == 0) return Napi::ArrayBuffer::New(env, 0);
  void* bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file.descriptor, 0);
  if (bytes == MAP_FAILED) throw SystemError(env, "mmap", path);
  return Napi::ArrayBuffer::New(env, bytes, size, [size](Napi::Env, void* mapped) { munmap(mapped, size); });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("mapFile", Napi::Function::New(env, MapFile, "mapFile"));
  return exports;
}

}  // namespace

NODE_API_MODULE(mapping, Init)
