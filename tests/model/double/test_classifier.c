/*
 * test_classifier.c - the classifier in double: padding changes nothing, and gradients against
 * differences of the loss.
 */
#include "model/classifier.h"

#include "base/arena.h"
#include "base/rng.h"
#include "tests/helpers.h"

#define B 5
#define S 7
#define V 19
#define C 3
#define STEP 1e-5
#define DIFFERENCE_NOISE 1e-7 // of a central difference with that step
#define TOLERANCE 1e-12

/* Cells, encoders and depths. */
static const struct {
    enum cell_kind cell;
    enum encoder_kind encoder;
    int layers;
} systems[] = {
    { CELL_LSTM, ENCODER_BIDIRECTIONAL, 1 },     { CELL_GRU, ENCODER_BIDIRECTIONAL, 2 },
    { CELL_GRU_UNBIASED, ENCODER_REVERSED, 1 },  { CELL_RNN, ENCODER_UNIDIRECTIONAL, 3 },
    { CELL_PEEPHOLE, ENCODER_BIDIRECTIONAL, 4 },
};
#define SYSTEM_COUNT ((int)(sizeof systems / sizeof systems[0]))

static struct classifier classifier;
static struct arena arena;
static real *values, *gradients;
static struct weights weights;
static int32_t ids[B * S], labels[B];
static int len[B];
static const struct labelled_batch batch = { ids, len, labels, B, S };

static void begin(int system)
{
    struct rng rng = rng_make(21, 7);
    struct config config = config_default(KIND_CLASSIFY);
    config.vocabulary = V;
    config.embedding = 5;
    config.hidden = 6;
    config.classes = C;
    config.cell = systems[system].cell;
    config.encoder = systems[system].encoder;
    config.encoder_layers = systems[system].layers;
    classifier_init(&classifier, &config);
    values = calloc(classifier.params.total, sizeof *values);
    gradients = calloc(classifier.params.total, sizeof *gradients);
    ck_assert(params_initialise(&classifier.params, values, 5));
    ck_assert(arena_init(&arena, 16 << 20));
    weights = (struct weights){ .params = &classifier.params,
                                .kernels = &kernels_reference,
                                .values = values };
    memset(ids, 0, sizeof ids);
    for (int b = 0; b < B; b++) {
        len[b] = b == 0 ? S : 1 + (int)rng_below(&rng, S);
        labels[b] = (int32_t)rng_below(&rng, C);
        for (int s = 0; s < len[b]; s++)
            ids[b * S + s] = 1 + (int32_t)rng_below(&rng, V - 1);
    }
}

static void end(void)
{
    free(values);
    free(gradients);
    arena_release(&arena);
}

static struct loss loss_of(const struct labelled_batch *of, const struct loss_options *options,
                           real *into)
{
    struct loss loss;
    struct error err;
    assert_ok(classifier_loss(&classifier, &weights, of, options, &arena, into, &loss, &err), err);
    ck_assert_uint_eq(arena.used, 0);
    return loss;
}

START_TEST(padding_changes_nothing)
{
    const struct loss_options options = { .scale = 1 };
    begin(_i);
    real *apart = calloc(classifier.params.total, sizeof *apart);
    const struct loss whole = loss_of(&batch, &options, gradients);
    double nats = 0;
    for (int b = 0; b < B; b++) {
        const struct labelled_batch row = { ids + b * S, len + b, labels + b, 1, len[b] };
        nats += loss_of(&row, &options, apart).nats;
    }
    ck_assert_int_eq(whole.pieces, B);
    ck_assert_double_eq_tol(whole.nats, nats, TOLERANCE);
    for (size_t i = 0; i < classifier.params.total; i++)
        ck_assert_double_eq_tol(gradients[i], apart[i], TOLERANCE);
    free(apart);
    end();
}
END_TEST

START_TEST(padding_is_never_read)
{
    const struct loss_options options = { .scale = 1 };
    begin(_i);
    const double nats = loss_of(&batch, &options, NULL).nats;
    for (int b = 0; b < B; b++)
        for (int s = len[b]; s < S; s++)
            ids[b * S + s] = V + 1000;
    ck_assert_double_eq(loss_of(&batch, &options, NULL).nats, nats);
    end();
}
END_TEST

START_TEST(probabilities_are_those_of_the_loss)
{
    const struct loss_options options = { .scale = 1 };
    const int32_t *rows[B];
    double log_probs[B * C], nats = 0;
    struct error err;
    begin(_i);
    for (int b = 0; b < B; b++)
        rows[b] = ids + b * S;
    assert_ok(classifier_log_probs(&classifier, &weights, rows, len, B, &arena, log_probs, &err),
              err);
    for (int b = 0; b < B; b++) {
        double sum = 0;
        for (int c = 0; c < C; c++)
            sum += exp(log_probs[b * C + c]);
        ck_assert_double_eq_tol(sum, 1, TOLERANCE);
        nats -= log_probs[b * C + labels[b]];
    }
    ck_assert_double_eq_tol(loss_of(&batch, &options, NULL).nats, nats, 10 * TOLERANCE);
    end();
}
END_TEST

START_TEST(an_arena_too_small_is_refused)
{
    const struct loss_options options = { .scale = 1 };
    struct arena small;
    struct loss loss;
    begin(0);
    const size_t needed = classifier_loss_bytes(&classifier, B, S);
    ck_assert(arena_init(&small, needed - 1));
    assert_status(
        classifier_loss(&classifier, &weights, &batch, &options, &small, gradients, &loss, NULL),
        STATUS_NO_MEMORY);
    arena_release(&small);
    end();
}
END_TEST

static double loss_along(const struct loss_options *options, const real *start,
                         const real *direction, double step)
{
    for (size_t i = 0; i < classifier.params.total; i++)
        values[i] = start[i] + step * direction[i];
    return loss_of(&batch, options, NULL).smoothed;
}

/* (loss(x + h d) - loss(x - h d)) / 2h = gradient · d for a random direction d in one tensor. */
static void check_tensor(const struct param *param, const struct loss_options *options)
{
    const size_t total = classifier.params.total;
    const struct tensor t = param->tensor;
    real *start = malloc(total * sizeof *start), *direction = calloc(total, sizeof *direction);
    struct rng rng = rng_make((uint64_t)t.index, 1);
    double along = 0;
    memcpy(start, values, total * sizeof *start);
    for (size_t i = 0; i < (size_t)t.rows * (size_t)t.cols; i++) {
        const bool padding = t.index == classifier.embedding.index && i < (size_t)t.cols;
        direction[t.offset + i] = padding ? 0 : rng_normal(&rng); // whose row learns nothing
        along += gradients[t.offset + i] * direction[t.offset + i];
    }
    const double difference = (loss_along(options, start, direction, STEP) -
                               loss_along(options, start, direction, -STEP)) /
                              (2 * STEP);
    memcpy(values, start, total * sizeof *start);
    ck_assert_msg(fabs(along - difference) <= DIFFERENCE_NOISE * (1 + fabs(along)),
                  "%s: gradient %.10g, difference %.10g", param->name, along, difference);
    ck_assert_msg(along != 0, "%s has no gradient", param->name);
    free(start), free(direction);
}

/* Of every system: plain, with label smoothing, with dropout, whose masks the seed fixes. */
START_TEST(backward_is_the_derivative_of_forward)
{
    const struct loss_options options = { .dropout = _i % 3 == 2 ? 0.3 : 0,
                                          .smoothing = _i % 3 ? 0.1 : 0,
                                          .scale = 1,
                                          .rng = rng_make(9, 9) };
    begin(_i / 3);
    loss_of(&batch, &options, gradients);
    for (int p = 0; p < classifier.params.count; p++)
        check_tensor(&classifier.params.entries[p], &options);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(padding_changes_nothing, SYSTEM_COUNT),
    TEST_LOOP(padding_is_never_read, SYSTEM_COUNT),
    TEST_LOOP(probabilities_are_those_of_the_loss, SYSTEM_COUNT),
    TEST(an_arena_too_small_is_refused),
    TEST_LOOP(backward_is_the_derivative_of_forward, 3 * SYSTEM_COUNT),
};
TEST_MAIN("classifier in double", cases)
