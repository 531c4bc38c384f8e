/*
 * seq2seq.h - the encoder-decoder: its loss and gradients for training, encoding
 * and single decoder steps for search.
 *
 *   B sentences   S source length   T target length   V vocabulary
 *   E embedding   H state   M memory width   A attention   R = E readout
 *
 * Ids 0 <pad>, 2 <s>, 3 </s>. A source is its pieces + </s>. The equations are
 * in model/README.md; inside, sequences are time-major: (S,B,·).
 *
 * A struct seq2seq is the layers' handles: it never changes after init, any
 * number of threads may share it. Weights come in separately; scratch comes
 * from an arena of the calling thread and is rewound.
 */
#ifndef MODEL_SEQ2SEQ_H
#define MODEL_SEQ2SEQ_H

#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "model/config.h"
#include "model/decoder.h"
#include "model/encoder.h"
#include "model/folded.h"
#include "model/layers/guidance.h"
#include "model/layers/output.h"
#include "model/loss.h"
#include "model/params.h"

struct seq2seq {
    struct config config;
    struct params params;
    struct tensor embedding; // (V,E), both languages and the output matrix
    struct encoder encoder;
    struct decoder decoder;
    struct output output;
};

/* Declares every tensor. The config has been checked. */
void seq2seq_init(struct seq2seq *model, const struct config *config);

/* ---- training ---- */

/* Sentences side by side, padded with 0 at the end to the longest. Borrowed. */
struct batch {
    const int32_t *source; // (B,S) pieces + </s>
    const int *source_len; // (B)   at least 1
    const int32_t *target; // (B,T) pieces + </s>; the input is the same shifted, <s> in front
    const int *target_len; // (B)   at least 1
    int B, S, T;
    const struct piece_link *links; // (link_count) as layers/guidance.h wants them; may be none
    int link_count;
};

/* Forward, and backward if gradients (a block as params says) is not NULL: they are added to.
 * Dropout: of embeddings, memory, readout and what enters a layer above the first, and one mask a
 * sentence on each recurrent state.
 * STATUS_NO_MEMORY: the arena is smaller than seq2seq_loss_bytes. */
MUST_CHECK enum status seq2seq_loss(const struct seq2seq *model, const struct weights *weights,
                                    const struct batch *batch, const struct loss_options *options,
                                    struct arena *scratch, real *gradients, struct loss *out,
                                    struct error *err);
size_t seq2seq_loss_bytes(const struct seq2seq *model, int B, int S, int T);

/* ---- inference ---- */

/* The encoded form of one sentence. */
struct memory {
    real *rows;  // what a step needs of the source pieces
    real *start; // (state width) of a row before its first target piece
    int S;       // source pieces + </s>
};

/* Reals that the state of a decoder row takes. */
int seq2seq_state_width(const struct seq2seq *model);

/* Room for a sentence of at most S pieces from the arena; pointers stay NULL in a measuring or full
 * arena. */
void seq2seq_memory_lay_out(const struct seq2seq *model, const struct weights *weights, int S,
                            struct arena *arena, struct memory *memory);

/* Encode `count` sentences into memories with room for them; ids[i] has len[i] ids, </s>
 * included. Bits do not depend on company. */
MUST_CHECK enum status seq2seq_encode(const struct seq2seq *model, const struct weights *weights,
                                      const int32_t *const *ids, const int *len, int count,
                                      struct arena *scratch, struct memory *const *out,
                                      struct error *err);
size_t seq2seq_encode_bytes(const struct seq2seq *model, int count, int S); // of scratch

/* One step of N hypotheses of any sentences, up to the readout; output.h makes log-probabilities of
 * it. */
struct step {
    int N;
    const struct memory *const *memory; // (N) the sentence each row belongs to
    const int32_t *previous;            // (N) the piece before, <s> at first
    const real *const *state;           // (N) -> (state width) of the row's parent
    real *next_state;                   // (N,state width) out; none of the parents'
    real *alignment;                    // (N,ld_alignment) out: row n has memory[n]->S weights
    int ld_alignment;
    real *readout; // (N,E) out
};

/* A row's bits depend neither on the others nor on what the cache holds, which is of these weights
 * alone. */
MUST_CHECK enum status seq2seq_step(const struct seq2seq *model, const struct weights *weights,
                                    const struct step *step, struct row_cache *cache,
                                    struct arena *scratch, struct error *err);
size_t seq2seq_step_bytes(const struct seq2seq *model, int N); // of scratch

#endif
