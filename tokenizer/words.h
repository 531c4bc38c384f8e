/*
 * words.h - normalised text as the words within which pieces are learnt.
 *
 *     char word[WORD_BYTES_MAX];
 *     for (size_t at = 0, len; (len = words_next(chars, count, &at, word)) > 0; ) ...
 *
 * A word is a run of letters (with their marks), of digits, or of anything
 * else; one behind a space, and the first, starts with "▁". So no learnt piece
 * crosses a space or mixes "don" with "'", and none can be written like "<s>".
 */
#ifndef TOKENIZER_WORDS_H
#define TOKENIZER_WORDS_H

#include <stddef.h>
#include "tokenizer/normalise.h"

#define WORD_CHARACTERS_MAX 256 // a longer run is cut: scripts without spaces have them
#define WORD_BYTES_MAX (4 * (WORD_CHARACTERS_MAX + 1))

/* The next word from chars[*at] on; returns its bytes, 0 at the end. */
size_t words_next(const struct character *chars, size_t count, size_t *at,
                  char word[WORD_BYTES_MAX]);
#endif
