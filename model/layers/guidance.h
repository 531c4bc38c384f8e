/*
 * guidance.h - attention that is told where to look (Chen et al. 2016).
 *
 * With L_t the source pieces that target piece t is linked to, by links that
 * came with the training pairs,
 *
 *     loss = -Σ_t Σ_{s in L_t} log(a_ts + ε) / |L_t|          ε keeps it finite
 *
 * the cross-entropy between the links of a piece, all alike, and its alignment.
 * A piece without links says nothing.
 */
#ifndef MODEL_LAYERS_GUIDANCE_H
#define MODEL_LAYERS_GUIDANCE_H

#include <stdint.h>
#include "model/kernels/real.h"

struct piece_link {
    int32_t row;            // sentence of the batch
    int32_t source, target; // pieces, from 0
};

/* The loss of alignments (T,B,S), and its gradient times `scale` added to d_alignment (T,B,S) if
 * that is not NULL. Links of one target piece stand side by side. */
double guidance_loss(const struct piece_link *links, int count, int B, int S, const real *alignment,
                     real scale, real *d_alignment);

#endif
