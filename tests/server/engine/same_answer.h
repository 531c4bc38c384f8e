/*
 * same_answer.h - two answers compared: all but the weights to the bit, those to 1/255.
 */
#ifndef TESTS_SERVER_ENGINE_SAME_ANSWER_H
#define TESTS_SERVER_ENGINE_SAME_ANSWER_H

#include "server/engine/word_links.h"
#include "tests/helpers.h"

#define WEIGHT_TOLERANCE (1 / 255.0f + 1e-6f)
#define SUM_TOLERANCE 1e-5f

static inline void assert_same_span(struct span a, struct span b)
{
    ck_assert_uint_eq(a.from, b.from);
    ck_assert_uint_eq(a.to, b.to);
}

static inline void assert_same_weights(const struct hypothesis *a, const struct hypothesis *b)
{
    const int rows = a->T + (a->finished ? 1 : 0);
    for (int t = 0; t < rows; t++) {
        float sum = 0, wanted = 0;
        for (int s = 0; s < a->S; s++) {
            const float is = b->alignment[t * a->S + s], was = a->alignment[t * a->S + s];
            ck_assert_float_le_tol(fabsf(is - was), WEIGHT_TOLERANCE, 1e-7f);
            sum += is;
            wanted += was;
        }
        ck_assert_float_eq_tol(sum, wanted > 0 ? 1 : 0, SUM_TOLERANCE);
    }
}

static inline void assert_same_hypothesis(const struct hypothesis *a, const struct hypothesis *b)
{
    ck_assert_int_eq(a->T, b->T);
    ck_assert_int_eq(a->S, b->S);
    ck_assert_int_eq(a->finished, b->finished);
    ck_assert(a->score == b->score && a->log_prob == b->log_prob);
    if (a->T > 0)
        ck_assert_mem_eq(a->ids, b->ids, (size_t)a->T * sizeof *a->ids);
    for (int t = 0; t < a->T + (a->finished ? 1 : 0); t++)
        ck_assert(a->log_probs[t] == b->log_probs[t]);
    assert_same_weights(a, b);
}

static inline void assert_same_words(const struct vocabulary *v, const struct engine_sentence *a,
                                     const struct engine_sentence *b, int k, struct arena *arena)
{
    struct error err;
    struct word_alignment was, is;
    assert_ok(word_alignment(v, a, k, arena, &was, &err), err);
    assert_ok(word_alignment(v, b, k, arena, &is, &err), err);
    ck_assert_int_eq(was.S, is.S);
    ck_assert_int_eq(was.T, is.T);
    ck_assert_int_eq(was.warning_count, is.warning_count);
    for (int t = 0; t < was.T; t++) {
        ck_assert_int_eq(was.links[t], is.links[t]);
        assert_same_span(was.target[t], is.target[t]);
    }
    for (int i = 0; i < was.warning_count; i++)
        assert_same_span(was.warnings[i].span, is.warnings[i].span);
}

static inline void assert_same_sentence(const struct vocabulary *v, const struct engine_sentence *a,
                                        const struct engine_sentence *b, struct arena *arena)
{
    assert_same_span(a->source, b->source);
    assert_same_span(a->target, b->target);
    ck_assert_int_eq(a->split, b->split);
    ck_assert_int_eq(a->truncated, b->truncated);
    ck_assert_int_eq(a->tokens.count, b->tokens.count);
    for (int i = 0; i < a->tokens.count; i++) {
        ck_assert_int_eq(a->tokens.ids[i], b->tokens.ids[i]);
        assert_same_span(a->tokens.spans[i], b->tokens.spans[i]);
    }
    ck_assert_int_eq(a->translation.count, b->translation.count);
    for (int k = 0; k < a->translation.count; k++) {
        assert_same_hypothesis(&a->translation.best[k], &b->translation.best[k]);
        ck_assert_str_eq(a->texts[k].text, b->texts[k].text);
        assert_same_words(v, a, b, k, arena);
    }
}

static inline void assert_same_answer(const struct vocabulary *v, const struct engine_answer *a,
                                      const struct engine_answer *b, struct arena *arena)
{
    ck_assert_uint_eq(a->len, b->len);
    ck_assert_mem_eq(a->text, b->text, a->len);
    ck_assert(a->score == b->score);
    ck_assert_int_eq(a->sentence_count, b->sentence_count);
    for (int i = 0; i < a->sentence_count; i++)
        assert_same_sentence(v, &a->sentences[i], &b->sentences[i], arena);
    ck_assert_int_eq(a->alternative_count, b->alternative_count);
    for (int i = 0; i < a->alternative_count; i++)
        ck_assert_str_eq(a->alternatives[i], b->alternatives[i]);
}

#endif
