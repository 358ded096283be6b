// The addon `mapping`: `mapFile(path)` gives a file's bytes as an ArrayBuffer that the system reads in when they are
// looked at and may drop again, so that many versions take memory only for what is used of them. Writing to it changes
// neither the file nor what others see. Errors have the `code` MAPPING_FAILED. No global state: any thread may load it.
#include <fcntl.h>
#include <napi.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace {

Napi::Error Failure(Napi::Env env, const std::string& path, const std::string& reason) {
  Napi::Error error = Napi::Error::New(env, path + " cannot be mapped: " + reason + ".");
  error.Set("code", Napi::String::New(env, "MAPPING_FAILED"));
  return error;
}

Napi::Value MapFile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsString()) throw Failure(env, "undefined", "the path must be a text");
  const std::string path = info[0].As<Napi::String>();
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Failure(env, path, std::strerror(errno));
  struct stat status;
  const bool known = fstat(file, &status) == 0;
  const size_t size = known ? static_cast<size_t>(status.st_size) : 0;
  // A mapping of nothing is an error of mmap.
  void* bytes = size == 0 ? MAP_FAILED : mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  const int reason = errno;
  close(file);
  if (known && size == 0) return Napi::ArrayBuffer::New(env, 0);
  if (bytes == MAP_FAILED) throw Failure(env, path, std::strerror(reason));
  return Napi::ArrayBuffer::New(env, bytes, size, [size](Napi::Env, void* data) { munmap(data, size); });
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("mapFile", Napi::Function::New(env, MapFile, "mapFile"));
  return exports;
}

}  // namespace

NODE_API_MODULE(mapping, Init)
