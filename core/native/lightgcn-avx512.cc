#if defined(__x86_64__)
// System headers first: a function of theirs compiled for this target must not become the program's only copy.
#include <cmath>
#include <cstdint>
#include <cstring>
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,fma")
#define WIDTH 16
#define KERNEL_NAME "avx512"
#define KERNEL_FUNCTION avx512_kernels
#include "lightgcn-kernels-inline.h"
#pragma GCC pop_options
#endif
