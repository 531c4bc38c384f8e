/*
 * test_attention.c - coverage, entropy and where attention rests, by hand.
 */
#include "server/quality/attention.h"

#include "tests/helpers.h"

#define NEAR 1e-6

static const struct span source[] = { { 0, 3 }, { 4, 7 }, { 7, 8 } }; // "the cat."
static const struct span target[] = { { 0, 2 }, { 3, 7 }, { 7, 8 } }; // "le chat."

static struct attention_view view_of(const float *weights)
{
    return (struct attention_view){ "the cat.", "le chat.", { source, target, 3, 3 }, weights };
}

START_TEST(a_word_for_a_word_is_perfect)
{
    static const float weights[] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 };
    const struct attention_view view = view_of(weights);
    struct attention_counts counts = { 0 };
    attention_add(&counts, &view);
    const struct attention_scores scores = attention_scores(&counts);
    ck_assert_double_eq_tol(scores.covered, 1, NEAR);
    ck_assert_double_eq_tol(scores.coverage_deviation, 0, NEAR);
    ck_assert_double_eq_tol(scores.coverage_penalty, 0, NEAR);
    ck_assert_double_eq_tol(scores.entropy, 0, NEAR);
    ck_assert_double_eq_tol(scores.source_entropy, 0, NEAR);
    ck_assert_double_eq_tol(scores.on_end, 0, NEAR);
    ck_assert_double_eq_tol(scores.on_punctuation, 0, NEAR);
}
END_TEST

START_TEST(figures_are_those_reckoned_by_hand)
{
    static const float weights[] = { 0.5F, 0.5F, 0, 0, 0, 0.25F, 0.5F, 0.25F, 0, 0, 0, 1 };
    const struct attention_view view = view_of(weights);
    struct attention_counts counts = { 0 };
    attention_add(&counts, &view);
    const struct attention_scores scores = attention_scores(&counts);
    // coverage .5, .75, .5; the last row is of punctuation
    ck_assert_double_eq_tol(scores.covered, 1, NEAR);
    ck_assert_double_eq_tol(scores.coverage_deviation, (0.5 + 0.25 + 0.5) / 3, NEAR);
    ck_assert_double_eq_tol(scores.coverage_penalty, (2 * log(1.25) + log(1.0625)) / 3, NEAR);
    ck_assert_double_eq_tol(scores.entropy, (log(2) + 1.5 * log(2)) / 3, NEAR);
    ck_assert_double_eq_tol(scores.source_entropy,
                            (-2.0 / 3 * log(2.0 / 3) - 1.0 / 3 * log(1.0 / 3)) / 3, NEAR);
    ck_assert_double_eq_tol(scores.on_end, 0.25 / 2, NEAR);
    ck_assert_double_eq_tol(scores.on_punctuation, 0.5 / 2, NEAR);
}
END_TEST

START_TEST(a_corpus_is_the_sum_of_its_sentences)
{
    static const float one[] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 };
    static const float two[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
    const struct attention_view a = view_of(one), b = view_of(two);
    struct attention_counts both = { 0 }, first = { 0 }, second = { 0 };
    attention_add(&both, &a);
    attention_add(&both, &b);
    attention_add(&first, &a);
    attention_add(&second, &b);
    attention_add_up(&first, &second);
    ck_assert_double_eq_tol(attention_scores(&both).covered, 0.5, NEAR);
    ck_assert_double_eq_tol(attention_scores(&first).covered, 0.5, NEAR);
    ck_assert_double_eq_tol(attention_scores(&first).on_end, 0.5, NEAR);
    ck_assert_double_eq_tol(attention_scores(&first).coverage_penalty, log(2) / 2, NEAR);
    ck_assert_int_eq(first.source_words, both.source_words);
}
END_TEST

START_TEST(nothing_has_figures_of_zero)
{
    const struct attention_counts none = { 0 };
    ck_assert_double_eq(attention_scores(&none).entropy, 0);
    ck_assert_double_eq(attention_scores(&none).covered, 0);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_word_for_a_word_is_perfect),
    TEST(figures_are_those_reckoned_by_hand),
    TEST(a_corpus_is_the_sum_of_its_sentences),
    TEST(nothing_has_figures_of_zero),
};

TEST_MAIN("server/quality/attention", cases)
