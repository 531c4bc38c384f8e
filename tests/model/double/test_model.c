/*
 * test_model.c - the model in double: reference values to 1e-9, and gradients
 * against differences of the loss.
 */
#include "tests/model/model_suite.h"

#define STEP 1e-5
#define DIFFERENCE_NOISE 1e-7 // of a central difference with that step

static double loss_along(struct whole *w, const struct batch *batch,
                         const struct loss_options *options, const real *start,
                         const real *direction, double step)
{
    for (size_t i = 0; i < w->model.params.total; i++)
        w->values[i] = start[i] + step * direction[i];
    return loss_of(w, batch, options, NULL).smoothed;
}

/*
 *     (loss(x + h d) - loss(x - h d)) / 2h   =   gradient · d
 *
 * for a random direction d over all weights, or over one tensor.
 */
static void check_direction(struct whole *w, const struct batch *batch,
                            const struct loss_options *options, const struct param *only,
                            uint64_t seed)
{
    const size_t total = w->model.params.total;
    real *start = malloc(total * sizeof *start), *direction = calloc(total, sizeof *direction);
    struct rng rng = rng_make(seed, 1);
    memcpy(start, w->values, total * sizeof *start);
    const struct param *params = only ? only : w->model.params.entries;
    for (int p = 0; p < (only ? 1 : w->model.params.count); p++) {
        const struct tensor t = params[p].tensor;
        for (size_t i = 0; i < (size_t)t.rows * (size_t)t.cols; i++)
            direction[t.offset + i] = rng_normal(&rng);
    }
    if (!only || strcmp(only->name, "embedding") == 0) // padding's row learns nothing
        for (int e = 0; e < w->model.embedding.cols; e++)
            direction[w->model.embedding.offset + (size_t)e] = 0;
    double along = 0;
    for (size_t i = 0; i < total; i++)
        along += w->gradients[i] * direction[i];
    const double difference = (loss_along(w, batch, options, start, direction, STEP) -
                               loss_along(w, batch, options, start, direction, -STEP)) /
                              (2 * STEP);
    memcpy(w->values, start, total * sizeof *start);
    ck_assert_msg(fabs(along - difference) <= DIFFERENCE_NOISE * (1 + fabs(along)),
                  "%s: gradient %.10g, difference %.10g", only ? only->name : "all weights", along,
                  difference);
    free(start), free(direction);
}

/* Of every system: plain, with label smoothing, with dropout, whose masks the seed fixes. */
START_TEST(backward_is_the_derivative_of_forward)
{
    struct whole w;
    struct random_batch r;
    const struct config small = small_config(_i / 3);
    whole_open(&w, &small, 5);
    random_batch(&r, small.vocabulary, 21);
    const struct loss_options options = { .dropout = _i % 3 == 2 ? 0.3 : 0,
                                          .smoothing = _i % 3 ? 0.1 : 0,
                                          .scale = 1,
                                          .rng = rng_make(9, 9) };
    loss_of(&w, &r.batch, &options, w.gradients);
    for (int p = 0; p < w.model.params.count; p++)
        check_direction(&w, &r.batch, &options, &w.model.params.entries[p], (uint64_t)p);
    for (uint64_t seed = 0; seed < 5; seed++)
        check_direction(&w, &r.batch, &options, NULL, seed);
    whole_close(&w);
}
END_TEST

static const struct test_case cases[] = {
    TEST(attention_equals_the_reference),
    TEST(equal_keys_share_the_weight),
    TEST_LOOP(cross_entropy_equals_the_reference, 2),
    TEST(whole_model_equals_the_reference),
    TEST(memory_equals_the_reference),
    TEST(single_steps_equal_the_reference),
    TEST_LOOP(padding_changes_nothing, SYSTEM_COUNT),
    TEST_LOOP(padding_is_never_read, SYSTEM_COUNT),
    TEST_LOOP(single_steps_equal_the_whole, SYSTEM_COUNT),
    TEST_LOOP(a_folded_step_equals_the_readable_one, SYSTEM_COUNT),
    TEST_LOOP(a_trace_has_every_distance, SYSTEM_COUNT),
    TEST(dropout_keeps_the_mean),
    TEST_LOOP(backward_is_the_derivative_of_forward, 3 * SYSTEM_COUNT),
};
TEST_MAIN("model in double", cases)
