/*
 * recurrent.h - a cell run over a batch of sequences of several lengths, in one direction.
 *
 *   S steps   B sentences   I input width   M context width   H state width   G gates
 *   time-major: (S,B,·)
 *
 * States behind a sentence's end are zero, in both directions, and nothing
 * flows back from there, so padding changes nothing. Inputs and gates need not
 * have padding where nothing flows back at all and the sentences are in falling
 * order of length: a step then has a row for each that is so long, and the rows
 * of step s are first[s] to first[s+1]. With a recurrent dropout
 * mask (B,H), the same at every step, it is h ⊙ mask that feeds the next step.
 */
#ifndef MODEL_LAYERS_RECURRENT_H
#define MODEL_LAYERS_RECURRENT_H

#include "base/arena.h"
#include "model/layers/cell.h"

/* One run's sizes and input; the forward pass fills the tape, the backward pass reads it. */
struct recurrent_run {
    int S, B;
    bool reverse;        // from the last step to the first
    const int *len;      // (B)
    const int *first;    // (S+1) rows of x, context and gates are without padding; NULL: with
    const real *x;       // (S,B,I)
    const real *context; // (S,B,M) of a cell that has one
    const real *h0, *c0; // (B,H) before the first step; NULL: zeros
    const real *mask;    // (B,H) or NULL

    real *h; // (S,B) rows of H, ld_h apart: out
    int ld_h;
    real *gates;       // (S,B,GH)  tape
    real *c;           // (S,B,H)   tape
    real *fed;         // (S,B,H)   tape: h ⊙ mask
    const real *zeros; // (B,H)     tape: the state before the first step
};

/* The tape from the arena; pointers stay NULL in a measuring arena. */
void recurrent_lay_out(const struct cell *cell, struct recurrent_run *run, struct arena *arena);

void recurrent_forward(const struct cell *cell, const struct weights *weights,
                       struct recurrent_run *run);

/* Where the gradients of a run go; NULL: left out. */
struct recurrent_gradients {
    const real *d_h;   // (S,B) rows ld_h apart: read
    real *d_x;         // (S,B,I) added to
    real *d_context;   // (S,B,M) added to
    real *d_h0, *d_c0; // (B,H) set
    double *squares;   // (S,B) set: |d h|² of each state, all that reaches it
};

/* Scratch is taken from and given back to the arena. */
void recurrent_backward(const struct cell *cell, const struct weights *weights,
                        const struct recurrent_run *run, const struct recurrent_gradients *back,
                        real *gradients, struct arena *scratch);

/* Scratch of a backward pass, laid out in a measuring arena or a real one. */
size_t recurrent_backward_bytes(const struct cell *cell, int S, int B);

#endif
