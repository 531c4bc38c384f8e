/*
 * parts.h - a text as what goes through the model: sentences, or parts of long ones.
 *
 * Private to server/engine.
 */
#ifndef SERVER_ENGINE_PARTS_H
#define SERVER_ENGINE_PARTS_H

#include "server/engine/engine.h"

struct parts {
    struct engine_sentence *list; // (count) source, tokens and split are set
    int count, capacity;
};

/* In order, none overlapping, each with a letter in it and of at most limits->pieces pieces; what
 * lies between them is to be copied. STATUS_TOO_LARGE: more than limits->text_sentences. */
MUST_CHECK enum status parts_of_text(const struct vocabulary *vocabulary,
                                     const struct engine_limits *limits, const char *text,
                                     size_t len, struct arena *arena, struct parts *out,
                                     struct error *err);

/* Pieces of a span of the text, with their spans in the whole text, the white space around each
 * left out. */
MUST_CHECK enum status parts_encode(const struct vocabulary *vocabulary, const char *text,
                                    struct span span, struct arena *arena, struct tokens *tokens,
                                    struct error *err);

#endif
