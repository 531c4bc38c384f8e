/*
 * linear.c - y = W x + b over many rows, and its gradients.
 */
#include "model/layers/linear.h"

void add_bias(const struct weights *weights, struct tensor bias, int M, real *y)
{
    for (int m = 0; m < M; m++, y += bias.rows)
        weights->kernels->add((size_t)bias.rows, weight(weights, bias), y, y);
}

void linear_forward(const struct weights *weights, struct tensor w, struct tensor bias, int M,
                    const real *X, int ldx, real *Y)
{
    weights_product(weights, w, M, X, ldx, false, Y, w.rows);
    if (bias.rows)
        add_bias(weights, bias, M, Y);
}

void bias_backward(const struct weights *weights, struct tensor bias, int M, const real *d_Y,
                   real *gradients)
{
    for (int m = 0; m < M; m++, d_Y += bias.rows)
        weights->kernels->add((size_t)bias.rows, d_Y, gradients + bias.offset,
                              gradients + bias.offset);
}

void product_backward(const struct weights *weights, struct tensor w, int M, const real *X, int ldx,
                      const real *d_Y, real *d_X, int ld_dx, real *gradients)
{
    const struct kernels *k = weights->kernels;
    k->gemm(GEMM_TN, w.rows, w.cols, M, d_Y, w.rows, X, ldx, true, gradients + w.offset, w.cols);
    if (d_X)
        weights_product_back(weights, w, M, d_Y, w.rows, true, d_X, ld_dx);
}
