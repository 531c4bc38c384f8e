/*
 * merges.h - which pieces a set of counted words teaches: the heart of learning.
 *
 *     struct merges *m;
 *     merges_new(&m, words, 0.9995, &err);     // map from "▁book" to how often it occurs
 *     while ((status = merges_next(m, &piece, &err)) == STATUS_OK && piece.text) ...
 *     for (int i = 0; i < merges_character_count(m); i++)
 *         merges_character(m, i);              // "e", "t", ... by falling frequency
 *     merges_free(m);
 *
 * A candidate is a text: what two adjacent pieces of a word make together,
 * however it is cut into the two, because encoding looks at the text alone.
 * The most frequent one (of equals the smaller in byte order) is the next
 * piece; its pairs are merged in every word that has them, and a pair whose
 * text already is a piece is merged as soon as it arises. One thread.
 */
#ifndef TOKENIZER_MERGES_H
#define TOKENIZER_MERGES_H

#include <stddef.h>
#include "base/map.h"
#include "base/status.h"

#define MERGED_CHARACTERS_MAX 16 // longest piece learnt

struct merges;

struct merged {
    const char *text; // not NUL-terminated, borrowed until the next call; NULL: no more
    size_t len;
};

/* Characters that make up `coverage` of the text are the pieces to start from; the others will
 * be bytes and separate what is beside them. The map is only read, and only now. */
MUST_CHECK enum status merges_new(struct merges **out, const struct map *words, double coverage,
                                  struct error *err);
void merges_free(struct merges *m); // NULL is fine

int merges_character_count(const struct merges *m);
struct merged merges_character(const struct merges *m, int index);

/* The next piece; text NULL when no pair occurs twice. */
MUST_CHECK enum status merges_next(struct merges *m, struct merged *piece, struct error *err);
#endif
