/*
 * chosen.h - what products by some rows of a matrix have in common: LANES rows that are told by
 * their ids pass a row of X together, an accumulator each.
 */
#ifndef MODEL_KERNELS_CHOSEN_H
#define MODEL_KERNELS_CHOSEN_H

#include "model/kernels/products.h"

/* Lane i is the sum of the lanes of sum[i]; the sums are used up. */
#if LANES == 16
#define LANE_SUMS(name, type)                                                                      \
    INLINE type name(type *sum)                                                                    \
    {                                                                                              \
        for (int i = 0; i < 8; i++)                                                                \
            sum[i] = (type)_mm512_unpacklo_epi32((__m512i)sum[2 * i], (__m512i)sum[2 * i + 1]) +   \
                     (type)_mm512_unpackhi_epi32((__m512i)sum[2 * i], (__m512i)sum[2 * i + 1]);    \
        for (int i = 0; i < 4; i++)                                                                \
            sum[i] = (type)_mm512_unpacklo_epi64((__m512i)sum[2 * i], (__m512i)sum[2 * i + 1]) +   \
                     (type)_mm512_unpackhi_epi64((__m512i)sum[2 * i], (__m512i)sum[2 * i + 1]);    \
        for (int quarters = 2; quarters > 0; quarters--)                                           \
            for (int i = 0; i < quarters; i++) {                                                   \
                const __m512i a = (__m512i)sum[2 * i], b = (__m512i)sum[2 * i + 1];                \
                sum[i] = (type)_mm512_shuffle_i32x4(a, b, 0x88) +                                  \
                         (type)_mm512_shuffle_i32x4(a, b, 0xdd);                                   \
            }                                                                                      \
        return sum[0];                                                                             \
    }
#else
#define LANE_SUMS(name, type)                                                                      \
    INLINE type name(type *sum)                                                                    \
    {                                                                                              \
        type all = { 0 };                                                                          \
        for (int i = 0; i < LANES; i++) {                                                          \
            type one = sum[i];                                                                     \
            for (int half = LANES / 2; half > 0; half /= 2)                                        \
                for (int j = 0; j < half; j++)                                                     \
                    one[j] += one[j + half];                                                       \
            all[i] = one[0];                                                                       \
        }                                                                                          \
        return all;                                                                                \
    }
#endif
LANE_SUMS(lane_sums, vec)

/* The id of lane i where n lanes have one; the others repeat the first. */
INLINE size_t chosen_id(const int32_t *ids, int n, int i)
{
    return (size_t)ids[i < n ? i : 0];
}

/* Of a matrix of floats or of bfloat16; is_bf16 is a constant wherever this is inlined. */
INLINE void float_product_of_rows(const bool is_bf16, int M, int count, int K, const float *X,
                                  int ldx, const void *rows, const int32_t *ids, const float *bias,
                                  float *Y, int ldy)
{
    for (int from = 0; from < count; from += LANES, ids += LANES) {
        const int n = count - from < LANES ? count - from : LANES;
        size_t row[LANES];
        float bias_of[LANES];
        for (int i = 0; i < LANES; i++) {
            row[i] = chosen_id(ids, n, i) * (size_t)K;
            bias_of[i] = bias[chosen_id(ids, n, i)];
        }
        for (int m = 0; m < M; m++) {
            const float *x = X + (size_t)m * (size_t)ldx;
            vec sum[LANES];
            for (int i = 0; i < LANES; i++)
                sum[i] = splat(0);
            for (int k = 0; k < K; k += LANES) {
                const int here = K - k < LANES ? K - k : LANES;
                const vec values = load_lanes(x + k, here);
                for (int i = 0; i < LANES; i++)
                    sum[i] = multiply_add(
                        values, load_values(is_bf16, rows, row[i] + (size_t)k, here), sum[i]);
            }
            store_lanes(Y + (size_t)m * (size_t)ldy + from, lane_sums(sum) + load(bias_of), n);
        }
    }
}

#endif
