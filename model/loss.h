/*
 * loss.h - what every model that is trained is asked for, and what it answers.
 */
#ifndef MODEL_LOSS_H
#define MODEL_LOSS_H

#include <stddef.h>
#include <stdint.h>
#include "base/rng.h"
#include "model/kernels/real.h"

#define TRACE_STEPS 256

/* How a gradient fades or grows on its way back in time (Bengio 1994): of the loss of each
 * sequence's last piece alone, |d h|² of the lowest recurrent layer's state k steps earlier. */
struct gradient_trace {          // {0} is empty
    double squares[TRACE_STEPS]; // [k], added up over sequences
    int64_t counts[TRACE_STEPS]; // sequences that were long enough
};

struct loss_options {
    real dropout;   // the model says of what; 0: none
    real smoothing; // label smoothing ε
    real guidance;  // of links (layers/guidance.h), what they weigh; 0: none
    real scale;     // of the gradients: 1 / pieces of the whole update
    struct rng rng; // of the dropout masks
    struct gradient_trace
        *trace; // NULL, or it is added to, and all but the last pieces are left out
};

/* |d h|² of a gradient of n reals. */
double gradient_square(size_t n, const real *d_h);

/* One sequence's |d h|² by time, `length` of them `stride` apart, the last of them the latest. */
void gradient_trace_add(struct gradient_trace *trace, const double *squares, int length,
                        int stride);

struct loss {
    double nats;     // -Σ log p(what should come), without smoothing
    double smoothed; // what is minimised
    int64_t pieces;  // what was predicted: target pieces with </s>, characters, labels
};

#endif
