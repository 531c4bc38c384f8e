/*
 * classifier.h - many to one: a recurrent network reads a sequence and says of which class it is.
 *
 *   B sequences   S length   V vocabulary   E embedding   H state   M memory width   C classes
 *
 *     memory    h_s = encoder(x)_s                  (S,B,M), as a translator's (encoder.h)
 *     summary   s   = mean over a sequence's h_s    (B,M)
 *     output    p   = softmax(W s + b)              (B,C)
 *
 * The mean, not the last state: every part of a sequence says something of its
 * class, and none of it has far to go to be heard.
 *
 * A struct classifier is the layers' handles: it never changes after init, any
 * number of threads may share it. Weights come in separately; scratch comes
 * from an arena of the calling thread and is rewound.
 */
#ifndef MODEL_CLASSIFIER_H
#define MODEL_CLASSIFIER_H

#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "model/config.h"
#include "model/encoder.h"
#include "model/layers/output.h"
#include "model/loss.h"
#include "model/params.h"

struct classifier {
    struct config config;
    struct params params;
    struct tensor embedding; // (V,E)
    struct encoder encoder;
    struct output output; // its matrix is (C,M)
};

/* Declares every tensor. The config has been checked. */
void classifier_init(struct classifier *classifier, const struct config *config);

/* ---- training ---- */

/* Sequences side by side, padded with 0 at the end to the longest. Borrowed. */
struct labelled_batch {
    const int32_t *ids;    // (B,S)
    const int *len;        // (B) at least 1
    const int32_t *labels; // (B) below C
    int B, S;
};

/* Forward, and backward if gradients (a block as params says) is not NULL: they are added to.
 * Dropout: of embeddings, summary and what enters a layer above the first, and one mask a sequence
 * on each recurrent state. A classifier leaves no trace: options->trace is not looked at.
 * STATUS_NO_MEMORY: the arena is smaller than classifier_loss_bytes. */
MUST_CHECK enum status classifier_loss(const struct classifier *classifier,
                                       const struct weights *weights,
                                       const struct labelled_batch *batch,
                                       const struct loss_options *options, struct arena *scratch,
                                       real *gradients, struct loss *out, struct error *err);
size_t classifier_loss_bytes(const struct classifier *classifier, int B, int S);

/* ---- inference ---- */

/* log_probs (count,C) of `count` sequences; ids[i] has len[i] ids, at least 1. Bits do not depend
 * on company. */
MUST_CHECK enum status classifier_log_probs(const struct classifier *classifier,
                                            const struct weights *weights,
                                            const int32_t *const *ids, const int *len, int count,
                                            struct arena *scratch, real *log_probs,
                                            struct error *err);
size_t classifier_log_probs_bytes(const struct classifier *classifier, int count,
                                  int S); // of scratch

#endif
