/*
 * embedding.c - rows of a table chosen by ids.
 */
#include "model/layers/embedding.h"

#include <string.h>

void embedding_forward(const struct weights *weights, struct tensor table, size_t n,
                       const int32_t *ids, real *x)
{
    const size_t E = (size_t)table.cols;
    for (size_t i = 0; i < n; i++)
        memcpy(x + i * E, weight(weights, table) + (size_t)ids[i] * E, E * sizeof *x);
}

void embedding_backward(struct tensor table, size_t n, const int32_t *ids, const real *d_x,
                        real *gradients)
{
    const size_t E = (size_t)table.cols;
    for (size_t i = 0; i < n; i++) {
        real *row = gradients + table.offset + (size_t)ids[i] * E;
        for (size_t e = 0; ids[i] != 0 && e < E; e++)
            row[e] += d_x[i * E + e];
    }
}
