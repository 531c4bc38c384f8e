/*
 * output.c - logits, their loss and its gradients, a block of rows at a time.
 */
#include "model/layers/output.h"

#include <assert.h>
#include <string.h>

#include "base/stopwatch.h"
#include "model/layers/linear.h"
#include "model/parts.h"

#define LOGIT_ROWS 512 // rows whose logits are held at once

void output_declare(struct output *output, struct params *params, struct tensor embedding)
{
    output->embedding = embedding;
    output->bias = params_add(params, INIT_ZERO, embedding.rows, 1, "output.bias");
}

static real *lay_out(const struct output *output, struct arena *arena)
{
    return arena_array(arena, real, (size_t)LOGIT_ROWS * (size_t)output->embedding.rows);
}

size_t output_loss_bytes(const struct output *output)
{
    struct arena measure = arena_measure();
    (void)lay_out(output, &measure);
    return measure.used;
}

/* The products of n rows become their logits, and then their d_logits if gradients are wanted: what
 * is about the bias is done while a row is in the nearest cache. */
static void add_losses(const struct output *output, const struct weights *weights, int n,
                       const int32_t *gold, const struct loss_options *options, real *logits,
                       real *gradients, struct loss *loss)
{
    const int V = output->embedding.rows;
    for (int i = 0; i < n; i++, logits += V) {
        real plain;
        add_bias(weights, output->bias, 1, logits);
        loss->smoothed +=
            weights->kernels->cross_entropy(V, logits, gold[i], options->smoothing, options->scale,
                                            &plain, gradients ? logits : NULL);
        loss->nats += plain;
        if (gradients)
            bias_backward(weights, output->bias, 1, logits, gradients);
    }
}

struct loss output_loss(const struct output *output, const struct weights *weights, int n,
                        const real *readout, const int32_t *gold,
                        const struct loss_options *options, real *d_readout, real *gradients,
                        struct arena *scratch)
{
    const int R = output->embedding.cols, V = output->embedding.rows;
    const struct arena_mark mark = arena_mark(scratch);
    const int part = stopwatch_enter(PART_OUTPUT);
    real *logits = lay_out(output, scratch);
    assert(logits);
    struct loss loss = { .pieces = n };
    if (gradients)
        memset(d_readout, 0, (size_t)n * (size_t)R * sizeof(real));
    const int blocks = (n + LOGIT_ROWS - 1) / LOGIT_ROWS; // of about as many rows
    for (int i = 0, from = 0, rows; i < blocks; i++, from += rows) {
        rows = (n - from) / (blocks - i);
        const size_t at = (size_t)from * (size_t)R;
        weights_product(weights, output->embedding, rows, readout + at, R, false, logits, V);
        add_losses(output, weights, rows, gold + from, options, logits, gradients, &loss);
        if (gradients)
            product_backward(weights, output->embedding, rows, readout + at, R, logits,
                             d_readout + at, R, gradients);
    }
    arena_rewind(scratch, mark);
    stopwatch_enter(part);
    return loss;
}

void output_log_probs(const struct output *output, const struct weights *weights, int N,
                      const real *readout, real *log_probs)
{
    const int V = output->embedding.rows;
    linear_forward(weights, output->embedding, output->bias, N, readout, output->embedding.cols,
                   log_probs);
    for (int n = 0; n < N; n++)
        weights->kernels->log_softmax(V, log_probs + (size_t)n * (size_t)V);
}
