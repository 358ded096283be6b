// Runs everywhere: SSE2 on x86-64, NEON on 64-bit ARM.
#if defined(__x86_64__)
#include <emmintrin.h>
#endif
#define KERNEL_BYTES 16
#define KERNEL_MICRO_ROWS 4
#define KERNEL_TABLE kBaseline
#define KERNEL_NAME "baseline"
#include "ranking-tile.h"
