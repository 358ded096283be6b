#if defined(__x86_64__)
#include <cstddef>
#include <cstdint>
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#define KERNEL_BYTES 64
#define KERNEL_MICRO_ROWS 12
#define KERNEL_TABLE kAvx512
#define KERNEL_NAME "avx512"
#include "linear-tile.h"
#endif
