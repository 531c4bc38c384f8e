/*
 * negative_sampling.h - loss and gradients of one place in a text, as word2vec
 * sees it (Mikolov 2013): the words around it against the word that stands
 * there and some that were drawn.
 *
 *     negative_sampling_init(&s, &arena, CONTEXT_EACH, 10, 6, D);
 *     ... rows into s.context and s.targets, the right target first ...
 *     negative_sampling_gradients(&s, kernels, context_count, target_count);
 *     ... s.d_context and s.d_targets out of it, and negative_sampling_loss(&s) ...
 *
 *     CONTEXT_EACH   skip-gram:  L = -Σ_c [log σ(u_c · v_0) + Σ_n log σ(-u_c · v_n)],  n > 0
 *     CONTEXT_MEAN   CBOW:       the same with one u, the mean of the u_c
 *
 * One thread at a time.
 */
#ifndef MODEL_LAYERS_NEGATIVE_SAMPLING_H
#define MODEL_LAYERS_NEGATIVE_SAMPLING_H

#include "base/arena.h"
#include "model/kernels/kernels.h"

enum context_use { CONTEXT_EACH, CONTEXT_MEAN };

struct negative_sampling {
    enum context_use use;
    int D;
    real *context, *d_context; // (context_max, D)
    real *targets, *d_targets; // (target_max, D)
    real *mean, *d_mean;       // (D) of the context, with CONTEXT_MEAN
    real *scores, *g;          // (inputs, target_count) of the last call
    int inputs, target_count;  // of the last call; inputs is 1 with CONTEXT_MEAN
};

/* Memory comes from the arena: one that measures, or one that was sized by such a call. */
void negative_sampling_init(struct negative_sampling *s, struct arena *arena, enum context_use use,
                            int context_max, int target_max, int D);

/* Sets d_context and d_targets; both counts are at least 1. */
void negative_sampling_gradients(struct negative_sampling *s, const struct kernels *kernels,
                                 int context_count, int target_count);

/* L of the last call, divided by nothing. */
real negative_sampling_loss(const struct negative_sampling *s);

#endif
