/*
 * cell.h - what a recurrent cell is, seen from the encoder and the decoder.
 *
 * A cell's input projection W x + b is computed outside, for all steps in one
 * product; what is left is the step. For the LSTM (Hochreiter & Schmidhuber
 * 1997 with the forget gate of Gers 2000), rows of W, U and b stacked i f g o:
 *
 *     a = (W x + b) + U h'
 *     i = σ(a_i)   f = σ(a_f)   g = tanh(a_g)   o = σ(a_o)
 *     c = f ⊙ c' + i ⊙ g        h = o ⊙ tanh(c)
 *
 *   B sentences   I input width   H state width
 */
#ifndef MODEL_LAYERS_CELL_H
#define MODEL_LAYERS_CELL_H

#include "model/params.h"

#define CELL_GATES 4 // blocks of H rows in W, U and b

struct cell {
    struct tensor w;    // (4H,I)
    struct tensor u;    // (4H,H)
    struct tensor bias; // (4H)
    int I, H;
};

/* Tensors PREFIX.w, PREFIX.u, PREFIX.bias. */
void cell_declare(struct cell *cell, struct params *params, const char *prefix, int I, int H);

/* One step of B rows. gates (B,4H) comes in as W x + b and goes out activated: it is what the
 * backward pass needs. h_previous and h have rows ld_* apart; c (B,H) is dense. */
void cell_forward(const struct cell *cell, const struct weights *weights, int B, real *gates,
                  const real *h_previous, int ld_previous, const real *c_previous, real *c, real *h,
                  int ld_h);

/* The same step back. d_h (B,H) dense; d_c (B,H) comes in from the step after and goes out for the
 * step before; d_gates (B,4H) and d_h_previous (B,H, dense) are set. Gradients of U are left to
 * product_backward over all steps at once. */
void cell_backward(const struct cell *cell, const struct weights *weights, int B, const real *gates,
                   const real *c_previous, const real *c, const real *d_h, real *d_c, real *d_gates,
                   real *d_h_previous);

#endif
