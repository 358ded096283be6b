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

// A few users against one panel of items in whole numbers: users of 16 bits, items of 8, packed by pairs of values. Values
// 2p and 2p + 1 of user i are users[(p * rows + i) * 2 ..], of item j panel[(p * codeColumns + j) * 2 ..].
struct CodeTile {
  const int16_t* users;
  const int8_t* panel;
  ptrdiff_t pairs;
  // One for each item: what its whole numbers are multiples of, and how far the inner product with a unit vector may be off.
  const float* steps;
  const float* slacks;
  // One for each user, both over the user's norm: what its whole numbers are multiples of, and its floor.
  const float* userSteps;
  const float* floors;
  // Out: bit j of passing[i] is set where item j may pass the floor of user i.
  uint64_t* passing;
};

// No kernel takes more users at once.
constexpr ptrdiff_t kMostCodeRows = 8;
// The same for all kernels, so that packed items are.
constexpr ptrdiff_t kCodeColumns = 16;

struct Kernels {
  const char* name;
  ptrdiff_t microRows, microColumns;
  // Whether any item passes for any user.
  bool (*scan)(const MicroTile&);
  ptrdiff_t codeRows;
  // The n-th for n + 1 users. Whether any item passes for any user.
  bool (*scanCodes[kMostCodeRows])(const CodeTile&);
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
