/*
 * narrow.h - the output layer over the pieces that one sentence may use.
 *
 *     narrow_lay_out(&narrow, &output, weights, count, &room);
 *     narrow_choose(&narrow, &output, weights, ids);
 *     narrow_logits(&narrow, &output, weights, rows, readouts, logits);    // (rows,count)
 *
 * The rows of the embedding that a sentence needs become a matrix of its own,
 * packed once, when it comes; each step then multiplies its few hypotheses by
 * its few pieces. A logit has the bits it has among the whole vocabulary.
 */
#ifndef MODEL_SEARCH_NARROW_H
#define MODEL_SEARCH_NARROW_H

#include <stdint.h>
#include "base/arena.h"
#include "model/layers/output.h"

struct narrow {
    int count;    // pieces
    void *panels; // their rows of the embedding, as packed for products
    real *bias;   // (count)
};

/* Room for `count` pieces; pointers stay NULL in a measuring arena. */
void narrow_lay_out(struct narrow *narrow, const struct output *output,
                    const struct weights *weights, int count, struct arena *arena);
/* Of the pieces `ids` (count). */
void narrow_choose(struct narrow *narrow, const struct output *output,
                   const struct weights *weights, const int32_t *ids);
void narrow_logits(const struct narrow *narrow, const struct output *output,
                   const struct weights *weights, int rows, const real *readouts, real *logits);

#endif
