/*
 * encoder.h - source embeddings to memory: recurrent layers over the sentence.
 *
 *   S steps   B sentences   E embedding   H state   M memory      time-major: (S,B,·)
 *
 *     layer 0   h_s = [forward h_s ; backward h_s], or one direction alone
 *     above     a stack (layers/stack.h); with it M = H, without M is what layer 0 gives
 *
 * Memory is zero behind a sentence's end.
 */
#ifndef MODEL_ENCODER_H
#define MODEL_ENCODER_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/config.h"
#include "model/layers/recurrent.h"
#include "model/layers/stack.h"

struct encoder {
    enum encoder_kind kind;
    struct cell forward, backward; // layer 0; the one that does not read is not declared
    struct stack above;
    int E, H, M;
};

/* Tensors encoder.0.forward.* and encoder.0.backward.*, encoder.L.*. */
void encoder_declare(struct encoder *encoder, struct params *params, const struct config *config);

struct encoder_run {
    int S, B;
    bool dropout;
    const int *len;                         // (B)
    const int *first;                       // (S+1) or NULL: as of a recurrent_run
    const real *x;                          // (S,B,E)
    real *forward_mask, *backward_mask;     // (B,H) recurrent dropout of layer 0, or NULL
    real *states;                           // (S,B,·) of layer 0
    struct recurrent_run forward, backward; // tapes of layer 0
    struct stack_run above;
    const real *memory; // (S,B,M) out
};

/* S, B, dropout, len, first and x must be set before. */
void encoder_lay_out(const struct encoder *encoder, struct encoder_run *run, struct arena *arena);
void encoder_draw_masks(const struct encoder *encoder, struct encoder_run *run, struct rng *rng,
                        real p);
void encoder_forward(const struct encoder *encoder, const struct weights *weights,
                     struct encoder_run *run);
/* d_memory (S,B,M) is read, d_x (S,B,E) is added to. */
void encoder_backward(const struct encoder *encoder, const struct weights *weights,
                      const struct encoder_run *run, const real *d_memory, real *d_x,
                      real *gradients, struct arena *scratch);
size_t encoder_backward_bytes(const struct encoder *encoder, int S, int B);

/* What the decoder starts from, (B,M), of memory (S,B,M): the mean over a sentence's states, or
 * with attention none the state that has read everything, in each direction. */
void encoder_summary(const struct encoder *encoder, enum attention_kind attention, int S, int B,
                     const int *len, const real *memory, real *summary);
/* d_memory is added to. */
void encoder_summary_backward(const struct encoder *encoder, enum attention_kind attention, int B,
                              const int *len, const real *d_summary, real *d_memory);

#endif
