// Reads every beginning of a request, and every request with one character changed, put in or left out, each from memory of
// just its size: for sanitizers. Prints how many it read, and how many were whole.
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "refusals-request.h"

namespace {

int readCount = 0, wholeCount = 0, faultCount = 0;

void Read(const std::string& request) {
  const std::unique_ptr<char[]> bytes(new char[request.size()]);
  std::memcpy(bytes.get(), request.data(), request.size());
  const auto whole = refusals::ReadWholeRequest({bytes.get(), request.size()});
  ++readCount;
  if (!whole.has_value()) return;
  ++wholeCount;
  if (!whole->origin.empty() && request.find(whole->origin) == std::string::npos) ++faultCount;
}

}  // namespace

int main() {
  const std::string request =
      "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\norigin: https://a.test\r\ncontent-length: 2\r\n\r\n{}";
  Read(request);
  if (wholeCount != 1) ++faultCount;
  for (std::size_t at = 0; at < request.size(); ++at) {
    const std::string before = request.substr(0, at), after = request.substr(at + 1);
    Read(before);
    Read(before + after);
    for (int character = 0; character < 256; ++character) {
      Read(before + static_cast<char>(character) + after);
      Read(before + static_cast<char>(character) + request.substr(at));
    }
  }
  std::printf("%d requests, %d whole, %d faults\n", readCount, wholeCount, faultCount);
  return faultCount == 0 ? 0 : 1;
}
