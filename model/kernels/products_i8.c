/*
 * products_i8.c - products by int8 matrices; built once for each instruction set.
 *
 * A row of W and a row of X are each scaled so that the largest magnitude is
 * 127 and rounded; the sums of their products are int32 and exact, so all
 * instruction sets agree on them, and the file is built without contraction,
 * so they agree on the rest:
 *
 *     y_mn = (scale_x_m scale_w_n) float(sum_mn)   (+ y_mn)
 *
 * VNNI and AMX multiply unsigned by signed: there x is kept as x + 128, and
 * 128 Σ_k w_nk is taken off again. (vpmaddubsw saturates: without VNNI both
 * are widened to int16.)
 */
#include <assert.h>
#include <math.h>

#include "model/kernels/products.h"

#if defined(__AMX_INT8__)
#include "model/kernels/tiles.h"
#define GROUP GROUP_BYTES
#define STEP TILE_BYTES
#define KERNEL_ROWS (2 * TILE_ROWS)
#define OFFSET 128
typedef uint8_t activation;
#elif defined(__AVX512VNNI__)
#include <immintrin.h>
#define GROUP 4
#define STEP GROUP
#define KERNEL_ROWS 4 // gcc 12 spills 6
#define OFFSET 128
typedef uint8_t activation;
#else
#if defined(__AVX2__)
#include <immintrin.h>
#endif
#define GROUP 2
#define STEP GROUP
#define KERNEL_ROWS 4
#define OFFSET 0
typedef int16_t activation;
#endif
typedef int32_t sum_type;
#define CODE_MAX 127

/* Behind the codes of a panel. */
struct panel_end {
    int32_t correction[PANEL]; // OFFSET Σ_k w_nk
    float scale[PANEL];
};

/* ---- rounding to int8 ---- */

INLINE vec magnitude(vec x)
{
    return (vec)((ivec)x & 0x7fffffff);
}

static float largest_magnitude(int K, const float *x)
{
    vec most = splat(0);
    for (int k = 0; k < K; k += LANES) {
        const vec v = magnitude(load_lanes(x + k, K - k < LANES ? K - k : LANES));
        const ivec larger = v > most;
        most = (vec)((larger & (ivec)v) | (~larger & (ivec)most));
    }
    float max = 0;
    for (int lane = 0; lane < LANES; lane++)
        max = fmaxf(max, most[lane]);
    return max;
}

/* What a value is multiplied by to be a code; 0 for a row without values to speak of. */
static float codes_per_unit(float max)
{
    return max > I8_SMALLEST_ROW ? CODE_MAX / max : 0;
}

/* Nearest integers, halves to even. */
INLINE ivec codes_of(vec x, float per_unit)
{
    const vec magic = splat(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
    return (ivec)(x * splat(per_unit) + magic) - (ivec)magic;
}

/* `padded` codes of a row, each plus OFFSET; returns the scale. */
static float convert_row(int K, int padded, const float *x, activation *to)
{
    typedef activation lanes __attribute__((vector_size(LANES * sizeof(activation))));
    const float max = largest_magnitude(K, x), per_unit = codes_per_unit(max);
    for (int k = 0; k < padded; k += LANES) {
        const int left = padded - k, given = K - k;
        const vec v = given > 0 ? load_lanes(x + k, given < LANES ? given : LANES) : splat(0);
        const lanes codes = __builtin_convertvector(codes_of(v, per_unit) + OFFSET, lanes);
        memcpy(to + k, &codes, left < LANES ? (size_t)left * sizeof *to : sizeof codes);
    }
    return max / CODE_MAX;
}

/* ---- packing ---- */

static size_t panel_bytes(int K)
{
    return (size_t)round_up(K, STEP) * PANEL + sizeof(struct panel_end);
}

/* Row n of W as a column of a panel; returns the sum of the codes. */
static int32_t pack_column(int K, const float *w, float per_unit, int n, int8_t *panel)
{
    int32_t sum = 0;
    for (int k = 0; k < K; k += LANES) {
        const int here = K - k < LANES ? K - k : LANES;
        const ivec codes = codes_of(load_lanes(w + k, here), per_unit);
        for (int lane = 0; lane < here; lane++) {
            const int at = k + lane;
            sum += codes[lane];
            panel[(at / GROUP * PANEL + n) * GROUP + at % GROUP] = (int8_t)codes[lane];
        }
    }
    return sum;
}

static void pack(int N, int K, const float *W, void *packed)
{
    const size_t codes = (size_t)round_up(K, STEP) * PANEL;
    int8_t *panel = packed;
    for (int from = 0; from < N; from += PANEL, panel += panel_bytes(K)) {
        struct panel_end end = { { 0 }, { 0 } };
        memset(panel, 0, codes);
        for (int n = 0; n < PANEL && from + n < N; n++) {
            const float *w = W + (size_t)(from + n) * (size_t)K;
            const float max = largest_magnitude(K, w);
            end.correction[n] = OFFSET * pack_column(K, w, codes_per_unit(max), n, panel);
            end.scale[n] = max / CODE_MAX;
        }
        memcpy(panel + codes, &end, sizeof end);
    }
}

/* ---- sums: (rows, PANEL) of a panel over K, a multiple of STEP ---- */

#if defined(__AMX_INT8__)

INLINE void panel_sums(int rows, int K, const activation *x, const void *panel,
                       int32_t sums[][PANEL])
{
    if (rows > TILE_ROWS)
        two_tiles_of_rows(true, K / STEP, x, (size_t)K, panel, sums);
    else
        one_tile_of_rows(true, K / STEP, x, (size_t)K, panel, sums);
}

#else

#if defined(__AVX512VNNI__)
INLINE ivec add_group(ivec sum, const activation *x, const int8_t *w)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, _mm512_set1_epi32(group), _mm512_loadu_si512(w));
}
#elif LANES == 16
INLINE ivec add_group(ivec sum, const activation *x, const int8_t *w)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    const __m512i wide = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)w));
    return sum + (ivec)_mm512_madd_epi16(_mm512_set1_epi32(group), wide);
}
#elif LANES == 8
INLINE ivec add_group(ivec sum, const activation *x, const int8_t *w)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)w));
    return sum + (ivec)_mm256_madd_epi16(_mm256_set1_epi32(group), wide);
}
#else
INLINE ivec add_group(ivec sum, const activation *x, const int8_t *w)
{
    typedef int8_t codes __attribute__((vector_size(LANES * GROUP)));
    codes pairs;
    memcpy(&pairs, w, sizeof pairs);
    const ivec first =
        __builtin_convertvector(__builtin_shufflevector(pairs, pairs, 0, 2, 4, 6), ivec);
    const ivec second =
        __builtin_convertvector(__builtin_shufflevector(pairs, pairs, 1, 3, 5, 7), ivec);
    return sum + first * x[0] + second * x[1];
}
#endif

INLINE void kernel_sums(const int R, int K, const activation *x, const int8_t *panel,
                        int32_t sums[][PANEL])
{
    ivec sum[KERNEL_ROWS][VECS];
    for (int r = 0; r < R; r++)
        for (int j = 0; j < VECS; j++)
            sum[r][j] = (ivec){ 0 };
    for (int k = 0; k < K; k += GROUP, panel += PANEL * GROUP)
        for (int r = 0; r < R; r++)
            for (int j = 0; j < VECS; j++)
                sum[r][j] =
                    add_group(sum[r][j], x + (size_t)r * (size_t)K + k, panel + j * LANES * GROUP);
    for (int r = 0; r < R; r++)
        memcpy(sums[r], sum[r], sizeof sum[r]);
}

INLINE void panel_sums(int rows, int K, const activation *x, const void *panel,
                       int32_t sums[][PANEL])
{
    if (rows == KERNEL_ROWS)
        kernel_sums(KERNEL_ROWS, K, x, panel, sums);
    else if (rows == 2)
        kernel_sums(2, K, x, panel, sums);
    else
        kernel_sums(1, K, x, panel, sums);
}

#endif

static void put_sums(int width, int K, const int32_t *sums, float scale_x, const void *panel,
                     bool accumulate, float *y)
{
    const struct panel_end *end = (const void *)((const int8_t *)panel + (size_t)K * PANEL);
    vec value[VECS];
    for (int j = 0; j < VECS; j++) {
        ivec sum, correction;
        memcpy(&sum, sums + j * LANES, sizeof sum);
        memcpy(&correction, end->correction + j * LANES, sizeof correction);
        const vec scale = splat(scale_x) * load(end->scale + j * LANES);
        value[j] = scale * __builtin_convertvector(sum - correction, vec);
    }
    put_row(width, value, accumulate, y);
}

#include "model/kernels/converted.h"

const struct packing VARIANT(packing_i8) = { .bytes = bytes, .pack = pack, .product = product };
