/*
 * cell.h - what a recurrent cell is, seen from whoever runs it over a sequence.
 *
 * A cell's input projection W x + b is computed outside, for all steps in one
 * product; what is left is the step. Rows of W, U and b are blocks of H, one a
 * gate; a = (W x + b) + U h' throughout, h' and c' are the step before.
 *
 *   rnn           h = tanh(a)                                     Elman 1990
 *   rnn-logistic  h = σ(a)
 *   lstm          i f g o:  i = σ(a_i)  f = σ(a_f)  g = tanh(a_g)  o = σ(a_o)
 *                 c = f ⊙ c' + i ⊙ g    h = o ⊙ tanh(c)
 *                           Hochreiter & Schmidhuber 1997, Gers 2000
 *   peephole      lstm with a_i += p_i ⊙ c',  a_f += p_f ⊙ c',  a_o += p_o ⊙ c
 *                           Gers & Schmidhuber 2000
 *   gru           z r n:  z = σ(a_z)  r = σ(a_r)
 *                 n = tanh(W_n x + b_n + U_n (r ⊙ h'))    h = (1-z) ⊙ h' + z ⊙ n
 *                           Cho 2014; a recurrent dropout mask is on the h' that U
 *                           and U_n read, not on the one that is carried over: that
 *                           would grow by 1/(1-p) with each step
 *   gru-unbiased  the same without b
 *
 * Every cell has a state of two rows of H, h and c, so that whoever stores
 * states need not know which cell it is: c is the LSTM's cell state, r ⊙ h' of
 * a GRU (the backward pass wants it), zero of a simple cell.
 *
 *   B sentences   I input width   M context width   H state width   G gates
 */
#ifndef MODEL_LAYERS_CELL_H
#define MODEL_LAYERS_CELL_H

#include "model/config.h"
#include "model/params.h"

struct cell {
    enum cell_kind kind;
    int I, M, H, G;
    struct tensor w;         // (GH,I)
    struct tensor u;         // (GH,H); of a GRU z and r: (2H,H)
    struct tensor candidate; // (H,H) of a GRU: U_n; else no rows
    struct tensor bias;      // (GH), or no rows
    struct tensor peephole;  // (3,H) p_i p_f p_o, or no rows
    struct tensor context;   // (GH,M) a second input, added to W x; no rows if M is 0
};

/* Tensors PREFIX.w .u .candidate .bias .peephole .context, those that the cell has. */
void cell_declare(struct cell *cell, struct params *params, enum cell_kind kind, const char *prefix,
                  int I, int H, int M);

/* B rows of one step. Rows are ld_* apart; of a step that goes back too, gates are dense. */
struct cell_step {
    int B;
    real *gates; // (B,GH) in: W x + b, out: activated
    int ld_gates;
    const real *h_previous, *c_previous; // (B,H) h' as U reads it
    const real *carried;                 // (B,H) h' without a mask, read by a GRU alone
    int ld_h_previous, ld_c_previous, ld_carried;
    real *h, *c; // (B,H) out; c not the same memory as c_previous
    int ld_h, ld_c;
    bool starts; // h' is zero, so U h' is left out, and on the way back d_h_previous is not set
};

void cell_forward(const struct cell *cell, const struct weights *weights,
                  const struct cell_step *step);
/* What is left of it when U h' is in the gates already. */
void cell_finish(const struct cell *cell, const struct weights *weights,
                 const struct cell_step *step);

/* Whether h is carried over beside what U reads of it. */
static inline bool cell_carries(const struct cell *cell)
{
    return cell->kind == CELL_GRU || cell->kind == CELL_GRU_UNBIASED;
}

/* The same step back, the step as cell_forward left it. d_h (B,H) is read; d_c (B,H) of an LSTM
 * comes in from the step after and goes out for the step before; of a cell that carries it is set to
 * d_carried, which the caller adds to the d_h of the step before; simple cells leave it. d_gates
 * (B,GH) and d_h_previous (B,H) are set. All dense. Of the gradients only the peepholes' are added to. */
void cell_backward(const struct cell *cell, const struct weights *weights,
                   const struct cell_step *step, const real *d_h, real *d_c, real *d_gates,
                   real *d_h_previous, real *gradients);

/* The gradients of U over rows of any steps at once: h_previous and c are what those rows had. */
void cell_recurrent_gradients(const struct cell *cell, const struct weights *weights, int rows,
                              const real *h_previous, int ld_h_previous, const real *c, int ld_c,
                              const real *d_gates, real *gradients);

#endif
