/*
 * products_bf16.c - products by bfloat16 matrices; built once for each instruction set.
 *
 * With AMX or AVX512_BF16 the rows of X are rounded to bfloat16 too and pairs
 * are multiplied at once; elsewhere the weights are widened and X stays as it
 * is. Sums are float32. One way for any number of rows, so that a row's bits
 * do not depend on it.
 */
#include <assert.h>

#include "model/kernels/chosen.h"

#if defined(__AMX_BF16__)
#include "model/kernels/tiles.h"
#define GROUP (GROUP_BYTES / 2)
#define STEP (TILE_BYTES / 2)
#define KERNEL_ROWS (2 * TILE_ROWS)
typedef uint16_t activation;
#elif defined(__AVX512BF16__)
#define GROUP 2
#define STEP GROUP
#define KERNEL_ROWS ROWS
typedef uint16_t activation;
#else
#define GROUP 1
#define STEP GROUP
#define KERNEL_ROWS ROWS
typedef float activation;
#endif
typedef float sum_type;

/* ---- packing ---- */

static size_t panel_bytes(int K)
{
    return (size_t)round_up(K, STEP) * PANEL * sizeof(uint16_t);
}

/* Row n of W as a column of a panel. */
static void pack_column(int K, const float *w, int n, uint16_t *panel)
{
    uint16_t rounded[256];
    const int most = (int)(sizeof rounded / sizeof rounded[0]);
    for (int from = 0; from < K; from += most) {
        const int here = K - from < most ? K - from : most;
        VARIANT(kernels).to_bf16((size_t)here, w + from, rounded);
        for (int i = 0; i < here; i++) {
            const int k = from + i;
            panel[(k / GROUP * PANEL + n) * GROUP + k % GROUP] = rounded[i];
        }
    }
}

static void pack(int N, int K, const float *W, void *packed)
{
    char *panel = packed;
    for (int from = 0; from < N; from += PANEL, panel += panel_bytes(K)) {
        memset(panel, 0, panel_bytes(K));
        for (int n = 0; n < PANEL && from + n < N; n++)
            pack_column(K, W + (size_t)(from + n) * (size_t)K, n, (void *)panel);
    }
}

static void pack_transposed(int N, int K, const float *W, void *packed)
{
    char *panel = packed;
    for (int from = 0; from < N; from += PANEL, panel += panel_bytes(K)) {
        const int width = N - from < PANEL ? N - from : PANEL;
        uint16_t *to = (void *)panel, rounded[PANEL];
        memset(panel, 0, panel_bytes(K));
        for (int k = 0; k < K; k++) {
            VARIANT(kernels).to_bf16((size_t)width, W + (size_t)k * (size_t)N + from, rounded);
            for (int n = 0; n < width; n++)
                to[(k / GROUP * PANEL + n) * GROUP + k % GROUP] = rounded[n];
        }
    }
}

/* ---- sums: (rows, PANEL) of a panel over K, a multiple of STEP ---- */

/* A row filled with zeros to `padded`; bf16 needs no scale. */
static float convert_row(int K, int padded, const float *x, activation *to)
{
#if GROUP == 1
    memcpy(to, x, (size_t)K * sizeof *to);
#else
    VARIANT(kernels).to_bf16((size_t)K, x, to);
#endif
    memset(to + K, 0, (size_t)(padded - K) * sizeof *to);
    return 1;
}

#if defined(__AMX_BF16__)

INLINE void panel_sums(int rows, int K, const activation *x, const void *panel, float sums[][PANEL])
{
    if (rows > TILE_ROWS)
        two_tiles_of_rows(false, K / STEP, x, (size_t)K * sizeof *x, panel, sums);
    else
        one_tile_of_rows(false, K / STEP, x, (size_t)K * sizeof *x, panel, sums);
}

#else

#if defined(__AVX512BF16__)
INLINE vec add_group(vec sum, const activation *x, const uint16_t *w)
{
    int32_t pair;
    memcpy(&pair, x, sizeof pair);
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair),
                                 (__m512bh)_mm512_loadu_si512(w));
}
#else
INLINE vec add_group(vec sum, const activation *x, const uint16_t *w)
{
    return multiply_add(splat(*x), load_values(true, w, 0, LANES), sum);
}
#endif

INLINE void kernel_sums(const int R, int K, const activation *x, const uint16_t *panel,
                        float sums[][PANEL])
{
    vec sum[KERNEL_ROWS][VECS];
    for (int r = 0; r < R; r++)
        for (int j = 0; j < VECS; j++)
            sum[r][j] = splat(0);
    for (int k = 0; k < K; k += GROUP, panel += PANEL * GROUP)
        for (int r = 0; r < R; r++)
            for (int j = 0; j < VECS; j++)
                sum[r][j] =
                    add_group(sum[r][j], x + (size_t)r * (size_t)K + k, panel + j * LANES * GROUP);
    for (int r = 0; r < R; r++)
        memcpy(sums[r], sum[r], sizeof sum[r]);
}

INLINE void panel_sums(int rows, int K, const activation *x, const void *panel, float sums[][PANEL])
{
    if (rows == KERNEL_ROWS)
        kernel_sums(KERNEL_ROWS, K, x, panel, sums);
    else if (rows == 4)
        kernel_sums(4, K, x, panel, sums);
    else if (rows == 2)
        kernel_sums(2, K, x, panel, sums);
    else
        kernel_sums(1, K, x, panel, sums);
}

#endif

INLINE void put_sums(int width, int K, const float *sums, float scale, const void *panel,
                     bool accumulate, float *y)
{
    (void)K, (void)scale, (void)panel;
    vec value[VECS];
    memcpy(value, sums, sizeof value);
    put_row(VECS, width, value, accumulate, y);
}

#include "model/kernels/converted.h"

/* ---- by some rows ---- */

static size_t rows_bytes(int N, int K)
{
    return (size_t)N * (size_t)K * sizeof(uint16_t);
}

static void put_rows(int N, int K, const float *W, void *rows)
{
    VARIANT(kernels).to_bf16((size_t)N * (size_t)K, W, rows);
}

static void product_of_rows(int M, int count, int N, int K, const float *X, int ldx,
                            const void *rows, const int32_t *ids, const float *bias, float *Y,
                            int ldy)
{
    (void)N;
    float_product_of_rows(true, M, count, K, X, ldx, rows, ids, bias, Y, ldy);
}

const struct packing VARIANT(packing_bf16) = { .bytes = bytes,
                                               .pack = pack,
                                               .pack_transposed = pack_transposed,
                                               .product = product,
                                               .rows_bytes = rows_bytes,
                                               .put_rows = put_rows,
                                               .product_of_rows = product_of_rows };
