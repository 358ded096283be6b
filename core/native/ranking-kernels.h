// What ranking-search.h asks of the kernels, of which one set is chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ranking {

// A few users against one panel of items. Users and panel are packed depth first: value k of user i is
// users[k * microRows + i], value k of item j panel[k * microColumns + j].
struct MicroTile {
  const float* users;
  const float* panel;
  ptrdiff_t depth;
  // One for each user: only higher scores matter.
  const float* floors;
  // Out: bit j of passing[i] is set where item j passes the floor of user i, and scores[i * microColumns + j] is then set.
  uint64_t* passing;
  float* scores;
};

struct Kernels {
  const char* name;
  ptrdiff_t microRows, microColumns;
  // Whether any item passes for any user.
  bool (*scan)(const MicroTile&);
};

// No kernel has more; a row of `passing` is 64 bits wide.
constexpr ptrdiff_t kMostMicroRows = 16;
constexpr ptrdiff_t kMostMicroColumns = 64;

extern const Kernels kBaseline;
#if defined(__x86_64__)
extern const Kernels kAvx2;
extern const Kernels kAvx512;
#endif

}  // namespace ranking
