// Four floats at a time: SSE2 on x86-64, NEON on ARM.
#define WIDTH 4
#define KERNEL_NAME "baseline"
#define KERNEL_FUNCTION baseline_kernels
#include "lightgcn-kernels-inline.h"
