/*
 * lm_suite.h - the language model: chunks against the whole, steps against chunks, padding,
 * company. Included by two programs: one with the model in double, one in float with the fast
 * kernels.
 */
#ifndef TESTS_MODEL_LM_SUITE_H
#define TESTS_MODEL_LM_SUITE_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/lm.h"
#include "tests/model/reference_file.h"

#define ROWS 4
#define HORIZON 5
#define V 19

static const struct system {
    enum cell_kind cell;
    int layers;
} systems[] = {
    { CELL_RNN, 1 },      { CELL_RNN_LOGISTIC, 2 },
    { CELL_LSTM, 1 },     { CELL_LSTM, 4 }, // residual from the third
    { CELL_PEEPHOLE, 2 }, { CELL_GRU, 1 },
    { CELL_GRU, 3 },      { CELL_GRU_UNBIASED, 1 },
};
#define SYSTEM_COUNT ((int)(sizeof systems / sizeof systems[0]))

/* A model with weights, and streams of 2 HORIZON predictions with states to start from. */
struct fixture {
    struct arena arena;
    struct lm lm;
    real *values, *gradients;
    struct weights weights;
    int32_t streams[ROWS][2 * HORIZON + 1];
    real *state; // (ROWS,state width)
};

static void fixture_open(struct fixture *f, int system)
{
    struct config config = config_default(KIND_LM);
    struct rng rng = rng_make(7, (uint64_t)system);
    config.vocabulary = V;
    config.embedding = 6;
    config.hidden = 9;
    config.cell = systems[system].cell;
    config.decoder_layers = systems[system].layers;
    ck_assert(arena_init(&f->arena, 64 << 20));
    lm_init(&f->lm, &config);
    f->values = calloc(f->lm.params.total, sizeof *f->values);
    f->gradients = calloc(f->lm.params.total, sizeof *f->gradients);
    ck_assert(params_initialise(&f->lm.params, f->values, 5));
    f->weights =
        (struct weights){ .params = &f->lm.params, .kernels = KERNELS, .values = f->values };
    for (int b = 0; b < ROWS; b++)
        for (int t = 0; t <= 2 * HORIZON; t++)
            f->streams[b][t] = 3 + (int32_t)rng_below(&rng, V - 3);
    const size_t n = (size_t)(ROWS * lm_state_width(&f->lm));
    f->state = malloc(n * sizeof *f->state);
    for (size_t i = 0; i < n; i++)
        f->state[i] = (real)(0.5 * rng_normal(&rng));
}

static void fixture_close(struct fixture *f)
{
    free(f->values), free(f->gradients), free(f->state);
    arena_release(&f->arena);
}

static size_t width_of(const struct fixture *f)
{
    return (size_t)lm_state_width(&f->lm);
}

/* T predictions of `count` streams from `first` on, starting at step `from`. */
struct chunk {
    int32_t ids[ROWS * (2 * HORIZON + 1)];
    int len[ROWS];
    struct lm_batch batch;
};

static void make_chunk(struct chunk *c, const struct fixture *f, int first, int count, int from,
                       int T)
{
    for (int b = 0; b < count; b++) {
        memcpy(c->ids + b * (T + 1), f->streams[first + b] + from, (size_t)(T + 1) * sizeof(int));
        c->len[b] = T;
    }
    c->batch = (struct lm_batch){ .ids = c->ids, .len = c->len, .B = count, .T = T };
}

static struct loss loss_of(struct fixture *f, const struct lm_batch *batch,
                           const struct loss_options *options, real *gradients)
{
    struct loss loss;
    struct error err;
    assert_ok(lm_loss(&f->lm, &f->weights, batch, options, &f->arena, gradients, &loss, &err), err);
    return loss;
}

static const struct loss_options plain = { .scale = 1 };

START_TEST(two_chunks_are_one_of_twice_the_length)
{
    struct fixture f;
    struct chunk whole, first, second;
    fixture_open(&f, _i);
    const size_t n = ROWS * width_of(&f);
    real *between = malloc(n * sizeof *between), *after = malloc(n * sizeof *after);
    real *after_whole = malloc(n * sizeof *after_whole);
    make_chunk(&whole, &f, 0, ROWS, 0, 2 * HORIZON);
    whole.batch.state = f.state;
    whole.batch.last_state = after_whole;
    make_chunk(&first, &f, 0, ROWS, 0, HORIZON);
    first.batch.state = f.state;
    first.batch.last_state = between;
    make_chunk(&second, &f, 0, ROWS, HORIZON, HORIZON);
    second.batch.state = between;
    second.batch.last_state = after;
    const double nats = loss_of(&f, &whole.batch, &plain, NULL).nats;
    const double parts = loss_of(&f, &first.batch, &plain, NULL).nats +
                         loss_of(&f, &second.batch, &plain, NULL).nats;
    assert_near((real)parts, nats, TOLERANCE, "nats", 0);
    ck_assert(memcmp(after, after_whole, n * sizeof *after) == 0);
    free(between), free(after), free(after_whole);
    fixture_close(&f);
}
END_TEST

/* The state that comes in counts, and without one it is zeros. */
START_TEST(a_chunk_starts_from_the_state_it_is_given)
{
    struct fixture f;
    struct chunk chunk;
    fixture_open(&f, _i);
    make_chunk(&chunk, &f, 0, ROWS, 0, HORIZON);
    const double from_nothing = loss_of(&f, &chunk.batch, &plain, NULL).nats;
    chunk.batch.state = f.state;
    ck_assert(loss_of(&f, &chunk.batch, &plain, NULL).nats != from_nothing);
    memset(f.state, 0, ROWS * width_of(&f) * sizeof *f.state);
    ck_assert(loss_of(&f, &chunk.batch, &plain, NULL).nats == from_nothing);
    fixture_close(&f);
}
END_TEST

/* Lengths 5 1 0 3: their rows in a padded batch, and each alone. */
START_TEST(padding_changes_nothing)
{
    static const int lengths[ROWS] = { HORIZON, 1, 0, 3 };
    struct fixture f;
    struct chunk together, alone;
    fixture_open(&f, _i);
    const size_t width = width_of(&f), n = ROWS * width;
    real *apart = calloc(f.lm.params.total, sizeof *apart);
    real *after = malloc(n * sizeof *after), *after_alone = malloc(width * sizeof *after_alone);
    make_chunk(&together, &f, 0, ROWS, 0, HORIZON);
    memcpy(together.len, lengths, sizeof lengths);
    together.batch.state = f.state;
    together.batch.last_state = after;
    const struct loss_options options = { .smoothing = (real)0.1, .scale = 1 };
    const struct loss loss = loss_of(&f, &together.batch, &options, f.gradients);
    double nats = 0;
    for (int b = 0; b < ROWS; b++) {
        if (lengths[b] == 0) {
            ck_assert(memcmp(after + (size_t)b * width, f.state + (size_t)b * width,
                             width * sizeof *after) == 0);
            continue;
        }
        make_chunk(&alone, &f, b, 1, 0, lengths[b]);
        alone.batch.state = f.state + (size_t)b * width;
        alone.batch.last_state = after_alone;
        nats += loss_of(&f, &alone.batch, &options, apart).nats;
        ck_assert(memcmp(after_alone, after + (size_t)b * width, width * sizeof *after) == 0);
    }
    ck_assert_int_eq(loss.pieces, HORIZON + 1 + 3);
    assert_near((real)loss.nats, nats, TOLERANCE, "nats", 0);
    for (size_t i = 0; i < f.lm.params.total; i++)
        assert_near(f.gradients[i], (double)apart[i], TOLERANCE, "gradient", i);
    free(apart), free(after), free(after_alone);
    fixture_close(&f);
}
END_TEST

START_TEST(padding_is_never_read)
{
    struct fixture f;
    struct chunk chunk;
    fixture_open(&f, _i);
    make_chunk(&chunk, &f, 0, ROWS, 0, HORIZON);
    chunk.len[1] = 2;
    const double before = loss_of(&f, &chunk.batch, &plain, NULL).nats;
    for (int t = 3; t <= HORIZON; t++)
        chunk.ids[HORIZON + 1 + t] = -1; // no row of any table
    ck_assert(loss_of(&f, &chunk.batch, &plain, NULL).nats == before);
    fixture_close(&f);
}
END_TEST

START_TEST(steps_equal_the_whole)
{
    struct fixture f;
    struct chunk chunk;
    struct error err;
    fixture_open(&f, _i);
    const size_t n = ROWS * width_of(&f);
    real *state[2] = { malloc(n * sizeof(real)), malloc(n * sizeof(real)) };
    real *after = malloc(n * sizeof *after), log_probs[ROWS * V];
    make_chunk(&chunk, &f, 0, ROWS, 0, 2 * HORIZON);
    chunk.batch.state = f.state;
    chunk.batch.last_state = after;
    const double nats = loss_of(&f, &chunk.batch, &plain, NULL).nats;
    double total = 0;
    memcpy(state[0], f.state, n * sizeof(real));
    for (int t = 0; t < 2 * HORIZON; t++) {
        int32_t ids[ROWS];
        for (int b = 0; b < ROWS; b++)
            ids[b] = f.streams[b][t];
        const struct lm_step step = { ROWS, ids, state[t % 2], state[1 - t % 2], log_probs };
        assert_ok(lm_step(&f.lm, &f.weights, &step, &f.arena, &err), err);
        for (int b = 0; b < ROWS; b++)
            total -= (double)log_probs[b * V + f.streams[b][t + 1]];
    }
    assert_near((real)total, nats, 10 * TOLERANCE, "nats", 0);
    for (size_t i = 0; i < n; i++)
        assert_near(state[0][i], (double)after[i], 10 * TOLERANCE, "state", i);
    free(state[0]), free(state[1]), free(after);
    fixture_close(&f);
}
END_TEST

/* A stream's states, and a step's probabilities, are the same bits alone and beside others. */
START_TEST(bits_do_not_depend_on_company)
{
    struct fixture f;
    struct chunk together, alone;
    struct error err;
    fixture_open(&f, _i);
    const size_t width = width_of(&f), bytes = width * sizeof(real);
    real *after = malloc(ROWS * bytes), *after_alone = malloc(bytes), *next = malloc(ROWS * bytes);
    real log_probs[ROWS * V], log_probs_alone[V];
    int32_t ids[ROWS];
    make_chunk(&together, &f, 0, ROWS, 0, HORIZON);
    together.batch.last_state = after;
    loss_of(&f, &together.batch, &plain, NULL);
    for (int b = 0; b < ROWS; b++)
        ids[b] = f.streams[b][0];
    const struct lm_step all = { ROWS, ids, f.state, next, log_probs };
    assert_ok(lm_step(&f.lm, &f.weights, &all, &f.arena, &err), err);
    for (int b = 0; b < ROWS; b++) {
        make_chunk(&alone, &f, b, 1, 0, HORIZON);
        alone.batch.last_state = after_alone;
        loss_of(&f, &alone.batch, &plain, NULL);
        ck_assert(memcmp(after_alone, after + (size_t)b * width, bytes) == 0);
        const struct lm_step one = { 1, ids + b, f.state + (size_t)b * width, after_alone,
                                     log_probs_alone };
        assert_ok(lm_step(&f.lm, &f.weights, &one, &f.arena, &err), err);
        ck_assert(memcmp(log_probs_alone, log_probs + b * V, sizeof log_probs_alone) == 0);
    }
    free(after), free(after_alone), free(next);
    fixture_close(&f);
}
END_TEST

START_TEST(a_trace_has_every_distance)
{
    struct fixture f;
    struct chunk chunk;
    struct gradient_trace trace = { 0 };
    fixture_open(&f, _i);
    make_chunk(&chunk, &f, 0, ROWS, 0, HORIZON);
    chunk.batch.state = f.state;
    chunk.len[1] = 2;
    const struct loss_options options = { .scale = 1, .trace = &trace };
    ck_assert_int_eq(loss_of(&f, &chunk.batch, &options, f.gradients).pieces, ROWS);
    for (int k = 0; k < HORIZON; k++) {
        ck_assert_int_eq(trace.counts[k], k < 2 ? ROWS : ROWS - 1);
        ck_assert_msg(trace.squares[k] > 0, "nothing reaches %d steps back", k);
    }
    ck_assert_int_eq(trace.counts[HORIZON], 0); // the edge of the chunk
    fixture_close(&f);
}
END_TEST

START_TEST(a_small_arena_is_refused)
{
    struct fixture f;
    struct chunk chunk;
    struct error err;
    struct loss loss;
    fixture_open(&f, 0);
    make_chunk(&chunk, &f, 0, ROWS, 0, HORIZON);
    struct arena small = f.arena;
    small.size = lm_loss_bytes(&f.lm, ROWS, HORIZON) - 1;
    assert_status(lm_loss(&f.lm, &f.weights, &chunk.batch, &plain, &small, NULL, &loss, &err),
                  STATUS_NO_MEMORY);
    fixture_close(&f);
}
END_TEST

#define LM_CASES                                                                                   \
    TEST_LOOP(two_chunks_are_one_of_twice_the_length, SYSTEM_COUNT),                               \
        TEST_LOOP(a_chunk_starts_from_the_state_it_is_given, SYSTEM_COUNT),                        \
        TEST_LOOP(padding_changes_nothing, SYSTEM_COUNT),                                          \
        TEST_LOOP(padding_is_never_read, SYSTEM_COUNT),                                            \
        TEST_LOOP(steps_equal_the_whole, SYSTEM_COUNT),                                            \
        TEST_LOOP(bits_do_not_depend_on_company, SYSTEM_COUNT),                                    \
        TEST_LOOP(a_trace_has_every_distance, SYSTEM_COUNT), TEST(a_small_arena_is_refused)

#endif
