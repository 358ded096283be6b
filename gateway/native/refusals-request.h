// A strict reading of what comes over a connection, as far as it is needed to refuse it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace refusals {

// A request for an operation, from its first byte to its last.
struct WholeRequest {
  std::size_t headerCount = 0;
  // Empty where there is none. Lies in what was read.
  std::string_view origin;
};

// What came, if it is one whole request for an operation of the plainest form (RFC 9112, sections 3 and 6.2); nothing where
// it may be anything else, which is for Node's parser to tell.
std::optional<WholeRequest> ReadWholeRequest(std::string_view bytes);

}  // namespace refusals
