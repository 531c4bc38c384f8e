/*
 * products.h - what the packed products of one instruction set have in common.
 *
 * A matrix (N,K) is cut into panels of PANEL columns of the result, the last
 * one filled with zeros. Of each panel, `group` values of k of one column lie
 * side by side: [N/PANEL][K/group][PANEL][group], K filled with zeros to whole
 * groups. An output is one accumulator that runs over k from 0 up, whatever
 * the number of rows beside it: that is what makes a row's bits independent of
 * its company.
 */
#ifndef MODEL_KERNELS_PRODUCTS_H
#define MODEL_KERNELS_PRODUCTS_H

#include "model/kernels/kernels.h"
#include "model/kernels/vectors.h"

#if LANES == 16
#define VECS 4 // vectors of a panel: 6 x 4 accumulators of 32 registers
#define ROWS 6
#elif LANES == 8
#define VECS 2
#define ROWS 6
#else
#define VECS 2
#define ROWS 4
#endif
#define PANEL (LANES * VECS)
_Static_assert(PACKED_ROWS % PANEL == 0, "rows can be packed a few panels at a time");

extern const struct kernels VARIANT(kernels);
extern const struct packing VARIANT(packing_f32);
extern const struct packing VARIANT(packing_bf16);
extern const struct packing VARIANT(packing_i8);

INLINE size_t panel_count(int N)
{
    return (size_t)((N + PANEL - 1) / PANEL);
}

INLINE int round_up(int n, int multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Rows of the largest kernel that `left` rows fill; a kernel is built for each of these sizes. */
INLINE int kernel_rows(int most, int left)
{
    return left >= most ? most : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* y = sum, or y += sum, for the first `width` columns of V vectors. */
INLINE void put_row(const int V, int width, const vec *sum, bool accumulate, float *y)
{
    for (int j = 0; j < V; j++, y += LANES) {
        const int left = width - j * LANES;
        if (left >= LANES)
            store(y, accumulate ? load(y) + sum[j] : sum[j]);
        else if (left > 0)
            store_part(y, accumulate ? load_part(y, left) + sum[j] : sum[j], left);
    }
}

#endif
