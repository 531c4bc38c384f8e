/*
 * encoder.h - source embeddings to memory: one LSTM each way over the sentence.
 *
 *   S steps   B sentences   E embedding   H state   M = 2H       time-major: (S,B,·)
 *
 *     h_s = [forward h_s ; backward h_s]            memory, zero behind a sentence's end
 */
#ifndef MODEL_ENCODER_H
#define MODEL_ENCODER_H

#include "base/arena.h"
#include "model/layers/recurrent.h"

struct encoder {
    struct cell forward, backward;
    int E, H;
};

/* Tensors encoder.0.forward.* and encoder.0.backward.*. */
void encoder_declare(struct encoder *encoder, struct params *params, int E, int H);

struct encoder_run {
    int S, B;
    const int *len;                           // (B)
    const real *x;                            // (S,B,E)
    const real *forward_mask, *backward_mask; // (B,H) recurrent dropout, or NULL
    real *states;                             // (S,B,M) out, laid out by encoder_lay_out
    struct recurrent_run forward, backward;   // tapes
};

/* S, B, len, x and the masks must be set before. */
void encoder_lay_out(const struct encoder *encoder, struct encoder_run *run, struct arena *arena);
void encoder_forward(const struct encoder *encoder, const struct weights *weights,
                     struct encoder_run *run);
/* d_states (S,B,M) is read, d_x (S,B,E) is added to. */
void encoder_backward(const struct encoder *encoder, const struct weights *weights,
                      const struct encoder_run *run, const real *d_states, real *d_x,
                      real *gradients, struct arena *scratch);

#endif
