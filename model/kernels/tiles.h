/*
 * tiles.h - sums of bf16 or int8 products by the tile registers of AMX; built for it alone.
 *
 * A tile is 16 rows of 64 bytes. One instruction adds to a tile of sums (rows
 * x 16 columns) the product of a tile of rows (rows x 64 bytes of k) and one
 * of weights (64 bytes of k x 16 columns, k in groups of 4 bytes).
 */
#ifndef MODEL_KERNELS_TILES_H
#define MODEL_KERNELS_TILES_H

#include <immintrin.h>

#include "model/kernels/products.h"

#define TILE_ROWS 16
#define TILE_BYTES 64 // of k: a step
#define GROUP_BYTES 4
#define WEIGHT_STRIDE (PANEL * GROUP_BYTES)
#define PANEL_STEP (TILE_BYTES / GROUP_BYTES * WEIGHT_STRIDE) // bytes of a panel in a step

/* Tiles of `rows` rows from here to tiles_end. Tiles 0 to 3 are sums, 4 and 5 rows, 6 and 7
 * weights. */
INLINE void tiles_begin(int rows)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shape = { .palette = 1 };
    for (int t = 0; t < 8; t++) {
        shape.row_bytes[t] = TILE_BYTES;
        shape.rows[t] = (uint8_t)(t < 6 ? rows : TILE_ROWS);
    }
    _tile_loadconfig(&shape);
}

/* The tiles become unused, so that a thread's switch does not save them. */
INLINE void tiles_end(void)
{
    _tile_release();
}

/* A macro: the numbers of tiles must be literals. */
#define TILE_ADD(is_int8, sum, row, weight)                                                        \
    do {                                                                                           \
        if (is_int8)                                                                               \
            _tile_dpbusd(sum, row, weight);                                                        \
        else                                                                                       \
            _tile_dpbf16ps(sum, row, weight);                                                      \
    } while (0)

/* sums (rows of one tile, PANEL) of a whole panel. */
INLINE void one_tile_of_rows(const bool is_int8, int steps, const void *rows, size_t row_bytes,
                             const void *panel, void *sums)
{
    const char *x = rows, *w = panel;
    char *to = sums;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int s = 0; s < steps; s++, x += TILE_BYTES, w += PANEL_STEP) {
        _tile_loadd(4, x, row_bytes);
        _tile_loadd(6, w, WEIGHT_STRIDE);
        TILE_ADD(is_int8, 0, 4, 6);
        _tile_loadd(7, w + 64, WEIGHT_STRIDE);
        TILE_ADD(is_int8, 1, 4, 7);
        _tile_loadd(6, w + 128, WEIGHT_STRIDE);
        TILE_ADD(is_int8, 2, 4, 6);
        _tile_loadd(7, w + 192, WEIGHT_STRIDE);
        TILE_ADD(is_int8, 3, 4, 7);
    }
    _tile_stored(0, to, WEIGHT_STRIDE);
    _tile_stored(1, to + 64, WEIGHT_STRIDE);
    _tile_stored(2, to + 128, WEIGHT_STRIDE);
    _tile_stored(3, to + 192, WEIGHT_STRIDE);
}

/* sums (rows of two tiles, PANEL), half a panel after the other: each tile loaded serves twice. */
INLINE void two_tiles_of_rows(const bool is_int8, int steps, const void *rows, size_t row_bytes,
                              const void *panel, void *sums)
{
    const size_t below = TILE_ROWS * row_bytes, sums_below = TILE_ROWS * WEIGHT_STRIDE;
    for (int half = 0; half < 2; half++) {
        const char *x = rows, *w = (const char *)panel + half * 128;
        char *to = (char *)sums + half * 128;
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int s = 0; s < steps; s++, x += TILE_BYTES, w += PANEL_STEP) {
            _tile_loadd(4, x, row_bytes);
            _tile_loadd(6, w, WEIGHT_STRIDE);
            TILE_ADD(is_int8, 0, 4, 6);
            _tile_loadd(7, w + 64, WEIGHT_STRIDE);
            TILE_ADD(is_int8, 1, 4, 7);
            _tile_loadd(5, x + below, row_bytes);
            TILE_ADD(is_int8, 2, 5, 6);
            TILE_ADD(is_int8, 3, 5, 7);
        }
        _tile_stored(0, to, WEIGHT_STRIDE);
        _tile_stored(1, to + 64, WEIGHT_STRIDE);
        _tile_stored(2, to + sums_below, WEIGHT_STRIDE);
        _tile_stored(3, to + sums_below + 64, WEIGHT_STRIDE);
    }
}

#endif
