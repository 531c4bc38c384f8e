/*
 * bahdanau.c - additive attention, a query forward and back.
 */
#include "model/layers/attention.h"
#include "model/layers/linear.h"

void attention_declare(struct attention *attention, struct params *params, int A, int H, int M)
{
    attention->A = A;
    attention->query = params_add(params, INIT_GLOROT, A, H, "attention.query");
    params_set_every_step(params, attention->query);
    attention->key = params_add(params, INIT_GLOROT, A, M, "attention.key");
    attention->key_bias = params_add(params, INIT_ZERO, A, 1, "attention.key_bias");
    attention->v = params_add(params, INIT_GLOROT, A, 1, "attention.v");
}

void attention_keys(const struct attention *attention, const struct weights *weights, int rows,
                    const real *memory, real *keys)
{
    linear_forward(weights, attention->key, attention->key_bias, rows, memory, attention->key.cols,
                   keys);
}

void attention_forward(const struct attention *attention, const struct weights *weights, int S,
                       const real *keys, int ld_keys, const real *query, real *alignment)
{
    weights->kernels->energies(S, attention->A, keys, ld_keys, query, weight(weights, attention->v),
                               alignment);
    weights->kernels->softmax(S, alignment);
}

void attention_backward(const struct attention *attention, const struct weights *weights, int S,
                        const real *keys, int ld_keys, const real *query, const real *alignment,
                        real *d_alignment, real *d_keys, real *d_query, real *gradients)
{
    real mean = 0;
    for (int s = 0; s < S; s++)
        mean += alignment[s] * d_alignment[s];
    for (int s = 0; s < S; s++)
        d_alignment[s] = alignment[s] * (d_alignment[s] - mean);
    weights->kernels->energies_backward(S, attention->A, keys, ld_keys, query,
                                        weight(weights, attention->v), d_alignment, d_keys, d_query,
                                        gradients + attention->v.offset);
}
