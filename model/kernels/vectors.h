/*
 * vectors.h - vectors of the instruction set that a file is built for.
 *
 * Written with the compiler's vector types, so one source serves AVX-512 (16
 * lanes), AVX2 (8) and what every 64-bit machine has (4). KERNELS_ISA is the
 * name of the instruction set: VARIANT(kernels) is kernels_avx2 and so on.
 */
#ifndef MODEL_KERNELS_VECTORS_H
#define MODEL_KERNELS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define VARIANT(name) VARIANT_EXPANDED(name, KERNELS_ISA)
#define VARIANT_EXPANDED(name, isa) VARIANT_JOINED(name, isa)
#define VARIANT_JOINED(name, isa) name##_##isa

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t ivec __attribute__((vector_size(LANES * sizeof(float))));
typedef uint32_t uvec __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef uint16_t halves __attribute__((vector_size(LANES * sizeof(uint16_t)))); // of bfloat16
typedef vec loose __attribute__((aligned(4), may_alias)); // in memory: no alignment assumed

INLINE vec load(const float *p)
{
    return *(const loose *)p;
}

INLINE void store(float *p, vec x)
{
    *(loose *)p = x;
}

INLINE vec load_part(const float *p, int n)
{
    vec x = { 0 };
    memcpy(&x, p, (size_t)n * sizeof(float));
    return x;
}

INLINE void store_part(float *p, vec x, int n)
{
    memcpy(p, &x, (size_t)n * sizeof(float));
}

/* n lanes; all of them without a test where n is a constant. */
INLINE vec load_lanes(const float *p, int n)
{
    return n == LANES ? load(p) : load_part(p, n);
}

INLINE void store_lanes(float *p, vec x, int n)
{
    if (n == LANES)
        store(p, x);
    else
        store_part(p, x, n);
}

/* n values of a row, of floats or of bfloat16. */
INLINE vec load_values(const bool is_bf16, const void *rows, size_t at, int n)
{
    if (!is_bf16)
        return load_lanes((const float *)rows + at, n);
    halves upper = { 0 };
    memcpy(&upper, (const uint16_t *)rows + at, n == LANES ? sizeof upper : (size_t)n * 2);
#if LANES == 16
    return (vec)((uvec)_mm512_cvtepu16_epi32((__m256i)upper) << 16);
#elif LANES == 8
    return (vec)((uvec)_mm256_cvtepu16_epi32((__m128i)upper) << 16);
#else
    return (vec)(__builtin_convertvector(upper, uvec) << 16);
#endif
}

INLINE vec splat(float x)
{
    return x - (vec){ 0 };
}

/* x w + sum, rounded once wherever the processor can: left to compilers, what is written once and
 * inlined in several places would round twice in some. */
INLINE vec multiply_add(vec x, vec w, vec sum)
{
#if LANES == 16
    return (vec)_mm512_fmadd_ps((__m512)x, (__m512)w, (__m512)sum);
#elif LANES == 8
    return (vec)_mm256_fmadd_ps((__m256)x, (__m256)w, (__m256)sum);
#else
    return sum + x * w;
#endif
}

/* sum - x w, likewise. */
INLINE vec multiply_subtract(vec x, vec w, vec sum)
{
#if LANES == 16
    return (vec)_mm512_fnmadd_ps((__m512)x, (__m512)w, (__m512)sum);
#elif LANES == 8
    return (vec)_mm256_fnmadd_ps((__m256)x, (__m256)w, (__m256)sum);
#else
    return sum - x * w;
#endif
}

#endif
