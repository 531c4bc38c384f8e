/*
 * products_f32.c - products by float32 matrices; built once for each instruction set.
 */
#include "model/kernels/products.h"

#define ROW_BLOCK 196 // rows that pass a panel while it is in the cache, and stay there themselves
#define AHEAD 8       // values of k that are asked for before they are needed

/* Of many rows, each value that is read of a panel serves more of them, so the panel is passed in
 * parts: 14 x 2 accumulators of 32 registers. */
#if LANES == 16
#define MANY_ROWS 14
#define SOME_ROWS 8
#define PART_VECS 2
#define MOST_ROWS MANY_ROWS
#else
#define MOST_ROWS ROWS
#endif

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

/* R rows of V vectors of one panel; R and V are constants wherever this is inlined. */
INLINE void panel_rows(const int R, const int V, int width, int K, const float *X, int ldx,
                       const float *panel, bool accumulate, float *Y, int ldy)
{
    vec sum[MOST_ROWS][VECS];
    for (int r = 0; r < R; r++)
        for (int j = 0; j < V; j++)
            sum[r][j] = splat(0);
    for (int k = 0; k < K; k++, panel += PANEL) {
        vec w[VECS];
        for (int j = 0; j < V; j++) {
            w[j] = load(panel + j * LANES);
            __builtin_prefetch(panel + AHEAD * PANEL + j * LANES);
        }
        for (int r = 0; r < R; r++) {
            const vec x = splat(X[(size_t)r * (size_t)ldx + (size_t)k]);
            for (int j = 0; j < V; j++)
                sum[r][j] = multiply_add(x, w[j], sum[r][j]);
        }
    }
    for (int r = 0; r < R; r++)
        put_row(V, width, sum[r], accumulate, Y + (size_t)r * (size_t)ldy);
}

#ifdef MANY_ROWS
/* R rows of a panel, part by part. */
INLINE void panel_parts(const int R, int width, int K, const float *X, int ldx, const float *panel,
                        bool accumulate, float *Y, int ldy)
{
    for (int from = 0; from < width; from += PART_VECS * LANES)
        panel_rows(R, PART_VECS, width - from, K, X, ldx, panel + from, accumulate, Y + from, ldy);
}
#endif

/* The product of as many rows as one kernel takes; returns how many those were. */
static int some_rows(int M, int width, int K, const float *X, int ldx, const float *panel,
                     bool accumulate, float *Y, int ldy)
{
#ifdef MANY_ROWS
    if (M >= MANY_ROWS) {
        panel_parts(MANY_ROWS, width, K, X, ldx, panel, accumulate, Y, ldy);
        return MANY_ROWS;
    }
    if (M >= SOME_ROWS) {
        panel_parts(SOME_ROWS, width, K, X, ldx, panel, accumulate, Y, ldy);
        return SOME_ROWS;
    }
#endif
    const int rows = kernel_rows(ROWS, M);
    if (rows == ROWS)
        panel_rows(ROWS, VECS, width, K, X, ldx, panel, accumulate, Y, ldy);
    else if (rows == 4)
        panel_rows(4, VECS, width, K, X, ldx, panel, accumulate, Y, ldy);
    else if (rows == 2)
        panel_rows(2, VECS, width, K, X, ldx, panel, accumulate, Y, ldy);
    else
        panel_rows(1, VECS, width, K, X, ldx, panel, accumulate, Y, ldy);
    return rows;
}

static void panel_product(int M, int width, int K, const float *X, int ldx, const float *panel,
                          bool accumulate, float *Y, int ldy)
{
    for (int m = 0, rows; m < M; m += rows)
        rows = some_rows(M - m, width, K, X + (size_t)m * (size_t)ldx, ldx, panel, accumulate,
                         Y + (size_t)m * (size_t)ldy, ldy);
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
