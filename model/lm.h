/*
 * lm.h - the recurrent language model: what comes next, for training and step by step.
 *
 *     x_t = E id_t                                          embedding
 *     h_t = layers(x_t, h_{t-1})                            layers/stack.h
 *     r_t = tanh(W_r h_t + b_r)                             readout, as wide as the embedding
 *     p(id_{t+1} | id_1 ... id_t) = softmax(E r_t + b_o)    E tied with the embedding
 *
 *   B rows (streams or sentences)   T steps   V vocabulary   E embedding = readout   H state
 *
 * Text is one stream of pieces with </s> behind each line, and </s> is also
 * what stands in front of the first: the end of a line is how the next one
 * begins, so <s> does not occur.
 *
 * Truncated backpropagation through time (Williams & Peng 1990) with horizon
 * T: a stream is read in chunks of T steps; a chunk starts from the states that
 * the one before left, and gradients end at its edge.
 *
 * A struct lm never changes after init, any number of threads may share it.
 * Weights come in separately; scratch comes from an arena of the calling
 * thread and is rewound.
 */
#ifndef MODEL_LM_H
#define MODEL_LM_H

#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "model/config.h"
#include "model/layers/output.h"
#include "model/layers/stack.h"
#include "model/loss.h"
#include "model/params.h"

struct lm {
    struct config config;
    struct params params;
    struct tensor embedding; // (V,E), also the output matrix
    struct stack layers;
    struct tensor readout, readout_bias; // W_r (E,H), b_r (E)
    struct output output;
};

/* Declares every tensor. The config has been checked. */
void lm_init(struct lm *lm, const struct config *config);

/* Reals that the state of a row takes: h and c of each layer in turn. */
static inline int lm_state_width(const struct lm *lm)
{
    return lm->layers.count * 2 * lm->layers.H;
}

/* ---- training ---- */

/* Rows side by side, padded at the end to the longest. Borrowed. */
struct lm_batch {
    const int32_t *ids; // (B,T+1) the first is read only, the others are predicted, then read
    const int *len;     // (B) predictions of a row, 0 to T
    const real *state;  // (B,state width) before the first step; NULL: zeros
    real *last_state;   // (B,state width) out: behind the last step of each row; NULL: left out
    int B, T;
};

/* Forward, and backward if gradients (a block as params says) is not NULL: they are added to.
 * Dropout: of embeddings, readout and what enters a layer above the first, and one mask a row on
 * each recurrent state, the one it starts from too.
 * STATUS_NO_MEMORY: the arena is smaller than lm_loss_bytes. */
MUST_CHECK enum status lm_loss(const struct lm *lm, const struct weights *weights,
                               const struct lm_batch *batch, const struct loss_options *options,
                               struct arena *scratch, real *gradients, struct loss *out,
                               struct error *err);
size_t lm_loss_bytes(const struct lm *lm, int B, int T);

/* ---- inference ---- */

/* One step of N rows. */
struct lm_step {
    int N;
    const int32_t *ids; // (N) the piece read, </s> at first
    const real *state;  // (N,state width) in; zeros at first
    real *next_state;   // (N,state width) out; not the same memory
    real *log_probs;    // (N,V) out: of what comes next
};

/* A row's bits do not depend on the others. */
MUST_CHECK enum status lm_step(const struct lm *lm, const struct weights *weights,
                               const struct lm_step *step, struct arena *scratch,
                               struct error *err);
size_t lm_step_bytes(const struct lm *lm, int N); // of scratch

#endif
