/*
 * attention.h - which memory states one query looks at (Bahdanau 2015).
 *
 *     e_s = v · tanh(key_s + query)      s < S
 *     a   = softmax(e)                   the alignment
 *
 *   S source pieces of one sentence   A attention width   M memory width
 *
 * keys (S,A) = W_k memory + b_k are computed once a sentence, query (A) = W_q s
 * every step. Rows of keys may be ld_keys apart (time-major batches).
 */
#ifndef MODEL_LAYERS_ATTENTION_H
#define MODEL_LAYERS_ATTENTION_H

#include "model/params.h"

struct attention {
    struct tensor query;    // W_q (A,H)
    struct tensor key;      // W_k (A,M)
    struct tensor key_bias; // b_k (A)
    struct tensor v;        // (A)
    int A;
};

/* Tensors attention.query, .key, .key_bias, .v. */
void attention_declare(struct attention *attention, struct params *params, int A, int H, int M);

/* keys(rows,A) of memory(rows,M). */
void attention_keys(const struct attention *attention, const struct weights *weights, int rows,
                    const real *memory, real *keys);

/* alignment (S) sums to 1. */
void attention_forward(const struct attention *attention, const struct weights *weights, int S,
                       const real *keys, int ld_keys, const real *query, real *alignment);

/* d_alignment (S) is overwritten with d_e; d_keys (rows ld_keys apart) and d_query (A) are added to.
 *     d_e[s] = a[s] (d_a[s] - Σ_j a[j] d_a[j]) */
void attention_backward(const struct attention *attention, const struct weights *weights, int S,
                        const real *keys, int ld_keys, const real *query, const real *alignment,
                        real *d_alignment, real *d_keys, real *d_query, real *gradients);

#endif
