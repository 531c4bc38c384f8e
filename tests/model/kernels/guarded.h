/*
 * guarded.h - operands between two pages that must not be touched.
 *
 *     float *x = guarded(n);          // ends where the unreadable page begins
 *     guard_front = true;             // ... or begins where it ends
 *     unguard(x, n);
 */
#ifndef TESTS_MODEL_KERNELS_GUARDED_H
#define TESTS_MODEL_KERNELS_GUARDED_H

#include <sys/mman.h>

#include "base/rng.h"
#include "model/kernels/kernels.h"
#include "tests/helpers.h"

#define GUARD_PAGE 4096

static bool guard_front;
static const struct kernels *all[6]; // the tables that this processor runs, but the reference
static int all_count;

static inline size_t guarded_pages(size_t bytes)
{
    return (bytes + GUARD_PAGE - 1) / GUARD_PAGE * GUARD_PAGE;
}

static inline void *guarded_bytes(size_t bytes)
{
    const size_t room = guarded_pages(bytes);
    char *base = mmap(NULL, room + 2 * GUARD_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(base != MAP_FAILED);
    ck_assert_int_eq(mprotect(base, GUARD_PAGE, PROT_NONE), 0);
    ck_assert_int_eq(mprotect(base + GUARD_PAGE + room, GUARD_PAGE, PROT_NONE), 0);
    return base + GUARD_PAGE + (guard_front ? 0 : room - bytes);
}

static inline void unguard_bytes(void *p, size_t bytes)
{
    char *first_page = (char *)((uintptr_t)p / GUARD_PAGE * GUARD_PAGE);
    munmap(first_page - GUARD_PAGE, guarded_pages(bytes) + 2 * GUARD_PAGE);
}

static inline float *guarded(size_t n)
{
    return guarded_bytes(n * sizeof(float));
}

static inline void unguard(float *p, size_t n)
{
    unguard_bytes(p, n * sizeof(float));
}

static inline float *random_floats(size_t n, float scale, uint64_t seed)
{
    struct rng rng = rng_make(seed, n);
    float *x = guarded(n);
    for (size_t i = 0; i < n; i++)
        x[i] = scale * (float)rng_normal(&rng);
    return x;
}

static inline float *copy_of(const float *x, size_t n)
{
    float *y = guarded(n);
    memcpy(y, x, n * sizeof *x);
    return y;
}

/* Fills `all`, and says what is left out. */
static inline void find_tables(void)
{
    static const char *const names[] = { "portable",   "avx2",       "avx512",
                                         "avx512vnni", "avx512bf16", "amx" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("VERSO_ISA", names[i], 1);
        const struct kernels *kernels = kernels_best();
        if (kernels)
            all[all_count++] = kernels;
        printf("%s: %s\n", names[i], kernels ? "tested" : "skipped, this processor has it not");
    }
    unsetenv("VERSO_ISA");
}

#endif
