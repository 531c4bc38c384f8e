/*
 * decoder.h - memory to target pieces: start, attention, cells, readout.
 *
 *   T steps  B sentences  S source length  E embedding = readout  H state  M memory
 *   A attention  L layers  G gates
 *
 *     s_0^l = tanh(W_init^l summary + b^l),  c_0^l = 0           encoder_summary
 *     a_t   = attention(keys, W_q s_{t-1}^0)
 *     c_t   = Σ_s a_ts h_s
 *     s_t^0 = cell(W y_{t-1} + W_c c_t + b, s_{t-1}^0)
 *     s_t^l = cell(W s_t^{l-1} + W_c c_t + b, s_{t-1}^l)         layers/stack.h
 *     r_t   = tanh(W_rs s_t + W_rc c_t + W_ry y_{t-1} + b_r)     s_t of the top
 *
 * With attention none there is no a_t and no c_t, and all layers are a stack.
 *
 * The context enters the gates only linearly, so over a whole target W_c h_s
 * is computed for all source pieces in one product and a step adds up
 * Σ_s a_ts (W_c h_s): decoder_forward does that; decoder_step, which sees one
 * step at a time, does not. Equal in real arithmetic.
 */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/config.h"
#include "model/layers/attention.h"
#include "model/layers/cell.h"
#include "model/layers/stack.h"

struct decoder {
    bool attends;
    int E, H, M, layers;
    struct tensor bridge[STACK_LAYERS_MAX], bridge_bias[STACK_LAYERS_MAX]; // W_init (H,M), b (H)
    struct attention attention;                                            // A is 0 without
    struct cell cell;   // layer 0 of one that attends: w takes y, context takes c_t
    struct stack above; // the layers above it; all layers of one that does not
    struct tensor readout_state, readout_context, readout_previous, readout_bias;
    struct fusion fused_state, fused_input, fused_memory; // of one that folds: folded.h
};

/* Whether its step can be folded.h's: it attends and has one layer. */
static inline bool decoder_folds(const struct decoder *decoder)
{
    return decoder->attends && decoder->layers == 1;
}

/* Tensors bridge.w .bias, bridge.L.w .bias, attention.*, decoder.L.*, readout.state .context
 * .previous .bias. */
void decoder_declare(struct decoder *decoder, struct params *params, const struct config *config,
                     int M);

/* ---- a whole target at once, for training; time-major, but for the rows of the memory: a
 * sentence's lie together, which every step reads ---- */

struct decoder_run {
    int T, S, B;
    bool dropout;
    const int *source_len, *target_len; // (B)
    const real *memory;                 // (B,S,M)
    const real *summary;                // (B,M)
    const real *y;                      // (T,B,E) embedded <s>, y_1 ... y_{T-1}

    real *readout;          // (T,B,E) out: r_t
    real *start;            // (L,B,H)
    struct stack_run above; // tape
    /* The tape of layer 0, if it attends. */
    real *mask;      // (B,H) recurrent dropout, or NULL
    real *alignment; // (T,B,S) rows sum to 1, padding is exactly 0
    real *keys;      // (B,S,A)
    real *folded;    // (B,S,GH)  W_c h_s
    real *fed;       // (T+1,B,H) s_{t-1} ⊙ mask
    real *query;     // (T,B,A)
    real *gates;     // (T,B,GH)
    real *c;         // (T+1,B,H) c_{t-1}: the first is zero
    real *h;         // (T,B,H)
    real *contexts;  // (T,B,M)
};

/* Sizes and inputs must be set before. */
void decoder_lay_out(const struct decoder *decoder, struct decoder_run *run, struct arena *arena);
void decoder_draw_masks(const struct decoder *decoder, struct decoder_run *run, struct rng *rng,
                        real p);
void decoder_forward(const struct decoder *decoder, const struct weights *weights,
                     struct decoder_run *run);

struct decoder_gradients {
    real *d_readout;         // (T,B,E) overwritten
    real *d_memory;          // (B,S,M) added to
    real *d_summary;         // (B,M)   added to
    real *d_y;               // (T,B,E) added to
    double *squares;         // (T,B) set: |d s|² of layer 0's states; NULL: left out
    const real *d_alignment; // (T,B,S) what alignments owe to guidance; NULL: nothing
};

void decoder_backward(const struct decoder *decoder, const struct weights *weights,
                      const struct decoder_run *run, const struct decoder_gradients *back,
                      real *gradients, struct arena *scratch);
size_t decoder_backward_bytes(const struct decoder *decoder, int T, int S, int B);

/* ---- one step of N rows, for search ---- */

/* The state of a row: h and c of each layer in turn. */
static inline int decoder_state_width(const struct decoder *decoder)
{
    return decoder->layers * 2 * decoder->H;
}

/* h of layer l before the first target piece, (N,H) in rows ld apart, of summaries (N,M). */
void decoder_start_layer(const struct decoder *decoder, const struct weights *weights, int l, int N,
                         const real *summaries, real *start, int ld);
/* The states (N,state width) before the first target piece, of summaries (N,M). */
void decoder_start(const struct decoder *decoder, const struct weights *weights, int N,
                   const real *summaries, real *states);

/* What a step needs of a sentence: rows [key ; state]. Without attention it is not looked at. */
static inline int decoder_memory_width(const struct decoder *decoder)
{
    return decoder->attention.A + decoder->M;
}

/* Rows (S,memory width) of encoder states (S,M). */
void decoder_memory(const struct decoder *decoder, const struct weights *weights, int S,
                    const real *states, real *rows);

struct decoder_step {
    int N;
    const real *y;             // (N,E) embedded previous pieces
    const real *const *memory; // (N) -> (S,memory width) of the row's sentence
    const int *S;              // (N)
    const real *state;         // (N,state width)
    real *next_state;          // (N,state width)
    real *alignment;           // (N) rows of S weights, ld_alignment apart; zeros without attention
    int ld_alignment;
    real *readout; // (N,E)
};

/* The specification of folded.h, and the step of whatever that cannot do. */
void decoder_step(const struct decoder *decoder, const struct weights *weights,
                  const struct decoder_step *step, struct arena *scratch);
size_t decoder_step_bytes(const struct decoder *decoder, int N);

#endif
