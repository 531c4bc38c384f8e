/*
 * test_cell.c - the recurrent cells in double: reference values to 1e-9, and
 * gradients against differences of the loss.
 */
#include "tests/model/cell_suite.h"

#include "model/layers/dropout.h"

#define STEP 1e-5
#define DIFFERENCE_NOISE 1e-7 // of a central difference with that step: mostly its STEP² term

enum { S = 5, B = 3, I = 4, H = 7, M = 2 };

/* Everything the loss Σ d_h ⊙ h depends on, in one block: weights, then x, context, h0, c0. */
struct point {
    size_t weights, x, context, h0, c0, total;
};

static struct point point_of(const struct fixture *f)
{
    struct point p = { .weights = 0, .x = f->params.total };
    p.context = p.x + S * B * I;
    p.h0 = p.context + S * B * M;
    p.c0 = p.h0 + B * H;
    p.total = p.c0 + B * H;
    return p;
}

struct setting {
    bool reverse;
    const int *len;
    const real *mask, *d_h;
};

static double loss_at(struct fixture *f, const struct setting *setting, const real *at,
                      real *gradient)
{
    const struct point p = point_of(f);
    const struct arena_mark mark = arena_mark(&f->arena);
    struct weights weights = f->weights;
    weights.values = at;
    real *h = zeros(f, S * B * H);
    struct recurrent_run run = { .S = S,
                                 .B = B,
                                 .reverse = setting->reverse,
                                 .len = setting->len,
                                 .x = at + p.x,
                                 .context = at + p.context,
                                 .h0 = at + p.h0,
                                 .c0 = at + p.c0,
                                 .mask = setting->mask,
                                 .h = h,
                                 .ld_h = H };
    recurrent_lay_out(&f->cell, &run, &f->arena);
    recurrent_forward(&f->cell, &weights, &run);
    double loss = 0;
    for (size_t i = 0; i < S * B * H; i++)
        loss += setting->d_h[i] * h[i];
    if (gradient) {
        const struct recurrent_gradients back = { .d_h = setting->d_h,
                                                  .d_x = gradient + p.x,
                                                  .d_context = gradient + p.context,
                                                  .d_h0 = gradient + p.h0,
                                                  .d_c0 = gradient + p.c0 };
        recurrent_backward(&f->cell, &weights, &run, &back, gradient, &f->arena);
    }
    arena_rewind(&f->arena, mark);
    return loss;
}

/*
 *     (loss(at + h d) - loss(at - h d)) / 2h   =   gradient · d
 *
 * for a random direction d over the elements from .. to.
 */
static void check_direction(struct fixture *f, const struct setting *setting, const real *at,
                            const real *gradient, const char *name, size_t from, size_t to)
{
    const struct arena_mark mark = arena_mark(&f->arena);
    const size_t total = point_of(f).total;
    const real *direction = random_reals(f, total, from + 3);
    real *ahead = zeros(f, total), *behind = zeros(f, total);
    double along = 0;
    for (size_t i = 0; i < total; i++) {
        const double d = i >= from && i < to ? direction[i] : 0;
        ahead[i] = at[i] + STEP * d;
        behind[i] = at[i] - STEP * d;
        along += gradient[i] * d;
    }
    const double difference =
        (loss_at(f, setting, ahead, NULL) - loss_at(f, setting, behind, NULL)) / (2 * STEP);
    ck_assert_msg(fabs(along - difference) <= DIFFERENCE_NOISE * (1 + fabs(along)),
                  "%s: gradient %.12g, difference %.12g", name, along, difference);
    arena_rewind(&f->arena, mark);
}

/* Both ways, with padding, a second input, first states and recurrent dropout. */
START_TEST(backward_is_the_derivative_of_forward)
{
    static const int len[B] = { 5, 2, 4 };
    struct fixture f;
    fixture_open(&f, kinds[_i % KINDS], I, H, M);
    const struct point p = point_of(&f);
    const real *at = random_reals(&f, p.total, 1);
    real *gradient = zeros(&f, p.total), *mask = zeros(&f, B * H);
    struct rng rng = rng_make(4, 4);
    dropout_mask(&rng, 0.3, B * H, mask);
    const struct setting setting = { _i >= KINDS, len, mask, random_reals(&f, S * B * H, 2) };
    loss_at(&f, &setting, at, gradient);
    for (int i = 0; i < f.params.count; i++) {
        const struct param *only = &f.params.entries[i];
        const size_t from = only->tensor.offset;
        check_direction(&f, &setting, at, gradient, only->name, from,
                        from + (size_t)only->tensor.rows * (size_t)only->tensor.cols);
    }
    check_direction(&f, &setting, at, gradient, "x", p.x, p.context);
    check_direction(&f, &setting, at, gradient, "context", p.context, p.h0);
    check_direction(&f, &setting, at, gradient, "h0", p.h0, p.c0);
    check_direction(&f, &setting, at, gradient, "c0", p.c0, p.total);
    fixture_close(&f);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(a_step_equals_a_value_by_hand, KINDS),
    TEST_LOOP(first_values_keep_what_a_state_holds, KINDS),
    TEST_LOOP(a_cell_has_no_tensor_that_it_does_not_use, KINDS),
    TEST_LOOP(a_layer_equals_the_reference, KINDS),
    TEST_LOOP(a_row_has_the_same_bits_alone_and_in_a_batch_of_seven, KINDS),
    TEST_LOOP(a_masked_state_does_not_grow, KINDS),
    TEST_LOOP(a_start_equals_a_state_of_zeros, KINDS),
    TEST_LOOP(backward_is_the_derivative_of_forward, 2 * KINDS),
};
TEST_MAIN("recurrent cells in double", cases)
