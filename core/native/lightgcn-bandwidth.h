// What this machine's memory gives to threads that do nothing but read, or read and write: ceilings for benchmarks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lightgcn {

// Bytes per second at which `threads` together read the rows of a table `[row_count, stride]` in the order of `rows`,
// summing the values and storing nothing; blocks of rows go to whichever thread is free, as in propagation. `stride` is a
// multiple of 16. The best of several passes.
double measure_row_bandwidth(int row_count, int stride, const int32_t *rows, int count, int threads);

// Bytes per second of a[i] = b[i] + s * c[i] over three arrays of `count` floats (STREAM's triad, McCalpin 1995: three
// words for each element, the read of `a` before it is written not counted). The best of several passes.
double measure_stream_bandwidth(size_t count, int threads);

} // namespace lightgcn
