/*
 * answer_json.h - an answer as JSON, word by word.
 *
 *     json_t *root;
 *     status = answer_to_json(&root, vocabulary, text, &answer, &options, &arena, &err);
 *
 *     {"text":"Un chat.","score":-0.21,"sentences":[
 *       {"source":[0,6],"target":[0,8],"score":-0.21,
 *        "tokens":[{"text":"Un","span":[0,2],"log_prob":-0.05,"confidence":0.93,"links":[0]},...],
 *        "source_tokens":[{"text":"A","span":[0,1],"coverage":1.02},...],
 *        "alignment":[[0.97,0.02,0.01],...],
 *        "n_best":[{"text":"Le chat.","score":-0.52,"alignment":[...]},...]}],
 *      "warnings":[{"kind":"uncovered","source":[2,5]},...]}
 *
 * Tokens are words, or pieces where these are asked for. What they are and what
 * is said of them: word_links.h. Spans are bytes of
 * the request's text and of the answer's. A row of the alignment is a token, a
 * column a source token, the last one the end of the sentence; rows sum to 1.
 * Figures have four decimals. "alignment" is there if it is asked for, "n_best"
 * if there is more than the best: the others, best first.
 */
#ifndef SERVER_ENGINE_ANSWER_JSON_H
#define SERVER_ENGINE_ANSWER_JSON_H

#include "base/json.h"
#include "server/engine/engine.h"

struct answer_json_options {
    bool alignment; // with the matrices
    bool pieces;    // tokens are pieces, not words
};

/* `text` is the request's. Scratch comes from the arena; *root is the caller's. */
MUST_CHECK enum status answer_to_json(json_t **root, const struct vocabulary *vocabulary,
                                      const char *text, const struct engine_answer *answer,
                                      const struct answer_json_options *options,
                                      struct arena *arena, struct error *err);

#endif
