/*
 * output.h - the output layer: a softmax over the vocabulary, its matrix the embedding.
 *
 *     p = softmax(E r + b)       E (V,R)  tied with the embedding  (Press & Wolf 2017)
 */
#ifndef MODEL_LAYERS_OUTPUT_H
#define MODEL_LAYERS_OUTPUT_H

#include "base/arena.h"
#include "model/loss.h"
#include "model/params.h"

struct output {
    struct tensor embedding; // (V,R), borrowed from whoever declared it
    struct tensor bias;      // (V)
};

/* Tensor output.bias. */
void output_declare(struct output *output, struct params *params, struct tensor embedding);

/* Loss of n rows of readouts against gold (n), a block of rows at a time; gradients (unless NULL)
 * are added to and d_readout (n,R) is set. */
struct loss output_loss(const struct output *output, const struct weights *weights, int n,
                        const real *readout, const int32_t *gold,
                        const struct loss_options *options, real *d_readout, real *gradients,
                        struct arena *scratch);
size_t output_loss_bytes(const struct output *output);

/* log_probs (N,V) of N readouts. */
void output_log_probs(const struct output *output, const struct weights *weights, int N,
                      const real *readout, real *log_probs);

#endif
