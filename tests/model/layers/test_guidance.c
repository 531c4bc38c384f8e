/*
 * test_guidance.c - the loss of links by hand.
 */
#include "model/layers/guidance.h"

#include "tests/helpers.h"

#define NEAR 1e-5

/* Two sentences, three source pieces, two target pieces: (T,B,S). */
static const real alignment[2 * 2 * 3] = { 0.5F, 0.25F, 0.25F, 1, 0, 0, 0, 0, 1, 0.2F, 0.2F, 0.6F };

START_TEST(a_piece_costs_the_mean_of_its_links)
{
    const struct piece_link links[] = { { 0, 0, 0 }, { 0, 2, 0 }, { 1, 2, 1 } };
    real d_alignment[2 * 2 * 3] = { 0 };
    const double loss = guidance_loss(links, 3, 2, 3, alignment, 2, d_alignment);
    ck_assert_double_eq_tol(loss, -(log(0.5) + log(0.25)) / 2 - log(0.6), NEAR);
    ck_assert_double_eq_tol((double)d_alignment[0], -2 / (2 * 0.5), NEAR);
    ck_assert_double_eq_tol((double)d_alignment[2], -2 / (2 * 0.25), NEAR);
    ck_assert_double_eq_tol((double)d_alignment[11], -2 / 0.6, NEAR);
    for (int i = 0; i < 12; i++)
        ck_assert(i == 0 || i == 2 || i == 11 || d_alignment[i] == 0);
    ck_assert_double_eq(guidance_loss(links, 3, 2, 3, alignment, 2, NULL), loss);
    ck_assert_double_eq(guidance_loss(links, 0, 2, 3, alignment, 2, NULL), 0);
}
END_TEST

START_TEST(a_link_that_got_no_attention_costs_a_finite_amount)
{
    const struct piece_link link = { 0, 1, 1 };
    real d_alignment[2 * 2 * 3] = { 0 };
    const double loss = guidance_loss(&link, 1, 2, 3, alignment, 1, d_alignment);
    ck_assert(loss > 10 && loss < 100);
    ck_assert(isfinite((double)d_alignment[7]));
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_piece_costs_the_mean_of_its_links),
    TEST(a_link_that_got_no_attention_costs_a_finite_amount),
};

TEST_MAIN("model/layers/guidance", cases)
