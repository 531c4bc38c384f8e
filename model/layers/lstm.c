/*
 * lstm.c - the LSTM cell, a step forward and a step back.
 */
#include "model/layers/cell.h"

#include <stdio.h>

static struct tensor declare(struct params *params, enum param_init init, int rows, int cols,
                             const char *prefix, const char *name)
{
    char full[PARAM_NAME_BYTES];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    return params_add(params, init, rows, cols, full);
}

void cell_declare(struct cell *cell, struct params *params, const char *prefix, int I, int H)
{
    cell->I = I;
    cell->H = H;
    cell->w = declare(params, INIT_GLOROT, CELL_GATES * H, I, prefix, "w");
    cell->u = declare(params, INIT_ORTHOGONAL, CELL_GATES * H, H, prefix, "u");
    cell->bias = declare(params, INIT_FORGET_ONE, CELL_GATES * H, 1, prefix, "bias");
}

void cell_forward(const struct cell *cell, const struct weights *weights, int B, real *gates,
                  const real *h_previous, int ld_previous, const real *c_previous, real *c, real *h,
                  int ld_h)
{
    const size_t H = (size_t)cell->H;
    weights_product(weights, cell->u, B, h_previous, ld_previous, true, gates,
                    CELL_GATES * cell->H);
    for (size_t b = 0; b < (size_t)B; b++)
        weights->kernels->lstm_forward(cell->H, gates + b * CELL_GATES * H, c_previous + b * H,
                                       c + b * H, h + b * (size_t)ld_h);
}

void cell_backward(const struct cell *cell, const struct weights *weights, int B, const real *gates,
                   const real *c_previous, const real *c, const real *d_h, real *d_c, real *d_gates,
                   real *d_h_previous)
{
    const size_t H = (size_t)cell->H;
    for (size_t b = 0; b < (size_t)B; b++)
        weights->kernels->lstm_backward(cell->H, gates + b * CELL_GATES * H, c_previous + b * H,
                                        c + b * H, d_h + b * H, d_c + b * H,
                                        d_gates + b * CELL_GATES * H);
    weights->kernels->gemm(GEMM_NN, B, cell->H, CELL_GATES * cell->H, d_gates, CELL_GATES * cell->H,
                           weight(weights, cell->u), cell->H, false, d_h_previous, cell->H);
}
