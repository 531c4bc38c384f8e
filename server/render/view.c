/*
 * view.c - tokens cut out of their texts.
 */
#include "server/render/view.h"

#include <string.h>

#define NUL_SIGN "\xE2\x90\x80" // "␀": a NUL in a text would end its token

static const char *token_of(const char *text, struct span span, struct arena *arena)
{
    const char *from = text + span.from;
    const size_t len = span.to - span.from, sign = sizeof NUL_SIGN - 1;
    size_t nuls = 0, at = 0;
    for (size_t i = 0; i < len; i++)
        nuls += from[i] == '\0';
    char *token = arena_array(arena, char, len + nuls * (sign - 1) + 1);
    for (size_t i = 0; token && i < len; i++) {
        if (from[i] != '\0') {
            token[at++] = from[i];
            continue;
        }
        memcpy(token + at, NUL_SIGN, sign);
        at += sign;
    }
    if (token)
        token[at] = '\0';
    return token;
}

static const char *const *tokens_of(const char *text, const struct span *spans, int count,
                                    struct arena *arena)
{
    const char **tokens = arena_array(arena, const char *, count + 1);
    for (int i = 0; tokens && i < count; i++)
        if (!(tokens[i] = token_of(text, spans[i], arena)))
            return NULL;
    return tokens;
}

enum status alignment_view_of(struct alignment_view *view, const char *source_text,
                              const char *target_text, const struct word_alignment *words,
                              const char *source_language, const char *target_language,
                              struct arena *arena, struct error *err)
{
    const char *const *source = tokens_of(source_text, words->source, words->S, arena);
    const char *const *target = tokens_of(target_text, words->target, words->T, arena);
    if (!source || !target)
        return error_set(err, STATUS_NO_MEMORY,
                         "the picture needs more memory than a request has: ask for one of a "
                         "shorter sentence");
    *view = (struct alignment_view){ .S = words->S,
                                     .T = words->T,
                                     .source = source,
                                     .target = target,
                                     .weights = words->weights,
                                     .links = words->links,
                                     .confidence = words->confidence,
                                     .coverage = words->coverage,
                                     .source_language = source_language,
                                     .target_language = target_language };
    return STATUS_OK;
}

enum status alignment_view_check(const struct alignment_view *view, struct error *err)
{
    const bool is_source = view->S > VIEW_TOKENS_MAX;
    if (!is_source && view->T <= VIEW_TOKENS_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_TOO_LARGE,
                     "the %s has %d tokens and a picture shows at most %d: ask for json or csv, "
                     "for words if these are pieces, or cut the sentence in two",
                     is_source ? "source" : "target", is_source ? view->S : view->T,
                     VIEW_TOKENS_MAX);
}

float alignment_view_weight(const struct alignment_view *view, int t, int s)
{
    const float w = view->weights[(size_t)t * (size_t)(view->S + 1) + (size_t)s];
    return w > 0 ? (w < 1 ? w : 1) : 0; // what is no number is 0
}
