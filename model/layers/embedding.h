/*
 * embedding.h - rows of a table chosen by ids.
 */
#ifndef MODEL_LAYERS_EMBEDDING_H
#define MODEL_LAYERS_EMBEDDING_H

#include <stdint.h>
#include "model/params.h"

/* x(n,E): row i is the table's row ids[i]. */
void embedding_forward(const struct weights *weights, struct tensor table, size_t n,
                       const int32_t *ids, real *x);

/* The table's row ids[i] += d_x row i; padding (id 0) learns nothing. */
void embedding_backward(struct tensor table, size_t n, const int32_t *ids, const real *d_x,
                        real *gradients);

#endif
