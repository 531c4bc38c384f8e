/*
 * placeholders.h - what a translation must not touch: {name}, %s, {{x}}, ${x}, addresses, numbers.
 *
 *     size_t len = placeholder_at(text, text_len, at, &kind);      // 0: none begins here
 *
 * | kind   | what                                                                        |
 * |--------|-----------------------------------------------------------------------------|
 * | code   | {{ anything }}  ${anything}  {name}  {0:.2f}  {}                            |
 * |        | %s %d %5.2f %1$s %(name)s %% %@ %NAME%, but none of these behind a digit    |
 * |        | https://... ftp://... mailto:... www....  user@example.org                  |
 * |        | X1 to X9, which stand for all of the above while a model translates         |
 * | number | digits, with . , : ' / - between them; no letter may touch it               |
 *
 * Pure functions. All that is found within a text takes time linear in it.
 */
#ifndef SERVER_DOCUMENTS_PLACEHOLDERS_H
#define SERVER_DOCUMENTS_PLACEHOLDERS_H

#include <stdbool.h>
#include <stddef.h>

#define PLACEHOLDER_BYTES_MAX 64 // between the braces of one

enum placeholder_kind { PLACEHOLDER_CODE, PLACEHOLDER_NUMBER };

/* Bytes of the placeholder that begins at byte `at` of a valid text; 0: none. */
size_t placeholder_at(const char *text, size_t len, size_t at, enum placeholder_kind *kind);

/* Whether a letter, a digit or a mark on one ends before byte `at`, or begins at it. */
bool placeholder_word_ends(const char *text, size_t len, size_t at);
bool placeholder_word_begins(const char *text, size_t len, size_t at);

/* Whether the bytes [from,to) stand alone: no letter or digit touches them, and no digit behind a
 * separator if it is a number. */
bool placeholder_stands_alone(const char *text, size_t len, size_t from, size_t to);

#endif
