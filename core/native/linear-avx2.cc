#if defined(__x86_64__)
#include <cstddef>
#include <cstdint>
#pragma GCC target("avx2,fma")
#define KERNEL_BYTES 32
#define KERNEL_MICRO_ROWS 6
#define KERNEL_TABLE kAvx2
#define KERNEL_NAME "avx2"
#include "linear-tile.h"
#endif
