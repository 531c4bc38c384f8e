/*
 * dropout.h - masks of 0 and 1/(1-p) (Srivastava 2014, inverted).
 *
 * A mask is kept for the backward pass, which multiplies by it again. Without
 * dropout the mask is NULL and everything here leaves its input alone.
 */
#ifndef MODEL_LAYERS_DROPOUT_H
#define MODEL_LAYERS_DROPOUT_H

#include <stddef.h>
#include "base/rng.h"
#include "model/kernels/kernels.h"

/* p is rounded to a multiple of 1/65536. */
void dropout_mask(struct rng *rng, real p, size_t n, real *mask);

/* y = x ⊙ mask; y may be x; mask NULL: y = x. */
void dropout_apply(const struct kernels *kernels, size_t n, const real *x, const real *mask,
                   real *y);

#endif
