/*
 * normalise.h - text as the characters that pieces are made of, each with its place in the text.
 *
 *     struct normalised_bound bound = normalise_bound(text, len, options);
 *     struct character *chars = arena_array(&scratch, struct character, bound.characters);
 *     size_t count;
 *     if (!normalise(text, len, options, chars, &scratch, &count)) ...
 *
 * Control characters go, white space becomes single U+0020 with none at the
 * ends, the rest is in NFC or NFKC, case folded if asked for. The text must be
 * valid UTF-8. Time is linear, whatever the text: a long run of combining marks
 * is sorted by counting.
 */
#ifndef TOKENIZER_NORMALISE_H
#define TOKENIZER_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "tokenizer/vocabulary.h"

struct character {
    int32_t c;
    uint32_t from, to; // the bytes of the text it was made of; from and to never decrease
};

struct normalised_bound {
    size_t characters; // decomposed: at least as many as come out
    size_t bytes;      // of their UTF-8, a space counted as the three of "▁"
};

struct normalised_bound normalise_bound(const char *text, size_t len,
                                        struct vocabulary_options options);

/* chars has room for bound.characters. False: the scratch arena is full. */
MUST_CHECK bool normalise(const char *text, size_t len, struct vocabulary_options options,
                          struct character *chars, struct arena *scratch, size_t *count);
#endif
