/*
 * token_json.h - tokens of a sentence and what is known of them, as JSON.
 *
 * Private to server/engine. Each value is the caller's; NULL: no memory.
 */
#ifndef SERVER_ENGINE_TOKEN_JSON_H
#define SERVER_ENGINE_TOKEN_JSON_H

#include "base/json.h"
#include "server/engine/word_links.h"

json_t *token_json_number(float value); // four decimals
json_t *token_json_span(struct span span, uint32_t from);

/* Appended, or set: false where there was no memory for the value (NULL) or for its place. */
bool token_json_append(json_t *list, json_t *value);
bool token_json_set(json_t *object, const char *key, json_t *value);

/* {"text":"Un","span":[0,2],"log_prob":-0.05,"confidence":0.93,"links":[0]}. `text` is the
 * hypothesis', which begins at byte `from` of the answer's. */
json_t *token_json_target(const char *text, uint32_t from, const struct word_alignment *tokens,
                          int t);
/* {"text":"A","span":[0,1],"coverage":1.02}, of the request's text. */
json_t *token_json_source(const char *text, const struct word_alignment *tokens, int s);
json_t *token_json_row(const struct word_alignment *tokens, int t);

#endif
