/*
 * dropout.c - masks of 0 and 1/(1-p).
 */
#include "model/layers/dropout.h"

#include <string.h>

void dropout_mask(struct rng *rng, real p, size_t n, real *mask)
{
    const uint64_t dropped = (uint64_t)(p * 65536 + (real)0.5); // of 65536
    const real keep = (real)65536 / (real)(65536 - dropped);
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++, bits >>= 16) {
        if (i % 4 == 0)
            bits = rng_next(rng);
        mask[i] = (bits & 0xffff) < dropped ? 0 : keep;
    }
}

void dropout_apply(size_t n, const real *x, const real *mask, real *y)
{
    if (mask) {
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] * mask[i];
    } else if (x != y) {
        memcpy(y, x, n * sizeof *y);
    }
}
