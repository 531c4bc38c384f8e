/*
 * products_f32.c - products by float32 matrices; built once for each instruction set.
 */
#include "model/kernels/products.h"

#define ROW_BLOCK 192 // rows that pass a panel while it is in the cache, and stay there themselves

static size_t bytes(int N, int K)
{
    return panel_count(N) * (size_t)K * PANEL * sizeof(float);
}

/* Some k of all columns at a time, so that what is written stays in the nearest cache. */
static void pack(int N, int K, const float *W, const int32_t *rows, void *packed)
{
    enum { BLOCK = 16 };
    float *panel = packed;
    for (int from = 0; from < N; from += PANEL, panel += (size_t)K * PANEL) {
        for (int first = 0; first < K; first += BLOCK) {
            const int end = first + BLOCK < K ? first + BLOCK : K;
            for (int n = 0; n < PANEL; n++) {
                const float *w = from + n < N ? packed_row(W, K, rows, from + n) : NULL;
                for (int k = first; k < end; k++)
                    panel[(size_t)k * PANEL + (size_t)n] = w ? w[k] : 0;
            }
        }
    }
}

/* R rows of one panel; R is a constant wherever this is inlined. */
INLINE void panel_rows(const int R, int width, int K, const float *X, int ldx, const float *panel,
                       bool accumulate, float *Y, int ldy)
{
    vec sum[ROWS][VECS];
    for (int r = 0; r < R; r++)
        for (int j = 0; j < VECS; j++)
            sum[r][j] = splat(0);
    for (int k = 0; k < K; k++, panel += PANEL) {
        vec w[VECS];
        for (int j = 0; j < VECS; j++)
            w[j] = load(panel + j * LANES);
        for (int r = 0; r < R; r++) {
            const vec x = splat(X[(size_t)r * (size_t)ldx + (size_t)k]);
            for (int j = 0; j < VECS; j++)
                sum[r][j] += x * w[j];
        }
    }
    for (int r = 0; r < R; r++)
        put_row(width, sum[r], accumulate, Y + (size_t)r * (size_t)ldy);
}

static void panel_product(int M, int width, int K, const float *X, int ldx, const float *panel,
                          bool accumulate, float *Y, int ldy)
{
    for (int m = 0; m < M;) {
        const float *x = X + (size_t)m * (size_t)ldx;
        float *y = Y + (size_t)m * (size_t)ldy;
        const int rows = kernel_rows(ROWS, M - m);
        if (rows == ROWS)
            panel_rows(ROWS, width, K, x, ldx, panel, accumulate, y, ldy);
        else if (rows == 4)
            panel_rows(4, width, K, x, ldx, panel, accumulate, y, ldy);
        else if (rows == 2)
            panel_rows(2, width, K, x, ldx, panel, accumulate, y, ldy);
        else
            panel_rows(1, width, K, x, ldx, panel, accumulate, y, ldy);
        m += rows;
    }
}

static void product(int M, int N, int K, const float *X, int ldx, const void *packed,
                    bool accumulate, float *Y, int ldy)
{
    for (int m = 0; m < M; m += ROW_BLOCK) {
        const int rows = M - m < ROW_BLOCK ? M - m : ROW_BLOCK;
        const float *panel = packed;
        for (int n = 0; n < N; n += PANEL, panel += (size_t)K * PANEL)
            panel_product(rows, N - n < PANEL ? N - n : PANEL, K, X + (size_t)m * (size_t)ldx, ldx,
                          panel, accumulate, Y + (size_t)m * (size_t)ldy + n, ldy);
    }
}

const struct packing VARIANT(packing_f32) = { .bytes = bytes, .pack = pack, .product = product };
