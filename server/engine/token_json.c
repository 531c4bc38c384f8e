/*
 * token_json.c - tokens of a sentence and what is known of them, as JSON.
 */
#include "server/engine/token_json.h"

#include <math.h>

#define DECIMALS 1e4

json_t *token_json_number(float value)
{
    return json_real(round((double)value * DECIMALS) / DECIMALS + 0.0); // no -0.0
}

json_t *token_json_span(struct span span, uint32_t from)
{
    return json_pack("[I,I]", (json_int_t)(span.from + from), (json_int_t)(span.to + from));
}

bool token_json_append(json_t *list, json_t *value)
{
    return json_array_append_new(list, value) == 0;
}

bool token_json_set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *text_of(const char *text, struct span span)
{
    return json_stringn(text + span.from, span.to - span.from);
}

static json_t *if_whole(json_t *value, bool is_whole)
{
    if (is_whole)
        return value;
    json_decref(value);
    return NULL;
}

json_t *token_json_target(const char *text, uint32_t from, const struct word_alignment *tokens,
                          int t)
{
    json_t *token = json_object(), *links = json_array();
    bool ok = tokens->links[t] < 0 || token_json_append(links, json_integer(tokens->links[t]));
    ok = token_json_set(token, "text", text_of(text, tokens->target[t])) && ok;
    ok = token_json_set(token, "span", token_json_span(tokens->target[t], from)) && ok;
    ok = token_json_set(token, "log_prob", token_json_number(tokens->log_probs[t])) && ok;
    ok = token_json_set(token, "confidence", token_json_number(tokens->confidence[t])) && ok;
    ok = token_json_set(token, "links", links) && ok;
    return if_whole(token, ok);
}

json_t *token_json_source(const char *text, const struct word_alignment *tokens, int s)
{
    json_t *token = json_object();
    bool ok = token_json_set(token, "text", text_of(text, tokens->source[s]));
    ok = token_json_set(token, "span", token_json_span(tokens->source[s], 0)) && ok;
    ok = token_json_set(token, "coverage", token_json_number(tokens->coverage[s])) && ok;
    return if_whole(token, ok);
}

json_t *token_json_row(const struct word_alignment *tokens, int t)
{
    const float *weights = tokens->weights + (size_t)t * (size_t)(tokens->S + 1);
    json_t *row = json_array();
    bool ok = true;
    for (int s = 0; s <= tokens->S; s++)
        ok = token_json_append(row, token_json_number(weights[s])) && ok;
    return if_whole(row, ok);
}
