/*
 * utf8.h - strict UTF-8: what is valid, and one code point at a time.
 */
#ifndef TOKENIZER_UTF8_H
#define TOKENIZER_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

/* Overlong forms, surrogates, code points above U+10FFFF, stray and cut sequences:
 * STATUS_BAD_INPUT "invalid UTF-8 at byte 17: ...". A NUL byte is valid. */
MUST_CHECK enum status utf8_check(const char *text, size_t len, struct error *err);

/* Bytes (1 to 4) of the valid sequence at text, or the negative number of those that are wrong
 * together: what one U+FFFD stands for, by Unicode's "maximal subpart". len > 0. */
int utf8_sequence(const char *text, size_t len);

/* The code point at text and its length; text is valid and len > 0. */
int32_t utf8_next(const char *text, size_t len, int *bytes);

/* Write a code point (not a surrogate, at most U+10FFFF); returns its 1 to 4 bytes. */
int utf8_put(int32_t c, char out[4]);

/* Code points in a valid text. */
size_t utf8_length(const char *text, size_t len);
#endif
