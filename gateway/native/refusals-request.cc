#include "refusals-request.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace refusals {
namespace {

// Longer heads are left to Node's parser.
constexpr std::size_t kMaxHeadBytes = 8'192;
constexpr std::size_t kMaxLengthDigits = 9;
constexpr std::string_view kPath = "POST /graphql";
constexpr std::string_view kVersion = " HTTP/1.1";
constexpr std::string_view kLineEnd = "\r\n";

using CharacterSet = std::array<bool, 256>;

constexpr CharacterSet CharactersOf(std::string_view others) {
  CharacterSet set{};
  for (unsigned char character = '0'; character <= '9'; ++character) set[character] = true;
  for (unsigned char character = 'a'; character <= 'z'; ++character) set[character] = true;
  for (unsigned char character = 'A'; character <= 'Z'; ++character) set[character] = true;
  for (const char character : others) set[static_cast<unsigned char>(character)] = true;
  return set;
}

// RFC 9110, section 5.6.2.
constexpr CharacterSet kInToken = CharactersOf("!#$%&'*+-.^_`|~");
// RFC 3986, section 3.4.
constexpr CharacterSet kInQuery = CharactersOf("-._~!$&'()*+,;=:@/?%");

// RFC 9110, section 5.5.
constexpr CharacterSet FieldCharacters() {
  CharacterSet set{};
  for (std::size_t character = ' '; character < set.size(); ++character) set[character] = character != 0x7f;
  set['\t'] = true;
  return set;
}

constexpr CharacterSet kInField = FieldCharacters();

bool AllIn(std::string_view text, const CharacterSet& set) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char character) { return set[character]; });
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  const auto equals = [](char one, char other) { return (one >= 'A' && one <= 'Z' ? one + ('a' - 'A') : one) == other; };
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), equals);
}

std::string_view WithoutSpaces(std::string_view value) {
  const std::size_t from = value.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return value.substr(from, value.find_last_not_of(" \t") - from + 1);
}

bool IsRequestLine(std::string_view line) {
  if (line.size() < kPath.size() + kVersion.size() || line.substr(0, kPath.size()) != kPath) return false;
  if (line.substr(line.size() - kVersion.size()) != kVersion) return false;
  const std::string_view query = line.substr(kPath.size(), line.size() - kPath.size() - kVersion.size());
  return query.empty() || (query.front() == '?' && AllIn(query, kInQuery));
}

std::optional<std::size_t> ReadLength(std::string_view value) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  const bool isNumber = !value.empty() && error == std::errc() && end == value.data() + value.size();
  return isNumber && value.size() <= kMaxLengthDigits ? std::optional(length) : std::nullopt;
}

// Reads header after header. What changes how a request is framed, or what becomes of its connection, is left to Node.
class HeaderReader {
 public:
  bool Read(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = WithoutSpaces(line.substr(colon + 1));
    if (!AllIn(name, kInToken) || !AllIn(value, kInField)) return false;
    ++request.headerCount;
    return ReadMeaning(name, value);
  }

  WholeRequest request;
  std::optional<std::size_t> length;

 private:
  bool ReadMeaning(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 6:
        if (EqualsIgnoringCase(name, "origin")) return ReadOnce(&request.origin, value);
        return !EqualsIgnoringCase(name, "expect");
      case 7:
        return !EqualsIgnoringCase(name, "upgrade");
      case 10:
        return !EqualsIgnoringCase(name, "connection") || EqualsIgnoringCase(value, "keep-alive");
      case 14:
        if (!EqualsIgnoringCase(name, "content-length")) return true;
        if (length.has_value()) return false;
        length = ReadLength(value);
        return length.has_value();
      case 16:
        return !EqualsIgnoringCase(name, "proxy-connection");
      case 17:
        return !EqualsIgnoringCase(name, "transfer-encoding");
      default:
        return true;
    }
  }

  static bool ReadOnce(std::string_view* into, std::string_view value) {
    const bool isFirst = into->empty() && !value.empty();
    *into = value;
    return isFirst;
  }
};

}  // namespace

std::optional<WholeRequest> ReadWholeRequest(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, kMaxHeadBytes);
  std::size_t end = head.find(kLineEnd);
  if (end == std::string_view::npos || !IsRequestLine(head.substr(0, end))) return std::nullopt;
  HeaderReader reader;
  for (;;) {
    const std::size_t from = end + kLineEnd.size();
    end = head.find(kLineEnd, from);
    if (end == std::string_view::npos) return std::nullopt;
    if (end == from) break;
    if (!reader.Read(head.substr(from, end - from))) return std::nullopt;
  }
  const bool isWhole = reader.length.has_value() && bytes.size() == end + kLineEnd.size() + *reader.length;
  return isWhole ? std::optional(reader.request) : std::nullopt;
}

}  // namespace refusals
