/*
 * narrow.h - the output layer over some of the vocabulary.
 *
 *     narrow_lay_out(&narrow, &output, kernels, pieces_max, &arena);     // once
 *     narrow_choose(&narrow, weights, lists, counts, list_count);        // when the sentences change
 *     narrow_product(&narrow, weights, N, readout, products);            // (N, narrow.count)
 *     narrow_pick(&narrow, weights, list, count, product, logits);       // a sentence's own
 *
 * Sentences in flight may each use some pieces only. The product runs over the
 * union of their lists, or over the whole vocabulary where that is cheaper;
 * a logit has the same bits either way, and a sentence sees its own pieces
 * alone, in their order.
 */
#ifndef MODEL_SEARCH_NARROW_H
#define MODEL_SEARCH_NARROW_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "model/layers/output.h"

struct narrow {
    const struct output *output;
    int capacity;    // most pieces of a union that is worth a matrix of its own
    int count;       // columns: the union's, or the vocabulary's
    bool whole;      // the whole vocabulary
    int32_t *ids;    // (capacity) of the union, rising
    int32_t *column; // (V) of each piece, -1: none
    void *panels;    // their rows as packed for products
};

void narrow_lay_out(struct narrow *narrow, const struct output *output,
                    const struct weights *weights, struct arena *arena);

/* Of `list_count` rising lists; one that is NULL is the whole vocabulary. A sentence that leaves need
 * not be told: what is too much changes no bit. */
void narrow_choose(struct narrow *narrow, const struct weights *weights,
                   const int32_t *const *lists, const int *counts, int list_count);

/* Logits, but for the bias. */
void narrow_product(const struct narrow *narrow, const struct weights *weights, int N,
                    const real *readout, real *products);

/* The logits of one row of products that belong to `list` (count), which was among the lists; they
 * may take the place of the products where it is NULL. */
void narrow_pick(const struct narrow *narrow, const struct weights *weights, const int32_t *list,
                 int count, const real *products, real *logits);

#endif
