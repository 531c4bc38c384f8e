/*
 * follow.h - goes wherever a result points to, and aborts where it does not hold what it promises.
 *
 *     follow_translations(got, texts);
 *
 * Needs no Check, so that fuzzers use it too.
 */
#ifndef TESTS_SERVER_CLIENT_FOLLOW_H
#define TESTS_SERVER_CLIENT_FOLLOW_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/client/results.h"

static inline void follow_demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "a result does not hold what it promises: %s\n", what);
    abort();
}

static volatile size_t followed_bytes; // or the compiler would not read them

static inline void follow_text(const char *text)
{
    follow_demand(text != NULL, "a text");
    followed_bytes = strlen(text);
}

static inline void follow_text_if_any(const char *text)
{
    if (text)
        follow_text(text);
}

static inline void follow_span(struct verso_span span, const char *text)
{
    follow_demand(span.from <= span.to && (!text || span.to <= strlen(text)), "a span");
}

static inline void follow_alignment(const struct verso_alignment *alignment, size_t columns)
{
    if (!alignment->weights)
        return;
    follow_demand(alignment->columns == columns, "columns");
    for (size_t i = 0; i < alignment->rows * alignment->columns; i++)
        follow_demand(isfinite(alignment->weights[i]), "a weight");
}

static inline void follow_token(const struct verso_token *token, const char *text)
{
    follow_text(token->text);
    follow_span(token->span, text);
    follow_demand(isfinite(token->log_prob) && isfinite(token->confidence), "numbers of a token");
}

static inline void follow_sentence(const struct verso_sentence *s, const char *source,
                                   const char *target)
{
    follow_span(s->source, source);
    follow_span(s->target, target);
    for (size_t t = 0; t < s->token_count; t++) {
        follow_token(&s->tokens[t], target);
        for (size_t i = 0; i < s->tokens[t].link_count; i++)
            follow_demand(s->tokens[t].links[i] < s->source_token_count, "a link");
    }
    for (size_t i = 0; i < s->source_token_count; i++) {
        follow_text(s->source_tokens[i].text);
        follow_span(s->source_tokens[i].span, source);
    }
    follow_alignment(&s->alignment, s->source_token_count + 1);
    follow_demand(!s->alignment.weights || s->alignment.rows == s->token_count, "rows");
    for (size_t k = 0; k < s->n_best_count; k++) {
        follow_text(s->n_best[k].text);
        follow_alignment(&s->n_best[k].alignment, s->source_token_count + 1);
    }
}

static inline void follow_translation(const struct verso_translation *t, const char *source)
{
    if (t->source_text)
        source = t->source_text;
    follow_text_if_any(t->id);
    follow_text(t->origin);
    follow_text(t->text);
    follow_text_if_any(t->detected_language);
    follow_text_if_any(t->model);
    follow_text_if_any(t->via);
    for (size_t i = 0; i < t->sentence_count; i++)
        follow_sentence(&t->sentences[i], source, t->text);
    for (size_t i = 0; i < t->warning_count; i++) {
        follow_text(t->warnings[i].kind);
        follow_span(t->warnings[i].source, source);
        follow_span(t->warnings[i].target, t->text);
    }
}

static inline void follow_translations(const struct verso_translations *all,
                                       const char *const *texts)
{
    follow_text_if_any(all->model);
    follow_text_if_any(all->via);
    for (size_t i = 0; i < all->translation_count; i++)
        follow_translation(&all->translations[i], texts[i]);
}

static inline void follow_streamed(const struct verso_streamed_token *streamed)
{
    follow_text(streamed->text);
    if (streamed->token)
        follow_token(streamed->token, NULL);
    for (size_t i = 0; i < streamed->alignment_count; i++)
        follow_demand(isfinite(streamed->alignment[i]), "a weight");
}

static inline void follow_stored(const struct verso_stored *stored)
{
    const char *const texts[] = { stored->id,    stored->created, stored->origin,
                                  stored->model, stored->source,  stored->target };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        follow_text(texts[i]);
    follow_text_if_any(stored->source_text);
    follow_text_if_any(stored->target_text);
    if (stored->answer)
        follow_translation(stored->answer, NULL);
}

static inline void follow_detections(const struct verso_detections *all)
{
    for (size_t i = 0; i < all->detection_count; i++) {
        const struct verso_detection *d = &all->detections[i];
        follow_text_if_any(d->language);
        for (size_t k = 0; k < d->candidate_count; k++)
            follow_text(d->candidates[k].language);
    }
}

static inline void follow_languages(const struct verso_languages *all)
{
    for (size_t i = 0; i < all->language_count; i++) {
        follow_text(all->languages[i].code);
        follow_text(all->languages[i].name);
        for (size_t k = 0; k < all->languages[i].target_count; k++)
            follow_text(all->languages[i].targets[k]);
    }
}

static inline void follow_models(const struct verso_models *all)
{
    for (size_t i = 0; i < all->model_count; i++) {
        const struct verso_model *m = &all->models[i];
        const char *const texts[] = { m->name, m->source, m->target, m->state, m->digest };
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            follow_text(texts[k]);
        follow_text_if_any(m->card);
    }
}

#define FOLLOW_KINDS 7

/* A call has a result, which is freed, or says why not. */
static inline void follow_outcome(enum verso_status status, void *got,
                                  const struct verso_error *err)
{
    follow_demand((status == VERSO_OK) == (got != NULL), "a result or an error");
    follow_demand(status == VERSO_OK || (err->status == status && err->text[0]), "a sentence");
    verso_free(got);
}

/* Reads JSON as the kind-th of FOLLOW_KINDS replies, and goes through what comes of it. */
static inline enum verso_status follow_json(int kind, const json_t *json, const char *const *texts,
                                            struct verso_error *err)
{
    void *got = NULL;
    struct verso_health health;
    enum verso_status status;
    switch (kind) {
    case 0:
        status = verso_read_translations((struct verso_translations **)&got, json, texts, 1, err);
        if (got)
            follow_translations(got, texts);
        break;
    case 1:
        status = verso_read_detections((struct verso_detections **)&got, json, 1, err);
        if (got)
            follow_detections(got);
        break;
    case 2:
        status = verso_read_languages((struct verso_languages **)&got, json, err);
        if (got)
            follow_languages(got);
        break;
    case 3:
        status = verso_read_models((struct verso_models **)&got, json, err);
        if (got)
            follow_models(got);
        break;
    case 4:
        status = verso_read_stored((struct verso_stored **)&got, json, err);
        if (got)
            follow_stored(got);
        break;
    case 5:
        status = verso_read_streamed_token((struct verso_streamed_token **)&got, json, 1, err);
        if (got)
            follow_streamed(got);
        break;
    default:
        return verso_read_health(&health, json, err);
    }
    follow_outcome(status, got, err);
    return status;
}

#endif
