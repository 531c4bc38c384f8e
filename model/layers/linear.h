/*
 * linear.h - y = W x + b over many rows, and its gradients.
 */
#ifndef MODEL_LAYERS_LINEAR_H
#define MODEL_LAYERS_LINEAR_H

#include "model/params.h"

/* Each of the M rows of y += bias, which is as wide. */
void add_bias(const struct weights *weights, struct tensor bias, int M, real *y);

/* Y(M,rows) = X(M,cols) Wᵀ + b; a bias without rows is not there, here and below. */
void linear_forward(const struct weights *weights, struct tensor w, struct tensor bias, int M,
                    const real *X, int ldx, real *Y);

/* d_b += Σ over rows of d_Y. */
void bias_backward(const struct weights *weights, struct tensor bias, int M, const real *d_Y,
                   real *gradients);

/* d_W += d_Yᵀ X;  d_X += d_Y W (d_X NULL: left out). */
void product_backward(const struct weights *weights, struct tensor w, int M, const real *X, int ldx,
                      const real *d_Y, real *d_X, int ld_dx, real *gradients);

#endif
