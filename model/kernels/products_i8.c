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

#include "model/kernels/chosen.h"

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
#if defined(__SSE2__)
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

/* Floats that are not negative are in the order of their bits, which compilers vectorise. */
static float largest_magnitude(int K, const float *x)
{
    int32_t most = 0;
    for (int k = 0; k < K; k++) {
        int32_t bits;
        memcpy(&bits, x + k, sizeof bits);
        bits &= 0x7fffffff;
        most = bits > most ? bits : most;
    }
    float largest;
    memcpy(&largest, &most, sizeof largest);
    return largest;
}

/* What a value is multiplied by to be a code; 0 for a row without values to speak of. */
static float codes_per_unit(float largest)
{
    return largest > I8_SMALLEST_ROW ? CODE_MAX / largest : 0;
}

/* The nearest integer, halves to even: 1.5 * 2^23 has no bits left below 1. */
INLINE int32_t code_of(float x, float per_unit)
{
    const float shifted = x * per_unit + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4b400000;
}

/* `padded` codes of a row, each plus OFFSET; returns the scale. */
static float convert_row(int K, int padded, const float *restrict x, activation *restrict to)
{
    const float largest = largest_magnitude(K, x), per_unit = codes_per_unit(largest);
    for (int k = 0; k < K; k++)
        to[k] = (activation)(code_of(x[k], per_unit) + OFFSET);
    for (int k = K; k < padded; k++)
        to[k] = OFFSET;
    return largest / CODE_MAX;
}

/* ---- packing ---- */

static size_t panel_bytes(int K)
{
    return (size_t)round_up(K, STEP) * PANEL + sizeof(struct panel_end);
}

/* A row of W as column n of a panel, by whole groups; returns the sum of the codes. */
static int32_t pack_column(int K, const float *w, float per_unit, int n, int8_t *panel)
{
    enum { MOST = 256 };
    int32_t sum = 0;
    for (int from = 0; from < K; from += MOST) {
        int8_t codes[MOST] = { 0 };
        const int here = K - from < MOST ? K - from : MOST;
        for (int k = 0; k < here; k++)
            codes[k] = (int8_t)code_of(w[from + k], per_unit);
        for (int k = 0; k < here; k++)
            sum += codes[k];
        for (int k = 0; k < here; k += GROUP)
            memcpy(panel + ((from + k) / GROUP * PANEL + n) * GROUP, codes + k, GROUP);
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
            const float largest = largest_magnitude(K, w);
            end.correction[n] = OFFSET * pack_column(K, w, codes_per_unit(largest), n, panel);
            end.scale[n] = largest / CODE_MAX;
        }
        memcpy(panel + codes, &end, sizeof end);
    }
}

/* ---- sums: (rows, PANEL) of a panel over K, a multiple of STEP ---- */

/* To each lane of `sum`, the products of a group of x and one of w. */
#if defined(__AVX512VNNI__)
INLINE ivec add_groups(ivec sum, ivec x, const int8_t *w)
{
    return (ivec)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, _mm512_loadu_si512(w));
}
#elif LANES == 16
INLINE ivec add_groups(ivec sum, ivec x, const int8_t *w)
{
    const __m512i wide = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)w));
    return sum + (ivec)_mm512_madd_epi16((__m512i)x, wide);
}
#elif LANES == 8
INLINE ivec add_groups(ivec sum, ivec x, const int8_t *w)
{
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)w));
    return sum + (ivec)_mm256_madd_epi16((__m256i)x, wide);
}
#elif defined(__SSE2__)
INLINE ivec add_groups(ivec sum, ivec x, const int8_t *w)
{
    const __m128i codes = _mm_loadl_epi64((const void *)w);
    const __m128i wide = _mm_srai_epi16(_mm_unpacklo_epi8(codes, codes), 8);
    return sum + (ivec)_mm_madd_epi16((__m128i)x, wide);
}
#else
INLINE ivec add_groups(ivec sum, ivec x, const int8_t *w)
{
    typedef int8_t codes __attribute__((vector_size(LANES * GROUP)));
    typedef int16_t values __attribute__((vector_size(LANES * GROUP * sizeof(int16_t))));
    codes w_codes;
    memcpy(&w_codes, w, sizeof w_codes);
    const values x_values = (values)x, w_values = __builtin_convertvector(w_codes, values);
    ivec products;
    for (int lane = 0; lane < LANES; lane++)
        products[lane] = x_values[2 * lane] * w_values[2 * lane] +
                         x_values[2 * lane + 1] * w_values[2 * lane + 1];
    return sum + products;
}
#endif

INLINE ivec group_in_all_lanes(const activation *x)
{
    int32_t group;
    memcpy(&group, x, sizeof group);
    return group - (ivec){ 0 };
}

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
                sum[r][j] = add_groups(sum[r][j], group_in_all_lanes(x + (size_t)r * (size_t)K + k),
                                       panel + j * LANES * GROUP);
    for (int r = 0; r < R; r++)
        memcpy(sums[r], sum[r], sizeof sum[r]);
}

#if defined(__AMX_INT8__)
/* One row is too few for a tile; the layout is the same. */
INLINE void panel_sums(int rows, int K, const activation *x, const void *panel,
                       int32_t sums[][PANEL])
{
    if (rows == 1)
        kernel_sums(1, K, x, panel, sums);
    else if (rows > TILE_ROWS)
        two_tiles_of_rows(true, K / STEP, x, (size_t)K, panel, sums);
    else
        one_tile_of_rows(true, K / STEP, x, (size_t)K, panel, sums);
}
#else
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

INLINE void put_sums(int width, int K, const int32_t *sums, float scale_x, const void *panel,
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
    put_row(VECS, width, value, accumulate, y);
}

#include "model/kernels/converted.h"

/* ---- by some rows: the codes of all, a row's together, then the ends of all ---- */

#define ROW_STEP (LANES * GROUP)
LANE_SUMS(code_sums, ivec)

struct row_end {
    int32_t correction;
    float scale;
};

static size_t all_codes(int N, int K)
{
    return (size_t)N * (size_t)round_up(K, ROW_STEP);
}

static size_t rows_bytes(int N, int K)
{
    return all_codes(N, K) + (size_t)N * sizeof(struct row_end);
}

static void put_rows(int N, int K, const float *W, void *rows)
{
    const int padded = round_up(K, ROW_STEP);
    int8_t *codes = rows;
    char *ends = (char *)rows + all_codes(N, K);
    for (int n = 0; n < N; n++, W += K, codes += padded) {
        const float largest = largest_magnitude(K, W), per_unit = codes_per_unit(largest);
        struct row_end end = { 0, largest / CODE_MAX };
        for (int k = 0; k < K; k++) {
            codes[k] = (int8_t)code_of(W[k], per_unit);
            end.correction += OFFSET * codes[k];
        }
        memset(codes + K, 0, (size_t)(padded - K));
        memcpy(ends + (size_t)n * sizeof end, &end, sizeof end);
    }
}

/* LANES rows and what is to be known of them. */
struct chosen {
    const int8_t *codes[LANES];
    int32_t correction[LANES];
    float scale[LANES], bias[LANES];
};

INLINE void choose_lanes(struct chosen *chosen, const int32_t *ids, int n, int N, int K,
                         const void *rows, const float *bias)
{
    const char *ends = (const char *)rows + all_codes(N, K);
    for (int i = 0; i < LANES; i++) {
        const size_t id = chosen_id(ids, n, i);
        struct row_end end;
        memcpy(&end, ends + id * sizeof end, sizeof end);
        chosen->codes[i] = (const int8_t *)rows + id * (size_t)round_up(K, ROW_STEP);
        chosen->correction[i] = end.correction;
        chosen->scale[i] = end.scale;
        chosen->bias[i] = bias[id];
    }
}

INLINE vec chosen_lanes(const struct chosen *chosen, int padded, const activation *x, float scale_x)
{
    ivec sum[LANES];
    for (int i = 0; i < LANES; i++)
        sum[i] = (ivec){ 0 };
    for (int k = 0; k < padded; k += ROW_STEP) {
        ivec groups;
        memcpy(&groups, x + k, sizeof groups);
        for (int i = 0; i < LANES; i++)
            sum[i] = add_groups(sum[i], groups, chosen->codes[i] + k);
    }
    ivec correction;
    memcpy(&correction, chosen->correction, sizeof correction);
    return splat(scale_x) * load(chosen->scale) *
               __builtin_convertvector(code_sums(sum) - correction, vec) +
           load(chosen->bias);
}

static void product_of_rows(int M, int count, int N, int K, const float *X, int ldx,
                            const void *rows, const int32_t *ids, const float *bias, float *Y,
                            int ldy)
{
    struct block block;
    struct chosen chosen;
    const int padded = round_up(K, ROW_STEP), most = rows_of_block(padded);
    for (int first = 0; first < M; first += most, X += (size_t)most * (size_t)ldx) {
        const int here = M - first < most ? M - first : most;
        convert_block(&block, here, 1, K, padded, X, ldx);
        for (int from = 0; from < count; from += LANES) {
            const int n = count - from < LANES ? count - from : LANES;
            choose_lanes(&chosen, ids + from, n, N, K, rows, bias);
            for (int m = 0; m < here; m++)
                store_lanes(Y + (size_t)(first + m) * (size_t)ldy + from,
                            chosen_lanes(&chosen, padded, block.values + (size_t)m * (size_t)padded,
                                         block.scales[m]),
                            n);
        }
    }
}

const struct packing VARIANT(packing_i8) = { .bytes = bytes,
                                             .pack = pack,
                                             .product = product,
                                             .rows_bytes = rows_bytes,
                                             .put_rows = put_rows,
                                             .product_of_rows = product_of_rows };
