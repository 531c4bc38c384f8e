/*
 * linear.c - y = W x + b over many rows, and its gradients.
 */
#include "model/layers/linear.h"

void add_bias(int M, int n, const real *bias, real *y)
{
    for (int m = 0; m < M; m++, y += n)
        for (int i = 0; i < n; i++)
            y[i] += bias[i];
}

void linear_forward(const struct weights *weights, struct tensor w, struct tensor bias, int M,
                    const real *X, int ldx, real *Y)
{
    weights_product(weights, w, M, X, ldx, false, Y, w.rows);
    if (bias.rows)
        add_bias(M, w.rows, weight(weights, bias), Y);
}

void bias_backward(struct tensor bias, int M, const real *d_Y, real *gradients)
{
    real *d_b = gradients + bias.offset;
    for (int m = 0; m < M; m++, d_Y += bias.rows)
        for (int i = 0; i < bias.rows; i++)
            d_b[i] += d_Y[i];
}

void product_backward(const struct weights *weights, struct tensor w, int M, const real *X, int ldx,
                      const real *d_Y, real *d_X, int ld_dx, real *gradients)
{
    const struct kernels *k = weights->kernels;
    k->gemm(GEMM_TN, w.rows, w.cols, M, d_Y, w.rows, X, ldx, true, gradients + w.offset, w.cols);
    if (d_X)
        k->gemm(GEMM_NN, M, w.cols, w.rows, d_Y, w.rows, weight(weights, w), w.cols, true, d_X,
                ld_dx);
}
