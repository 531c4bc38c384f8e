/*
 * guidance.c - links of a target piece at a time.
 */
#include "model/layers/guidance.h"

#include <math.h>
#include <stddef.h>

#define SMALLEST ((real)1e-9) // ε

static int links_of_piece(const struct piece_link *links, int count)
{
    int n = 1;
    while (n < count && links[n].row == links[0].row && links[n].target == links[0].target)
        n++;
    return n;
}

double guidance_loss(const struct piece_link *links, int count, int B, int S, const real *alignment,
                     real scale, real *d_alignment)
{
    double loss = 0;
    for (int i = 0, n; i < count; i += n) {
        const size_t at = ((size_t)links[i].target * (size_t)B + (size_t)links[i].row) * (size_t)S;
        n = links_of_piece(links + i, count - i);
        for (int k = i; k < i + n; k++) {
            const size_t cell = at + (size_t)links[k].source;
            const real weight = alignment[cell] + SMALLEST;
            loss -= log((double)weight) / n;
            if (d_alignment)
                d_alignment[cell] -= scale / ((real)n * weight);
        }
    }
    return loss;
}
