/*
 * character.h - what kind of character a code point is, and lower case of a text.
 *
 *     int bytes;
 *     if (character_is_space(utf8_next(text, len, &bytes))) ...
 *     text_lower(text, len, &out);
 *
 * All by Unicode's own rules: lower case is the full mapping, so it may change
 * the length of a text, and a sigma at the end of a word becomes a final one.
 * Pure functions for any number of threads.
 */
#ifndef TOKENIZER_CHARACTER_H
#define TOKENIZER_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"

/* White space of every script, and the control characters that separate lines or fields. */
bool character_is_space(int32_t c);

/* A letter of any script; marks and digits are none. */
bool character_is_letter(int32_t c);

/* Punctuation of any script: brackets, quotes, dashes and stops, no symbols such as "+" or "€". */
bool character_is_punctuation(int32_t c);

/* What is drawn on its neighbours or not at all: combining marks, soft hyphens, joiners. */
bool character_is_mark(int32_t c);

/* The lower and the upper case that is one character: of what has none, c itself. */
int32_t character_lower(int32_t c);
int32_t character_upper(int32_t c);

/* Whether a valid text has a letter of any script: without one there is nothing to translate. */
bool text_has_letters(const char *text, size_t len);

/* Append the lower case of a valid text; false as bytes_append. */
bool text_lower(const char *text, size_t len, struct bytes *out);

#endif
