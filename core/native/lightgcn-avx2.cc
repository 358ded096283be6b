#if defined(__x86_64__)
// System headers first: a function of theirs compiled for this target must not become the program's only copy.
#include <cmath>
#include <cstdint>
#include <cstring>
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define WIDTH 8
#define KERNEL_NAME "avx2"
#define KERNEL_FUNCTION avx2_kernels
#include "lightgcn-kernels-inline.h"
#pragma GCC pop_options
#endif
