/*
 * word_links.h - from pieces to words: which source word each target word looked at.
 *
 * Pieces are joined to words at their "▁"; the alignment is summed over the
 * source pieces of a word and averaged over the target pieces of a word, so
 * each row still sums to 1. The last column is the end of the sentence.
 */
#ifndef SERVER_ENGINE_WORD_LINKS_H
#define SERVER_ENGINE_WORD_LINKS_H

#include "server/engine/engine.h"

struct word_alignment {
    struct span *source; // (S) words, bytes of the request's text
    struct span *target; // (T) words, bytes of this hypothesis' own text
    float *weights;      // (T,S+1) each row sums to 1; the last column is </s>
    int S, T;
};

/* Words of one hypothesis of a sentence. */
MUST_CHECK enum status word_alignment(const struct vocabulary *vocabulary,
                                      const struct engine_sentence *sentence, int hypothesis,
                                      struct arena *arena, struct word_alignment *out,
                                      struct error *err);

/* For each target word its strongest source word, -1 when </s> is stronger than all. */
void word_links(const struct word_alignment *alignment, int *links /* (T) */);

#endif
