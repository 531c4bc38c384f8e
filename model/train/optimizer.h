/*
 * optimizer.h - from the team's gradients to the next weights.
 *
 *     g = Σ_member g_member                       in the order of the members
 *     g = g · min(1, clip / |g|)                  |g| over all weights, Pascanu 2013
 *     m = β1 m + (1-β1) g,  v = β2 v + (1-β2) g²  Adam, Kingma & Ba 2015
 *     w = w - rate · m̂ / (sqrt(v̂) + ε)
 *
 * The blocks are cut into chunks of OPTIMIZER_CHUNK; a chunk belongs to one
 * member, and the chunks' sums of squares are added in order, in double. So
 * the result depends on the gradient blocks, not on how fast each thread is.
 */
#ifndef MODEL_TRAIN_OPTIMIZER_H
#define MODEL_TRAIN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/threads.h"
#include "model/kernels/kernels.h"

#define OPTIMIZER_CHUNK 16384

struct optimizer_options {
    double clip; // greatest norm; 0: no clipping
    double beta1, beta2, epsilon;
};

struct optimizer {
    struct optimizer_options options;
    struct team *team; // borrowed
    const struct kernels *kernels;
    size_t total;       // elements of a block
    struct arena arena; // of what follows
    real *m, *v;        // (total) moments
    double *squares;    // (chunks)
    int64_t steps;      // taken: t of the bias correction
};

struct optimizer_options optimizer_options_default(void); // clip 1, 0.9, 0.98, 1e-9

MUST_CHECK enum status optimizer_init(struct optimizer *o, struct optimizer_options options,
                                      struct team *team, const struct kernels *kernels,
                                      size_t total, struct error *err);
void optimizer_release(struct optimizer *o); // {0} is fine

/* Adds `count` gradient blocks into the first; the others are zero afterwards. Returns the norm of
 * the sum. */
double optimizer_sum(struct optimizer *o, real *const *gradients, int count);

/* One step with that sum and its norm, which is finite. The block is zero afterwards. */
void optimizer_step(struct optimizer *o, real *values, real *gradients, double norm, double rate);

/* Clears the gradients of an update that is not to be used. */
void optimizer_discard(struct optimizer *o, real *const *gradients, int count);

#endif
