/*
 * test_optimizer.c - clipping and Adam: the reference values, and no bit that depends on the team.
 */
#include "model/train/optimizer.h"

#include "base/rng.h"
#include "tests/model/reference_file.h"

static struct optimizer start(struct team *team, const struct kernels *kernels, size_t total,
                              struct optimizer_options options)
{
    struct optimizer optimizer;
    struct error err;
    assert_ok(optimizer_init(&optimizer, options, team, kernels, total, &err), err);
    return optimizer;
}

/* As the trainer does it. */
static double sum_and_step(struct optimizer *optimizer, real *w, real *const *blocks, int count)
{
    const double norm = optimizer_sum(optimizer, blocks, count);
    optimizer_step(optimizer, w, blocks[0], norm, 0.01);
    return norm;
}

START_TEST(clipping_and_adam_give_the_reference_values)
{
    json_t *root = reference_open("optimisers.json");
    const struct kernels *tables[] = { &kernels_reference, &kernels_portable, kernels_best() };
    const size_t total = json_array_size(reference_at(root, "w0"));
    struct team *team = team_new(2);
    struct optimizer optimizer = start(team, tables[_i], total, optimizer_options_default());
    real *w = reference_reals(root, "w0");
    json_t *gradients = reference_at(root, "gradients"), *steps = reference_at(root, "adam");
    for (size_t k = 0; k < json_array_size(steps); k++) {
        json_t *step = json_array_get(steps, k), *wanted = json_object_get(step, "w");
        real g[64], none[64] = { 0 };
        for (size_t i = 0; i < total; i++)
            g[i] = (real)json_number_value(json_array_get(json_array_get(gradients, k), i));
        real *blocks[] = { g, none };
        double norm = sum_and_step(&optimizer, w, blocks, 2);
        ck_assert_double_eq_tol(norm, json_number_value(json_object_get(step, "norm")), TOLERANCE);
        for (size_t i = 0; i < total; i++)
            ck_assert_double_eq_tol((double)w[i], json_number_value(json_array_get(wanted, i)),
                                    TOLERANCE);
    }
    ck_assert_int_eq(optimizer.steps, 3);
    free(w);
    optimizer_release(&optimizer);
    team_free(team);
    json_decref(root);
}
END_TEST

#define MANY (5 * OPTIMIZER_CHUNK + 77)

static real *random_block(uint64_t stream)
{
    struct rng rng = rng_make(1, stream);
    real *block = malloc(MANY * sizeof *block);
    for (size_t i = 0; i < MANY; i++)
        block[i] = (real)rng_normal(&rng);
    return block;
}

START_TEST(the_team_s_size_does_not_change_a_bit)
{
    real *weights[2];
    double norms[2];
    for (int k = 0; k < 2; k++) {
        struct team *team = team_new(k == 0 ? 1 : 3);
        struct optimizer optimizer = start(team, kernels_best(), MANY, optimizer_options_default());
        real *blocks[] = { random_block(1), random_block(2) };
        weights[k] = random_block(3);
        norms[k] = sum_and_step(&optimizer, weights[k], blocks, 2);
        for (size_t i = 0; i < MANY; i++)
            ck_assert(blocks[0][i] == 0 && blocks[1][i] == 0);
        free(blocks[0]);
        free(blocks[1]);
        optimizer_release(&optimizer);
        team_free(team);
    }
    ck_assert(norms[0] == norms[1]);
    ck_assert_int_eq(memcmp(weights[0], weights[1], MANY * sizeof(real)), 0);
    free(weights[0]);
    free(weights[1]);
}
END_TEST

START_TEST(gradients_of_members_are_added)
{
    struct team *team = team_new(1);
    struct optimizer optimizer = start(team, kernels_best(), MANY, optimizer_options_default());
    real *blocks[] = { random_block(1), random_block(1) }, *w = random_block(3);
    double squares = 0;
    for (size_t i = 0; i < MANY; i++)
        squares += 4 * (double)blocks[0][i] * (double)blocks[0][i];
    double norm = sum_and_step(&optimizer, w, blocks, 2);
    ck_assert_double_eq_tol(norm, sqrt(squares), 1e-9 * norm);
    free(blocks[0]);
    free(blocks[1]);
    free(w);
    optimizer_release(&optimizer);
    team_free(team);
}
END_TEST

START_TEST(a_gradient_that_is_not_finite_has_no_finite_norm_and_is_discarded)
{
    struct team *team = team_new(2);
    struct optimizer optimizer = start(team, kernels_best(), MANY, optimizer_options_default());
    real *blocks[] = { random_block(1), random_block(2) };
    blocks[1][MANY - 1] = _i == 0 ? (real)NAN : (real)INFINITY;
    ck_assert(!isfinite(optimizer_sum(&optimizer, blocks, 2)));
    optimizer_discard(&optimizer, blocks, 2);
    ck_assert_int_eq(optimizer.steps, 0);
    for (size_t i = 0; i < MANY; i++)
        ck_assert(blocks[0][i] == 0 && blocks[1][i] == 0 && optimizer.m[i] == 0);
    free(blocks[0]);
    free(blocks[1]);
    optimizer_release(&optimizer);
    team_free(team);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(clipping_and_adam_give_the_reference_values, 3),
    TEST(the_team_s_size_does_not_change_a_bit),
    TEST(gradients_of_members_are_added),
    TEST_LOOP(a_gradient_that_is_not_finite_has_no_finite_norm_and_is_discarded, 2),
};
TEST_MAIN("model/train/optimizer", cases)
