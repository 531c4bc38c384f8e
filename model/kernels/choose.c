/*
 * choose.c - which kernels this processor runs, and VERSO_ISA to force one.
 */
#include <stdlib.h>
#include <string.h>

#include "model/kernels/kernels.h"

struct choice {
    const struct kernels *kernels;
    bool supported;
};

const struct kernels *kernels_best(void)
{
    const struct choice fastest_first[] = {
#ifdef KERNELS_X86
        { &kernels_avx512,
          __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") },
        { &kernels_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") },
#endif
        { &kernels_portable, true },
        { &kernels_reference, true },
    };
    const char *wanted = getenv("VERSO_ISA");
    for (size_t i = 0; i < sizeof fastest_first / sizeof fastest_first[0]; i++) {
        const struct choice *choice = &fastest_first[i];
        if (choice->supported && (!wanted || strcmp(wanted, choice->kernels->name) == 0))
            return choice->kernels;
    }
    return NULL;
}
