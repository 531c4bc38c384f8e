/*
 * converted.h - the product of products_bf16.c and products_i8.c, which
 * include it last: rows of X are converted a block at a time, then the block
 * goes past all panels.
 *
 * The including file has: activation, what a value of X becomes; sum_type;
 * STEP, a multiple of which K is filled up to; KERNEL_ROWS, the most rows of
 * one panel_sums(); panel_bytes(), convert_row(), panel_sums(), put_sums().
 */
#define CONVERTED_BYTES (128 << 10) // of a block, on the stack
#define BLOCK_ROWS_MAX 256

struct block {
    _Alignas(64) activation values[CONVERTED_BYTES / sizeof(activation)];
    float scales[BLOCK_ROWS_MAX];
};

/* Whole tiles, where a row is not so long that not even one fits. */
static int rows_of_block(int K)
{
    const int fit = (int)(CONVERTED_BYTES / sizeof(activation)) / K;
    assert(fit > 0);
    return fit < 16 ? fit : fit > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : fit / 16 * 16;
}

#if defined(__AMX_TILE__)
INLINE int tiles_start(int rows)
{
    const int height = rows < TILE_ROWS ? rows : TILE_ROWS;
    tiles_begin(height);
    return height;
}

INLINE int next_rows(int height, int left)
{
    return left > TILE_ROWS ? 2 * TILE_ROWS : height;
}
#else
INLINE int tiles_start(int rows)
{
    (void)rows;
    return 1;
}

INLINE int next_rows(int height, int left)
{
    (void)height;
    return kernel_rows(KERNEL_ROWS, left);
}

INLINE void tiles_end(void)
{
}
#endif

static void convert_block(struct block *block, int M, int height, int K, int padded, const float *X,
                          int ldx)
{
    for (int m = 0; m < M; m++)
        block->scales[m] = convert_row(K, padded, X + (size_t)m * (size_t)ldx,
                                       block->values + (size_t)m * (size_t)padded);
    const size_t missing = (size_t)(round_up(M, height) - M);
    memset(block->values + (size_t)M * (size_t)padded, 0,
           missing * (size_t)padded * sizeof(activation));
}

INLINE void panel_product(int M, int height, int width, int K, const struct block *block,
                          const void *panel, bool accumulate, float *Y, int ldy)
{
    _Alignas(64) sum_type sums[KERNEL_ROWS][PANEL];
    for (int m = 0; m < M;) {
        const int rows = next_rows(height, M - m);
        panel_sums(rows, K, block->values + (size_t)m * (size_t)K, panel, sums);
        for (int r = 0; r < rows && m < M; r++, m++)
            put_sums(width, K, sums[r], block->scales[m], panel, accumulate,
                     Y + (size_t)m * (size_t)ldy);
    }
}

/* The width of all panels but perhaps the last is a constant, and whether to add where it is so. */
static void panel_product_of(int M, int height, int width, int K, const struct block *block,
                             const void *panel, bool accumulate, float *Y, int ldy)
{
    if (width == PANEL && accumulate)
        panel_product(M, height, PANEL, K, block, panel, true, Y, ldy);
    else if (width == PANEL)
        panel_product(M, height, PANEL, K, block, panel, false, Y, ldy);
    else
        panel_product(M, height, width, K, block, panel, accumulate, Y, ldy);
}

static size_t bytes(int N, int K)
{
    return panel_count(N) * panel_bytes(K);
}

static void product(int M, int N, int K, const float *X, int ldx, const void *packed,
                    bool accumulate, float *Y, int ldy)
{
    struct block block;
    const int padded = round_up(K, STEP), most = rows_of_block(padded);
    const int height = tiles_start(M < most ? M : most);
    for (int m = 0; m < M; m += most) {
        const int rows = M - m < most ? M - m : most;
        const char *panel = packed;
        convert_block(&block, rows, height, K, padded, X + (size_t)m * (size_t)ldx, ldx);
        for (int n = 0; n < N; n += PANEL, panel += panel_bytes(K))
            panel_product_of(rows, height, N - n < PANEL ? N - n : PANEL, padded, &block, panel,
                             accumulate, Y + (size_t)m * (size_t)ldy + n, ldy);
    }
    tiles_end();
}
