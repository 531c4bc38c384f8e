/*
 * test_rng.c - known vectors, reproducibility, and the shape of each distribution.
 */
#include "tests/helpers.h"

#include "base/rng.h"

/* First outputs of xoshiro256** from the state 1, 2, 3, 4, by hand for the first three:
 * rotl(2 * 5, 7) * 9 = 11520; then s[1] = 0; then s[1] = 2^18 + 1 ^ 2 ... */
START_TEST(the_generator_is_xoshiro256_starstar)
{
    static const uint64_t expected[] = { 11520u, 0u, 1509978240u, 1215971899390074240u };
    struct rng rng = { { 1, 2, 3, 4 } };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ck_assert_uint_eq(rng_next(&rng), expected[i]);
}
END_TEST

START_TEST(seed_and_stream_decide_everything)
{
    struct rng a = rng_make(7, 3), b = rng_make(7, 3);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(rng_next(&a), rng_next(&b));
    ck_assert_double_eq(rng_normal(&a), rng_normal(&b));
    ck_assert_mem_eq(&a, &b, sizeof a);
}
END_TEST

START_TEST(neighbouring_seeds_and_streams_share_nothing)
{
    uint64_t first[100];
    for (uint64_t i = 0; i < 100; i++) {
        struct rng rng = rng_make(i / 10, i % 10);
        first[i] = rng_next(&rng);
        for (uint64_t j = 0; j < i; j++)
            ck_assert_uint_ne(first[i], first[j]);
    }
}
END_TEST

START_TEST(a_stored_state_goes_on_where_it_was)
{
    struct rng rng = rng_make(1, 1);
    rng_normal(&rng);
    struct rng stored = rng;
    double next = rng_normal(&rng);
    ck_assert_double_eq(rng_normal(&stored), next);
}
END_TEST

#define DRAWS 1000000
#define FIVE_SIGMA 5.0

START_TEST(uniforms_fill_the_half_open_interval)
{
    struct rng rng = rng_make(2, 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double u = rng_uniform(&rng);
        if (u < 0 || u >= 1)
            ck_abort_msg("%g is outside", u);
        sum += u;
        squares += u * u;
    }
    double mean = sum / DRAWS;
    ck_assert_double_eq_tol(mean, 0.5, FIVE_SIGMA * sqrt(1.0 / 12 / DRAWS));
    ck_assert_double_eq_tol(squares / DRAWS, 1.0 / 3, FIVE_SIGMA * sqrt(4.0 / 45 / DRAWS));
}
END_TEST

START_TEST(every_number_below_a_bound_is_as_likely)
{
    static const uint64_t bounds[] = { 1, 2, 3, 10, 97 };
    uint64_t bound = bounds[_i];
    struct rng rng = rng_make(3, 0);
    double counts[97] = { 0 }, chi_squared = 0;
    for (int i = 0; i < DRAWS; i++) {
        uint64_t drawn = rng_below(&rng, bound);
        ck_assert(drawn < bound);
        counts[drawn]++;
    }
    double expected = (double)DRAWS / (double)bound;
    for (uint64_t i = 0; i < bound; i++)
        chi_squared += (counts[i] - expected) * (counts[i] - expected) / expected;
    double freedom = (double)bound - 1;
    ck_assert_double_le(chi_squared, freedom + FIVE_SIGMA * sqrt(2 * freedom));
}
END_TEST

/* Of 2^64 numbers, 3 * 2^62 as a bound would make a third of the results twice as likely. */
START_TEST(a_bound_near_the_whole_range_is_unbiased)
{
    const uint64_t quarter = (uint64_t)1 << 62;
    struct rng rng = rng_make(4, 0);
    int low = 0;
    for (int i = 0; i < DRAWS; i++)
        low += rng_below(&rng, 3 * quarter) < quarter;
    ck_assert_double_eq_tol((double)low / DRAWS, 1.0 / 3, FIVE_SIGMA * sqrt(2.0 / 9 / DRAWS));
}
END_TEST

START_TEST(normals_have_the_moments_of_a_normal)
{
    struct rng rng = rng_make(5, 0);
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = rng_normal(&rng);
        m1 += x / DRAWS;
        m2 += x * x / DRAWS;
        m3 += x * x * x / DRAWS;
        m4 += x * x * x * x / DRAWS;
    }
    ck_assert_double_eq_tol(m1, 0, FIVE_SIGMA * sqrt(1.0 / DRAWS));
    ck_assert_double_eq_tol(m2, 1, FIVE_SIGMA * sqrt(2.0 / DRAWS));
    ck_assert_double_eq_tol(m3, 0, FIVE_SIGMA * sqrt(15.0 / DRAWS));
    ck_assert_double_eq_tol(m4, 3, FIVE_SIGMA * sqrt(96.0 / DRAWS));
}
END_TEST

/* Where a sum of uniforms or a table would be wrong: in the middle of its cells and in the tail. */
START_TEST(normals_fall_where_the_error_function_says)
{
    static const double edges[] = { 0.1, 0.5, 0.9, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0 };
    struct rng rng = rng_make(6, (uint64_t)_i);
    int below = 0;
    for (int i = 0; i < DRAWS; i++)
        below += fabs(rng_normal(&rng)) < edges[_i];
    double p = erf(edges[_i] / sqrt(2.0));
    ck_assert_double_eq_tol((double)below / DRAWS, p, FIVE_SIGMA * sqrt(p * (1 - p) / DRAWS));
}
END_TEST

static const struct test_case cases[] = {
    TEST(the_generator_is_xoshiro256_starstar),
    TEST(seed_and_stream_decide_everything),
    TEST(neighbouring_seeds_and_streams_share_nothing),
    TEST(a_stored_state_goes_on_where_it_was),
    TEST(uniforms_fill_the_half_open_interval),
    TEST_LOOP(every_number_below_a_bound_is_as_likely, 5),
    TEST(a_bound_near_the_whole_range_is_unbiased),
    TEST(normals_have_the_moments_of_a_normal),
    TEST_LOOP(normals_fall_where_the_error_function_says, 9),
};
TEST_MAIN("base/rng", cases)
