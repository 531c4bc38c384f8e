/*
 * test_lm.c - the language model in double: gradients against differences of the loss, and cut
 * exactly at the edge of a chunk.
 */
#include "tests/model/lm_suite.h"

#define STEP 1e-5
#define DIFFERENCE_NOISE 1e-7 // of a central difference with that step

static double loss_along(struct fixture *f, const struct lm_batch *batch,
                         const struct loss_options *options, const real *start,
                         const real *direction, double step)
{
    for (size_t i = 0; i < f->lm.params.total; i++)
        f->values[i] = start[i] + step * direction[i];
    return loss_of(f, batch, options, NULL).smoothed;
}

/*     (loss(x + h d) - loss(x - h d)) / 2h   =   gradient · d
 *
 * for a random direction d over one tensor. The states that come in do not move with x. */
static void check_tensor(struct fixture *f, const struct lm_batch *batch,
                         const struct loss_options *options, const struct param *param)
{
    const size_t total = f->lm.params.total;
    const struct tensor t = param->tensor;
    real *start = malloc(total * sizeof *start), *direction = calloc(total, sizeof *direction);
    struct rng rng = rng_make((uint64_t)t.index, 1);
    double along = 0;
    memcpy(start, f->values, total * sizeof *start);
    for (size_t i = 0; i < (size_t)t.rows * (size_t)t.cols; i++)
        direction[t.offset + i] = rng_normal(&rng);
    for (int e = 0; e < f->lm.embedding.cols; e++) // padding's row learns from the output alone
        direction[f->lm.embedding.offset + (size_t)e] = 0;
    for (size_t i = 0; i < total; i++)
        along += f->gradients[i] * direction[i];
    const double difference = (loss_along(f, batch, options, start, direction, STEP) -
                               loss_along(f, batch, options, start, direction, -STEP)) /
                              (2 * STEP);
    memcpy(f->values, start, total * sizeof *start);
    ck_assert_msg(fabs(along - difference) <= DIFFERENCE_NOISE * (1 + fabs(along)),
                  "%s: gradient %.10g, difference %.10g", param->name, along, difference);
    free(start), free(direction);
}

/* Of every system, from a state that is not zero: plain, with label smoothing and rows of unequal
 * lengths, with dropout, whose masks the seed fixes. */
START_TEST(backward_is_the_derivative_of_forward)
{
    struct fixture f;
    struct chunk chunk;
    fixture_open(&f, _i / 3);
    make_chunk(&chunk, &f, 0, ROWS, 0, HORIZON);
    chunk.batch.state = f.state;
    chunk.len[2] = _i % 3 ? 2 : HORIZON;
    const struct loss_options options = { .dropout = _i % 3 == 2 ? 0.3 : 0,
                                          .smoothing = _i % 3 ? 0.1 : 0,
                                          .scale = 1,
                                          .rng = rng_make(9, 9) };
    loss_of(&f, &chunk.batch, &options, f.gradients);
    for (int p = 0; p < f.lm.params.count; p++)
        check_tensor(&f, &chunk.batch, &options, &f.lm.params.entries[p]);
    fixture_close(&f);
}
END_TEST

/* The gradients of two chunks in turn are those of the chunks with the state between them held
 * fixed, and so not those of one chunk of twice the length. */
START_TEST(gradients_end_at_the_edge)
{
    struct fixture f;
    struct chunk first, second, whole;
    fixture_open(&f, _i);
    const size_t n = ROWS * width_of(&f);
    real *between = malloc(n * sizeof *between);
    make_chunk(&first, &f, 0, ROWS, 0, HORIZON);
    first.batch.last_state = between;
    loss_of(&f, &first.batch, &plain, NULL);
    make_chunk(&second, &f, 0, ROWS, HORIZON, HORIZON);
    second.batch.state = between;
    loss_of(&f, &second.batch, &plain, f.gradients);
    for (int p = 0; p < f.lm.params.count; p++)
        check_tensor(&f, &second.batch, &plain, &f.lm.params.entries[p]);

    double apart = 0, together = 0;
    loss_of(&f, &first.batch, &plain, f.gradients);
    for (size_t i = 0; i < f.lm.params.total; i++)
        apart += f.gradients[i] * f.gradients[i];
    memset(f.gradients, 0, f.lm.params.total * sizeof *f.gradients);
    make_chunk(&whole, &f, 0, ROWS, 0, 2 * HORIZON);
    loss_of(&f, &whole.batch, &plain, f.gradients);
    for (size_t i = 0; i < f.lm.params.total; i++)
        together += f.gradients[i] * f.gradients[i];
    ck_assert_msg(fabs(apart - together) > 1e-6 * together, "nothing crossed the edge at all");
    free(between);
    fixture_close(&f);
}
END_TEST

static const struct test_case cases[] = {
    LM_CASES,
    TEST_LOOP(backward_is_the_derivative_of_forward, 3 * SYSTEM_COUNT),
    TEST_LOOP(gradients_end_at_the_edge, SYSTEM_COUNT),
};
TEST_MAIN("language model in double", cases)
