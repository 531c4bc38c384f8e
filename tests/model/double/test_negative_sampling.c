/*
 * test_negative_sampling.c - skip-gram and CBOW in double: reference values to
 * 1e-9, a value by hand, and gradients against differences of the loss.
 */
#include "model/layers/negative_sampling.h"

#include "base/rng.h"
#include "tests/model/reference_file.h"

#define STEP 1e-5
#define DIFFERENCE_NOISE 1e-8 // of a central difference with that step
#define CONTEXT_MOST 5
#define TARGETS_MOST 4

static struct arena arena;
static struct negative_sampling s;

static void begin(enum context_use use, int D)
{
    struct arena measure = arena_measure();
    negative_sampling_init(&s, &measure, use, CONTEXT_MOST, TARGETS_MOST, D);
    ck_assert(arena_init(&arena, measure.used));
    negative_sampling_init(&s, &arena, use, CONTEXT_MOST, TARGETS_MOST, D);
}

static void end(void)
{
    arena_release(&arena);
}

/* The reference's matrices, and gradients of both added up. */
struct matrices {
    json_t *root;
    real *in, *out, *d_in, *d_out;
    int words, D;
};

static struct matrices matrices_open(const char *name)
{
    struct matrices m = { .root = reference_open(name) };
    m.words = (int)json_integer_value(json_array_get(reference_at(m.root, "Win/shape"), 0));
    m.D = (int)json_integer_value(json_array_get(reference_at(m.root, "Win/shape"), 1));
    m.in = reference_reals(m.root, "Win");
    m.out = reference_reals(m.root, "Wout");
    m.d_in = calloc((size_t)(m.words * m.D), sizeof(real));
    m.d_out = calloc((size_t)(m.words * m.D), sizeof(real));
    return m;
}

static void matrices_check(struct matrices *m, double loss)
{
    assert_near(loss, json_number_value(reference_at(m->root, "loss")), TOLERANCE, "loss", 0);
    assert_like_reference(m->d_in, m->root, "grads/Win");
    assert_like_reference(m->d_out, m->root, "grads/Wout");
    free(m->in), free(m->out), free(m->d_in), free(m->d_out);
    json_decref(m->root);
}

/* One place; returns its loss. */
static double add_place(struct matrices *m, const int *context, int C, const int *targets, int N)
{
    const size_t D = (size_t)m->D;
    for (int c = 0; c < C; c++)
        memcpy(s.context + (size_t)c * D, m->in + (size_t)context[c] * D, D * sizeof(real));
    for (int n = 0; n < N; n++)
        memcpy(s.targets + (size_t)n * D, m->out + (size_t)targets[n] * D, D * sizeof(real));
    negative_sampling_gradients(&s, &kernels_reference, C, N);
    for (size_t i = 0; i < (size_t)C * D; i++)
        m->d_in[(size_t)context[i / D] * D + i % D] += s.d_context[i];
    for (size_t i = 0; i < (size_t)N * D; i++)
        m->d_out[(size_t)targets[i / D] * D + i % D] += s.d_targets[i];
    return negative_sampling_loss(&s);
}

/* The reference's centre predicts each word around it, each against words drawn for it alone. */
START_TEST(skipgram_equals_the_reference)
{
    struct matrices m = matrices_open("skipgram.json");
    begin(CONTEXT_EACH, m.D);
    const int centre = reference_int(m.root, "centre");
    json_t *context = reference_at(m.root, "context"), *drawn = reference_at(m.root, "negatives");
    double loss = 0;
    for (size_t i = 0; i < json_array_size(context); i++) {
        int targets[TARGETS_MOST] = { (int)json_integer_value(json_array_get(context, i)) };
        const json_t *negatives = json_array_get(drawn, i);
        const int N = 1 + (int)json_array_size(negatives);
        for (int n = 1; n < N; n++)
            targets[n] = (int)json_integer_value(json_array_get(negatives, (size_t)n - 1));
        loss += add_place(&m, &centre, 1, targets, N);
    }
    matrices_check(&m, loss);
    end();
}
END_TEST

START_TEST(cbow_equals_the_reference)
{
    struct matrices m = matrices_open("cbow.json");
    begin(CONTEXT_MEAN, m.D);
    int *context = reference_ints(m.root, "context"), *drawn = reference_ints(m.root, "negatives");
    const int C = (int)json_array_size(reference_at(m.root, "context"));
    const int N = 1 + (int)json_array_size(reference_at(m.root, "negatives"));
    int targets[TARGETS_MOST] = { reference_int(m.root, "centre") };
    memcpy(targets + 1, drawn, (size_t)(N - 1) * sizeof *drawn);
    matrices_check(&m, add_place(&m, context, C, targets, N));
    free(context), free(drawn);
    end();
}
END_TEST

/* u = (1, 0), v_0 = (ln 3, 5), v_1 = (-ln 3, 7): both are right with probability 3/4. */
START_TEST(one_pair_equals_a_value_by_hand)
{
    const real v = log(3);
    begin(CONTEXT_EACH, 2);
    s.context[0] = 1, s.context[1] = 0;
    s.targets[0] = v, s.targets[1] = 5, s.targets[2] = -v, s.targets[3] = 7;
    negative_sampling_gradients(&s, &kernels_reference, 1, 2);
    ck_assert_double_eq_tol(negative_sampling_loss(&s), -2 * log(0.75), 1e-15);
    ck_assert_double_eq_tol(s.d_context[0], -0.25 * v - 0.25 * v, 1e-15);
    ck_assert_double_eq_tol(s.d_context[1], -0.25 * 5 + 0.25 * 7, 1e-15);
    ck_assert_double_eq_tol(s.d_targets[0], -0.25, 1e-15);
    ck_assert_double_eq_tol(s.d_targets[2], 0.25, 1e-15);
    ck_assert(s.d_targets[1] == 0 && s.d_targets[3] == 0);
    end();
}
END_TEST

/* Scores of a thousand either way have a loss, and no gradient is lost to overflow. */
START_TEST(great_scores_stay_finite)
{
    begin(CONTEXT_EACH, 1);
    s.context[0] = 1000, s.targets[0] = -1, s.targets[1] = 1;
    negative_sampling_gradients(&s, &kernels_reference, 1, 2);
    ck_assert_double_eq_tol(negative_sampling_loss(&s), 2000, 1e-9);
    ck_assert_double_eq_tol(s.d_targets[0], -1000, 1e-9);
    ck_assert_double_eq_tol(s.d_targets[1], 1000, 1e-9);
    end();
}
END_TEST

static double loss_at(int C, int N)
{
    negative_sampling_gradients(&s, &kernels_reference, C, N);
    return negative_sampling_loss(&s);
}

static void check_differences(real *values, const real *gradients, size_t n, int C, int N)
{
    real *kept = malloc(n * sizeof *kept);
    memcpy(kept, gradients, n * sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        const real value = values[i];
        values[i] = value + STEP;
        const double above = loss_at(C, N);
        values[i] = value - STEP;
        const double below = loss_at(C, N);
        values[i] = value;
        ck_assert_double_eq_tol(kept[i], (above - below) / (2 * STEP), DIFFERENCE_NOISE);
    }
    free(kept);
}

/* Loop 0: skip-gram; 1: CBOW. */
START_TEST(gradients_are_the_derivative_of_the_loss)
{
    const int C = CONTEXT_MOST, N = TARGETS_MOST, D = 3;
    struct rng rng = rng_make(4, 2);
    begin(_i ? CONTEXT_MEAN : CONTEXT_EACH, D);
    for (int i = 0; i < C * D; i++)
        s.context[i] = rng_normal(&rng);
    for (int i = 0; i < N * D; i++)
        s.targets[i] = rng_normal(&rng);
    loss_at(C, N);
    check_differences(s.context, s.d_context, (size_t)(C * D), C, N);
    loss_at(C, N);
    check_differences(s.targets, s.d_targets, (size_t)(N * D), C, N);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(skipgram_equals_the_reference),
    TEST(cbow_equals_the_reference),
    TEST(one_pair_equals_a_value_by_hand),
    TEST(great_scores_stay_finite),
    TEST_LOOP(gradients_are_the_derivative_of_the_loss, 2),
};
TEST_MAIN("negative sampling in double", cases)
