/*
 * decoder.h - memory to target pieces: start, attention, cell, readout.
 *
 *   T steps  B sentences  S source length  E embedding = readout  H state  M memory  A attention
 *
 *     s_0  = tanh(W_init mean_s(h_s) + b),  c_0 = 0
 *     a_t  = attention(keys, W_q s_{t-1})
 *     c_t  = Σ_s a_ts h_s
 *     s_t  = cell(W y_{t-1} + W_c c_t + b, s_{t-1})
 *     r_t  = tanh(W_rs s_t + W_rc c_t + W_ry y_{t-1} + b_r)
 *
 * The context enters the gates only linearly, so over a whole target W_c h_s
 * is computed for all source pieces in one product and a step adds up
 * Σ_s a_ts (W_c h_s): decoder_forward does that; decoder_step, which sees one
 * step at a time, does not. Equal in real arithmetic.
 */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include "base/arena.h"
#include "model/layers/attention.h"
#include "model/layers/cell.h"

struct decoder {
    struct tensor bridge, bridge_bias; // W_init (H,M), b (H)
    struct attention attention;
    struct cell cell;      // its w takes y_{t-1}
    struct tensor context; // W_c (4H,M)
    struct tensor readout_state, readout_context, readout_previous, readout_bias;
    int E, H, M;
};

/* Tensors bridge.w .bias, attention.*, decoder.0.w .u .bias .context, readout.state .context
 * .previous .bias. */
void decoder_declare(struct decoder *decoder, struct params *params, int E, int H, int M, int A);

/* s_0 (B,H) from states (S,B,M) time-major, zero behind a sentence's end; mean (B,M) is kept. */
void decoder_start(const struct decoder *decoder, const struct weights *weights, int S, int B,
                   const int *len, const real *states, real *mean, real *s0);

/* ---- a whole target at once, for training; time-major ---- */

struct decoder_run {
    int T, S, B;
    const int *source_len; // (B)
    const real *memory;    // (S,B,M)
    const real *y;         // (T,B,E) embedded <s>, y_1 ... y_{T-1}
    const real *mask;      // (B,H) recurrent dropout, or NULL

    real *readout;   // (T,B,E) out: r_t
    real *alignment; // (T,B,S) out: rows sum to 1, padding is exactly 0
    real *mean;      // (B,M)
    real *s0;        // (B,H)
    real *keys;      // (S,B,A)
    real *folded;    // (S,B,4H)  W_c h_s
    real *fed;       // (T+1,B,H) s_{t-1} ⊙ mask
    real *query;     // (T,B,A)
    real *gates;     // (T,B,4H)
    real *c;         // (T+1,B,H) c_{t-1}: the first is zero
    real *h;         // (T,B,H)
    real *contexts;  // (T,B,M)
};

/* Sizes and inputs must be set before. */
void decoder_lay_out(const struct decoder *decoder, struct decoder_run *run, struct arena *arena);
void decoder_forward(const struct decoder *decoder, const struct weights *weights,
                     struct decoder_run *run);

/* d_readout (T,B,E) is overwritten; d_memory (S,B,M) and d_y (T,B,E) are added to. */
void decoder_backward(const struct decoder *decoder, const struct weights *weights,
                      const struct decoder_run *run, real *d_readout, real *d_memory, real *d_y,
                      real *gradients, struct arena *scratch);
size_t decoder_backward_bytes(const struct decoder *decoder, int T, int S, int B);

/* ---- one step of N rows, for search ---- */

struct decoder_step {
    int N;
    const real *y;             // (N,E) embedded previous pieces
    const real *const *memory; // (N) -> (S,M) of the row's sentence
    const real *const *keys;   // (N) -> (S,A)
    const int *S;              // (N)
    const real *state;         // (N,2H) h then c
    real *next_state;          // (N,2H)
    real *alignment;           // (N) rows of S weights, ld_alignment apart
    int ld_alignment;
    real *readout; // (N,E)
};

void decoder_step(const struct decoder *decoder, const struct weights *weights,
                  const struct decoder_step *step, struct arena *scratch);
size_t decoder_step_bytes(const struct decoder *decoder, int N);

#endif
