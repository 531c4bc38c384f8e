/*
 * dropout.c - masks of 0 and 1/(1-p).
 */
#include "model/layers/dropout.h"

#include <string.h>

void dropout_mask(struct rng *rng, real p, size_t n, real *mask)
{
    const uint64_t dropped = (uint64_t)(p * 65536 + (real)0.5); // of 65536
    const real keep = (real)65536 / (real)(65536 - dropped);
    for (size_t i = 0; i < n; i += 4) {
        uint64_t bits = rng_next(rng);
        const size_t here = n - i < 4 ? n - i : 4;
        for (size_t j = 0; j < here; j++, bits >>= 16)
            mask[i + j] = (bits & 0xffff) < dropped ? 0 : keep;
    }
}

void dropout_apply(const struct kernels *kernels, size_t n, const real *x, const real *mask,
                   real *y)
{
    if (mask)
        kernels->multiply(n, x, mask, y);
    else if (x != y)
        memcpy(y, x, n * sizeof *y);
}
