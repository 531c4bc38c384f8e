/*
 * bench_kernels.c - how near packed products come to what this machine can do.
 *
 *     bench_kernels [--json]         VERSO_ISA chooses the kernels
 *
 * First the limits, one thread: multiplications and additions in registers,
 * and reading memory blocks that fit one cache or the other. Then every type
 * of matrix, at the shapes of translation models and 1 to 64 rows: billions
 * of operations a second, and gigabytes of weights a second. Medians.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/rng.h"
#include "model/kernels/kernels.h"

#define SAMPLES 9
#define SAMPLE_NS 1000000 // at least

static bool json;

/* ---- timing ---- */

struct work {
    void (*run)(const void *context);
    const void *context;
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double seconds_of(struct work work, int times)
{
    const int64_t start = clock_now_ns();
    for (int i = 0; i < times; i++)
        work.run(work.context);
    return (double)(clock_now_ns() - start) / 1e9;
}

/* Median time of one run, in seconds. */
static double median_seconds(struct work work)
{
    double samples[SAMPLES];
    int times = 1;
    while (seconds_of(work, times) * 1e9 < SAMPLE_NS)
        times *= 2;
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = seconds_of(work, times) / times;
    qsort(samples, SAMPLES, sizeof samples[0], by_value);
    return samples[SAMPLES / 2];
}

/* ---- the machine's limits ---- */

#if defined(KERNELS_X86)
#include <immintrin.h>

#define STEPS 20000

/* 12 sums that do not wait for each other, more than latency times units; NEXT is one step. */
#define CHAINS 12
/* clang-format off */
#define CHAIN(sum) sum = NEXT(sum); __asm__ volatile("" : "+v"(sum));
#define REPEAT(type, x)                                                                            \
    do {                                                                                           \
        type a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;   \
        for (int step = 0; step < STEPS; step++) {                                                 \
            CHAIN(a) CHAIN(b) CHAIN(c) CHAIN(d) CHAIN(e) CHAIN(f)                                  \
            CHAIN(g) CHAIN(h) CHAIN(i) CHAIN(j) CHAIN(k) CHAIN(l)                                  \
        }                                                                                          \
    } while (0)
/* clang-format on */

__attribute__((target("avx2,fma"))) static void fma_256(const void *unused)
{
    const __m256 x = _mm256_set1_ps(0.5f);
    (void)unused;
#define NEXT(sum) _mm256_fmadd_ps(sum, x, x)
    REPEAT(__m256, x);
#undef NEXT
}

__attribute__((target("avx512f"))) static void fma_512(const void *unused)
{
    const __m512 x = _mm512_set1_ps(0.5f);
    (void)unused;
#define NEXT(sum) _mm512_fmadd_ps(sum, x, x)
    REPEAT(__m512, x);
#undef NEXT
}

__attribute__((target("avx512f,avx512bf16"))) static void bf16_512(const void *unused)
{
    const __m512 x = _mm512_set1_ps(0);
    (void)unused;
#define NEXT(sum) _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)x)
    REPEAT(__m512, x);
#undef NEXT
}

__attribute__((target("avx512f,avx512vnni"))) static void vnni_512(const void *unused)
{
    const __m512i x = _mm512_set1_epi32(0);
    (void)unused;
#define NEXT(sum) _mm512_dpbusd_epi32(sum, x, x)
    REPEAT(__m512i, x);
#undef NEXT
}

static void print_peak(const char *what, void (*run)(const void *), double operations)
{
    const double seconds = median_seconds((struct work){ run, NULL });
    const double billions = operations * CHAINS * STEPS / seconds / 1e9;
    printf(json ? "{\"limit\": \"%s\", \"gops\": %.0f}\n" : "%-28s %6.0f G operations/s\n", what,
           billions);
}

static void print_peaks(void)
{
    if (__builtin_cpu_supports("fma"))
        print_peak("float32, 256 bits", fma_256, 2 * 8);
    if (__builtin_cpu_supports("avx512f"))
        print_peak("float32, 512 bits", fma_512, 2 * 16);
    if (__builtin_cpu_supports("avx512bf16"))
        print_peak("bfloat16, 512 bits", bf16_512, 4 * 16);
    if (__builtin_cpu_supports("avx512vnni"))
        print_peak("int8, 512 bits", vnni_512, 8 * 16);
}
#else
static void print_peaks(void)
{
}
#endif

struct block {
    const uint64_t *words;
    size_t count;
};

static volatile uint64_t sink;

typedef uint64_t line __attribute__((vector_size(64), aligned(8), may_alias));

static inline __attribute__((always_inline)) void read_lines(const struct block *block)
{
    line a = { 0 }, b = a, c = a, d = a;
    for (size_t i = 0; i + 32 <= block->count; i += 32) {
        const line *from = (const line *)(block->words + i);
        a ^= from[0], b ^= from[1], c ^= from[2], d ^= from[3];
    }
    a ^= b ^ c ^ d;
    sink = a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] ^ a[5] ^ a[6] ^ a[7];
}

#if defined(KERNELS_X86)
__attribute__((target("avx512f"))) static void read_512(const void *context)
{
    read_lines(context);
}
#endif

static void read_block(const void *context)
{
#if defined(KERNELS_X86)
    if (__builtin_cpu_supports("avx512f")) {
        read_512(context);
        return;
    }
#endif
    read_lines(context);
}

static void print_bandwidths(void)
{
    static const size_t kibibytes[] = { 32, 1024, 4096, 16384, 65536 };
    for (size_t i = 0; i < sizeof kibibytes / sizeof kibibytes[0]; i++) {
        const size_t bytes = kibibytes[i] << 10;
        struct block b = { aligned_alloc(64, bytes), bytes / sizeof(uint64_t) };
        if (!b.words)
            exit(EXIT_FAILURE);
        memset((void *)(uintptr_t)b.words, 1, bytes);
        const double seconds = median_seconds((struct work){ read_block, &b });
        printf(json ? "{\"limit\": \"read\", \"kib\": %zu, \"gbs\": %.0f}\n"
                    : "read %6zu KiB              %6.0f GB/s\n",
               kibibytes[i], (double)bytes / seconds / 1e9);
        free((void *)(uintptr_t)b.words);
    }
}

/* ---- products ---- */

static const char *const type_names[] = { "f32", "bf16", "int8" };
static const struct {
    int K, N;
} shapes[] = { { 256, 2048 }, { 512, 1024 }, { 512, 2048 }, { 512, 8000 }, { 1024, 2048 } };
static const int row_counts[] = { 1, 2, 4, 8, 16, 32, 64 };
#define SHAPES (sizeof shapes / sizeof shapes[0])
#define ROW_COUNTS (sizeof row_counts / sizeof row_counts[0])
#define ROWS_MAX 64

struct product {
    const struct packing *packing;
    int M, N, K;
    const float *x;
    const void *packed;
    float *y;
};

static void multiply(const void *context)
{
    const struct product *p = context;
    p->packing->product(p->M, p->N, p->K, p->x, p->K, p->packed, false, p->y, p->N);
}

static void *need(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p)
        exit(EXIT_FAILURE);
    return p;
}

static float *random_floats(size_t n)
{
    struct rng rng = rng_make(1, n);
    float *x = need(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)rng_normal(&rng);
    return x;
}

static void print_products(const struct kernels *kernels, enum weight_type type, int K, int N)
{
    const struct packing *packing = kernels->packings[type];
    const size_t bytes = packing->bytes(N, K);
    float *x = random_floats((size_t)ROWS_MAX * (size_t)K);
    float *w = random_floats((size_t)N * (size_t)K);
    float *y = need((size_t)ROWS_MAX * (size_t)N * sizeof *y);
    void *packed = need(bytes);
    packing->pack(N, K, w, packed);
    free(w);
    if (!json)
        printf("%-5s %5d %5d", type_names[type], K, N);
    for (size_t i = 0; i < ROW_COUNTS; i++) {
        const struct product p = { packing, row_counts[i], N, K, x, packed, y };
        const double seconds = median_seconds((struct work){ multiply, &p });
        const double gops = 2.0 * p.M * N * K / seconds / 1e9, gbs = (double)bytes / seconds / 1e9;
        if (json)
            printf("{\"type\": \"%s\", \"k\": %d, \"n\": %d, \"m\": %d, \"gops\": %.1f, "
                   "\"gbs\": %.1f}\n",
                   type_names[type], K, N, p.M, gops, gbs);
        else
            printf(" %6.0f/%-4.0f", gops, gbs);
    }
    if (!json)
        putchar('\n');
    free(x), free(y), free(packed);
}

int main(int argc, char **argv)
{
    json = argc > 1 && strcmp(argv[1], "--json") == 0;
    const struct kernels *kernels = kernels_best();
    if (!kernels) {
        fputs("VERSO_ISA names no instruction set that this processor has\n", stderr);
        return EXIT_FAILURE;
    }
    print_peaks();
    print_bandwidths();
    if (json)
        printf("{\"kernels\": \"%s\"}\n", kernels->name);
    else
        printf("\nkernels: %s; G operations/s / GB/s of weights\ntype      K     N"
               "   1 row       2           4           8           16          32          64\n",
               kernels->name);
    for (int type = 0; type < WEIGHT_TYPES; type++)
        for (size_t s = 0; s < SHAPES; s++)
            print_products(kernels, (enum weight_type)type, shapes[s].K, shapes[s].N);
    return EXIT_SUCCESS;
}
