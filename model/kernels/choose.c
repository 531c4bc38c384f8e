/*
 * choose.c - which kernels this processor runs, and VERSO_ISA to force one.
 */
#include <stdlib.h>
#include <string.h>

#include "model/kernels/kernels.h"

#ifdef KERNELS_X86
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_vnni(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}

static bool has_bf16(void)
{
    return has_vnni() && __builtin_cpu_supports("avx512bf16");
}

/* Linux keeps room for a process's tile registers only once it has asked for it. */
static bool has_amx(void)
{
    const unsigned wanted = 1u << 22 | 1u << 24 | 1u << 25; // AMX-BF16, AMX-TILE, AMX-INT8
    const int request = 0x1023, tile_data = 18;             // ARCH_REQ_XCOMP_PERM
    unsigned a, b, c, d;
    return has_bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & wanted) == wanted &&
           syscall(SYS_arch_prctl, request, tile_data) == 0;
}
#endif

struct choice {
    const struct kernels *kernels;
    bool supported;
};

const struct kernels *kernels_best(void)
{
    const struct choice fastest_first[] = {
#ifdef KERNELS_X86
        { &kernels_amx, has_amx() },
        { &kernels_avx512bf16, has_bf16() },
        { &kernels_avx512vnni, has_vnni() },
        { &kernels_avx512, has_avx512() },
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
