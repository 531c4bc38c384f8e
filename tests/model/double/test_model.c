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

/* Some pieces are linked to one, some to two or more, some to none. */
static int random_links(const struct random_batch *r, struct piece_link *links)
{
    struct rng rng = rng_make(33, 1);
    int count = 0;
    for (int32_t b = 0; b < RANDOM_B; b++)
        for (int32_t t = 0; t < r->target_len[b]; t++)
            for (int32_t s = 0; s < r->source_len[b]; s++)
                if (rng_below(&rng, 3) == 0)
                    links[count++] = (struct piece_link){ b, s, t };
    return count;
}

/* Of every system: plain, with label smoothing, with dropout, whose masks the seed fixes, and with
 * links that guide it. */
START_TEST(backward_is_the_derivative_of_forward)
{
    struct whole w;
    struct random_batch r;
    struct piece_link links[RANDOM_B * RANDOM_T * RANDOM_S];
    const struct config small = small_config(_i / 4);
    const int variant = _i % 4;
    whole_open(&w, &small, 5);
    random_batch(&r, small.vocabulary, 21);
    r.batch.links = links;
    r.batch.link_count = random_links(&r, links);
    ck_assert_int_gt(r.batch.link_count, 10);
    const struct loss_options options = { .dropout = variant >= 2 ? 0.3 : 0,
                                          .smoothing = variant ? 0.1 : 0,
                                          .guidance = variant == 3 ? 0.7 : 0,
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

/* Without links, or without attention, guidance is nothing. */
START_TEST(links_are_in_the_loss_of_what_attends)
{
    struct whole w;
    struct random_batch r;
    struct piece_link links[RANDOM_B * RANDOM_T * RANDOM_S];
    const struct config small = small_config(_i);
    whole_open(&w, &small, 5);
    random_batch(&r, small.vocabulary, 21);
    const struct loss_options plain = { .scale = 1 }, guided = { .guidance = 0.5, .scale = 1 };
    const double without = loss_of(&w, &r.batch, &plain, NULL).smoothed;
    ck_assert_double_eq(loss_of(&w, &r.batch, &guided, NULL).smoothed, without);
    r.batch.links = links;
    r.batch.link_count = random_links(&r, links);
    const struct loss with = loss_of(&w, &r.batch, &guided, NULL);
    ck_assert_double_eq(with.nats, loss_of(&w, &r.batch, &plain, NULL).nats);
    if (small.attention_kind == ATTENTION_NONE)
        ck_assert_double_eq(with.smoothed, without);
    else
        ck_assert_double_gt(with.smoothed, without);
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
    TEST_LOOP(rows_of_one_parent_are_as_if_each_had_its_own, SYSTEM_COUNT),
    TEST_LOOP(a_trace_has_every_distance, SYSTEM_COUNT),
    TEST(dropout_keeps_the_mean),
    TEST_LOOP(links_are_in_the_loss_of_what_attends, SYSTEM_COUNT),
    TEST_LOOP(backward_is_the_derivative_of_forward, 4 * SYSTEM_COUNT),
};
TEST_MAIN("model in double", cases)
