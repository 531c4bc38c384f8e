/*
 * stack.h - recurrent layers on top of each other.
 *
 *     x -> layer FIRST -> ... -> layer FIRST + count - 1 -> out (S,B,H)
 *
 * Layers are numbered within the whole model (an encoder's layer 0 reads both
 * ways and is not in its stack). From the third layer on what enters a layer
 * is added to what leaves it (Wu 2016, GNMT):
 *
 *     out_l = h_l + out_{l-1}       l >= 2 and a layer in the stack below it
 *
 * Dropout: one mask a sentence on each layer's recurrent state, and the input
 * of every layer but a model's layer 0, whose embeddings their owner drops.
 * What is added back is the input without the mask.
 *
 *   S steps   B sentences   I input width   M context width   H state width
 */
#ifndef MODEL_LAYERS_STACK_H
#define MODEL_LAYERS_STACK_H

#include "base/rng.h"
#include "model/layers/recurrent.h"

#define STACK_LAYERS_MAX 8

struct stack {
    int first, count; // count 0: out is not there, use x
    struct cell cells[STACK_LAYERS_MAX];
    int H;
};

/* Tensors PREFIX.L.w ... for L in first .. first + count - 1. Every layer sees the context (M > 0),
 * the lowest has inputs I wide, the others H. */
void stack_declare(struct stack *stack, struct params *params, enum cell_kind kind,
                   const char *prefix, int first, int count, int I, int H, int M);

struct stack_run {
    int S, B;
    bool reverse, dropout;
    const int *len;      // (B)
    const real *x;       // (S,B,I)
    const real *context; // (S,B,M) or NULL
    const real *h0, *c0; // (count,B,H) before the first step; NULL: zeros

    const real *out; // (S,B,H) of the top layer; x if there is none
    struct {
        struct recurrent_run run;
        real *mask;      // (S,B,its input) or NULL
        real *recurrent; // (B,H) or NULL
        real *x;         // (S,B,its input) ⊙ mask
        real *out;       // (S,B,H)
    } layers[STACK_LAYERS_MAX];
};

/* S, B, reverse, dropout, len, x, context, h0, c0 must be set before; x may be filled later. */
void stack_lay_out(const struct stack *stack, struct stack_run *run, struct arena *arena);
void stack_draw_masks(const struct stack *stack, struct stack_run *run, struct rng *rng, real p);
void stack_forward(const struct stack *stack, const struct weights *weights, struct stack_run *run);

struct stack_gradients {
    const real *d_out; // (S,B,H) read
    real *d_x;         // (S,B,I) added to
    real *d_context;   // (S,B,M) added to; NULL: left out
    real *d_h0, *d_c0; // (count,B,H) set; NULL: left out
    double *squares;   // (S,B) set: |d h|² of the lowest layer's states; NULL: left out
};

/* With an empty stack d_x gets d_out. */
void stack_backward(const struct stack *stack, const struct weights *weights,
                    const struct stack_run *run, const struct stack_gradients *back,
                    real *gradients, struct arena *scratch);
size_t stack_backward_bytes(const struct stack *stack, int S, int B);

/* ---- one step, for search and sampling ---- */

/* The state of a row: h and c of each layer in turn, 2 H count reals. */
struct stack_step {
    int N;
    const real *x;       // (N,I)
    const real *context; // (N,M) or NULL
    const real *state;   // (N) rows ld_state apart
    real *next_state;    // (N) rows ld_state apart; not the same memory
    int ld_state;
    real *out; // (N,H)
};

void stack_step(const struct stack *stack, const struct weights *weights,
                const struct stack_step *step, struct arena *scratch);
size_t stack_step_bytes(const struct stack *stack, int N);

#endif
