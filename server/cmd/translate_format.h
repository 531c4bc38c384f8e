/*
 * translate_format.h - how "verso translate" writes the answer to a line.
 *
 *     plain      Une souris dort.
 *     n-best     7 ||| Une souris dort. ||| -0.3120
 *     pharaoh    Une souris dort. ||| 0-0 1-1 2-2
 *     matrix     the translation, then a table of a row a target word
 *     JSON       {"line":7,"text":"Une souris dort.","sentences":[{"tokens":[...],...}],...}
 *
 * The words of pairs are those that white space separates in the
 * line and in its translation, counted from 0, the source word first.
 */
#ifndef SERVER_CMD_TRANSLATE_FORMAT_H
#define SERVER_CMD_TRANSLATE_FORMAT_H

#include "base/bytes.h"
#include "server/engine/engine.h"

enum answer_form {
    ANSWER_PLAIN,
    ANSWER_N_BEST,
    ANSWER_PHARAOH,
    ANSWER_MATRIX,
    ANSWER_JSON,        // an object a line, as engine/answer_json.h says
    ANSWER_JSON_MATRIX, // with alignments
};

/* Append what is to be printed for line `number`, ends of line included. Scratch comes from the
 * arena. A translation of several lines cannot be: a "\n" the model made is written as a space. */
MUST_CHECK enum status translate_format(struct bytes *out, enum answer_form form, long number,
                                        const struct vocabulary *vocabulary, const char *text,
                                        size_t len, const struct engine_answer *answer,
                                        struct arena *arena, struct error *err);

/* For a line that could not be translated, so that lines still pair up. */
void translate_format_failed(struct bytes *out, enum answer_form form, long number,
                             const struct error *why);

#endif
