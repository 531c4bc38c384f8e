/*
 * products_f32.c - products by float32 matrices; built once for each instruction set.
 */
#include "model/kernels/chosen.h"

#define ROW_BLOCK 196 // rows that pass a panel while it is in the cache, and stay there themselves
#define AHEAD 8       // values of k that are asked for before they are needed

/* Of many rows, each value that is read of a panel serves more of them, so the panel is passed in
 * parts: 14 x 2 accumulators of 32 registers. */
#if LANES == 16
#define MOST_ROWS 14
#define PART_VECS 2
#else
#define MOST_ROWS ROWS
#define PART_VECS VECS
#endif

static size_t bytes(int N, int K)
{
    return panel_count(N) * (size_t)K * PANEL * sizeof(float);
}

/* Some k of all columns at a time, so that what is written stays in the nearest cache. */
static void pack(int N, int K, const float *W, void *packed)
{
    enum { BLOCK = 16 };
    float *panel = packed;
    for (int from = 0; from < N; from += PANEL, panel += (size_t)K * PANEL) {
        for (int first = 0; first < K; first += BLOCK) {
            const int end = first + BLOCK < K ? first + BLOCK : K;
            for (int n = 0; n < PANEL; n++) {
                const float *w = from + n < N ? W + (size_t)(from + n) * (size_t)K : NULL;
                for (int k = first; k < end; k++)
                    panel[(size_t)k * PANEL + (size_t)n] = w ? w[k] : 0;
            }
        }
    }
}

static void pack_transposed(int N, int K, const float *W, void *packed)
{
    float *panel = packed;
    for (int from = 0; from < N; from += PANEL) {
        const int width = N - from < PANEL ? N - from : PANEL;
        for (int k = 0; k < K; k++, panel += PANEL) {
            memcpy(panel, W + (size_t)k * (size_t)N + from, (size_t)width * sizeof *panel);
            memset(panel + width, 0, (size_t)(PANEL - width) * sizeof *panel);
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

/* R rows of a panel, part by part if there are many. */
INLINE void panel_parts(const int R, int width, int K, const float *X, int ldx, const float *panel,
                        bool accumulate, float *Y, int ldy)
{
    const int V = R > ROWS ? PART_VECS : VECS;
    for (int from = 0; from < width; from += V * LANES)
        panel_rows(R, V, width - from, K, X, ldx, panel + from, accumulate, Y + from, ldy);
}

/* The product of as many rows as one kernel takes; returns how many those were. */
static int some_rows(int M, int width, int K, const float *X, int ldx, const float *panel,
                     bool accumulate, float *Y, int ldy)
{
    const int rows = M < MOST_ROWS ? M : MOST_ROWS;
#define ROWS_CASE(R)                                                                               \
    case R:                                                                                        \
        panel_parts(R, width, K, X, ldx, panel, accumulate, Y, ldy);                               \
        break
    switch (rows) {
        ROWS_CASE(1);
        ROWS_CASE(2);
        ROWS_CASE(3);
        ROWS_CASE(4);
#if MOST_ROWS > 4
        ROWS_CASE(5);
        ROWS_CASE(6);
#endif
#if MOST_ROWS > 6
        ROWS_CASE(7);
        ROWS_CASE(8);
        ROWS_CASE(9);
        ROWS_CASE(10);
        ROWS_CASE(11);
        ROWS_CASE(12);
        ROWS_CASE(13);
        ROWS_CASE(14);
#endif
    }
#undef ROWS_CASE
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

static void product_of_rows(int M, int count, int N, int K, const float *X, int ldx,
                            const void *rows, const int32_t *ids, const float *bias, float *Y,
                            int ldy)
{
    (void)N;
    float_product_of_rows(false, M, count, K, X, ldx, rows, ids, bias, Y, ldy);
}

const struct packing VARIANT(packing_f32) = { .bytes = bytes,
                                              .pack = pack,
                                              .pack_transposed = pack_transposed,
                                              .product = product,
                                              .product_of_rows = product_of_rows };
