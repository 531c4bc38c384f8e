/*
 * sentences.h - where the sentences of a document are, and what lies between them.
 *
 *     struct sentences s;
 *     sentences_split(text, len, &arena, &s, &err);
 *     the document is: text[0,s.spans[0].from) + sentence 0 + text between + ... + tail
 *
 * A sentence never crosses a newline and neither starts nor ends with white
 * space, so whoever replaces the spans and copies the bytes between them keeps
 * newlines, blank lines, indentation and spacing exactly. Texts of white space
 * alone have no sentence.
 */
#ifndef TOKENIZER_SENTENCES_H
#define TOKENIZER_SENTENCES_H

#include "base/arena.h"
#include "base/status.h"
#include "tokenizer/tokenizer.h"

struct sentences {
    struct span *spans; // (count) in order, not overlapping
    int count;
};

/* Ends: . ! ? … and their CJK, Arabic and Devanagari kin with closing quotes and brackets, before
 * white space (none needed after the CJK ones) and something that starts a sentence; not after
 * an initial, a common abbreviation (a short table: Mr. Dr. etc. e.g. z.B. M. Mme ...), nor inside
 * a number. STATUS_BAD_INPUT as tokenizer_encode. */
MUST_CHECK enum status sentences_split(const char *text, size_t len, struct arena *arena,
                                       struct sentences *out, struct error *err);

/* A place at or before `limit` (bytes) to cut an over-long sentence: after a clause mark
 * (, ; : – ) and space if there is one in the second half, else after a space, else at a
 * character. Always > 0 and a character boundary. */
size_t sentences_clause_break(const char *text, size_t len, size_t limit);
#endif
