/*
 * test_language.c - a long text in streams and chunks: nothing is lost, states run on, and a
 * training that was stopped between two chunks goes on to the same bits.
 */
#include "model/train/language.h"

#include <stdatomic.h>

#include "base/rng.h"
#include "model/file.h"
#include "model/train/trainer.h"
#include "tests/helpers.h"
#include "tests/model/same_tensors.h"

#define VOCABULARY 12
#define TOLERANCE 1e-4 // of sums of some thousand float losses, relative

static char folder[64], checkpoint[96];
static struct piece_stream *train_text, *valid_text;

/* Letters that mostly follow their alphabet, in lines of any length. */
static struct piece_stream *make_text(const char *name, int count, uint64_t seed)
{
    char path[128];
    struct piece_stream *stream;
    struct error err;
    struct rng rng = rng_make(seed, 0);
    int32_t id = 3;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(piece_stream_open(&stream, path, &err), err);
    for (int i = 0; i < count; i++) {
        const int32_t next = id + 1 < VOCABULARY ? id + 1 : 3;
        id = rng_below(&rng, 4) == 0 ? 3 + (int32_t)rng_below(&rng, VOCABULARY - 3) : next;
        assert_ok(piece_stream_add(stream, &id, 1, &err), err);
    }
    assert_ok(piece_stream_finish(stream, &err), err);
    ck_assert_int_ne(access(path, F_OK), 0); // nothing is left behind
    return stream;
}

static void begin(int train_count, int valid_count)
{
    make_folder(folder);
    snprintf(checkpoint, sizeof checkpoint, "%s/text.checkpoint", folder);
    train_text = make_text("train", train_count, 1);
    valid_text = make_text("valid", valid_count, 2);
}

static void end(void)
{
    piece_stream_close(train_text);
    piece_stream_close(valid_text);
    remove_folder(folder);
}

static struct config small_config(enum cell_kind cell, int layers)
{
    struct config config = config_default(KIND_LM);
    config.vocabulary = VOCABULARY;
    config.embedding = 6;
    config.hidden = 8;
    config.cell = cell;
    config.decoder_layers = layers;
    return config;
}

static struct language_task *new_task(enum cell_kind cell, int layers, int streams, int horizon)
{
    struct language_task *language;
    struct error err;
    const struct config config = small_config(cell, layers);
    const struct language_options options = { streams, horizon };
    assert_ok(language_task_new(&language, &config, train_text, valid_text, options, &err), err);
    return language;
}

/* A model of random weights, and an arena for its losses. */
struct model {
    real *values;
    struct weights weights;
    struct arena arena;
};

static struct model new_model(const struct language_task *language)
{
    struct model m = { .values = memory_zeroed(language->shape.params.total, sizeof(real)) };
    ck_assert(params_initialise(&language->shape.params, m.values, 3));
    m.weights = (struct weights){ .params = &language->shape.params,
                                  .kernels = kernels_best(),
                                  .values = m.values };
    ck_assert(arena_init(&m.arena, 64 << 20));
    return m;
}

static void free_model(struct model *m)
{
    memory_free(m->values);
    arena_release(&m->arena);
}

static struct loss rows_loss(struct language_task *language, struct model *m, struct rows rows)
{
    const struct loss_options options = { .scale = 1 };
    struct loss loss;
    struct error err;
    struct task *task = &language->task;
    arena_reset(&m->arena);
    ck_assert_uint_le(task->kind->bytes(task, rows), m->arena.size);
    assert_ok(task->kind->loss(task, &m->weights, rows, &options, &m->arena, NULL, &loss, &err),
              err);
    return loss;
}

static void carry_on(struct task *task)
{
    real *kept = task->carried;
    task->carried = task->carried_next;
    task->carried_next = kept;
}

static const struct rows all_rows = { .first = 0, .stride = 1 };

/* The loss of every prediction of a text read from zeros as one stream, step by step. */
static double nats_by_steps(const struct language_task *language, struct model *m,
                            const struct piece_stream *text, int64_t from, int64_t to)
{
    const size_t width = (size_t)lm_state_width(&language->shape);
    const int32_t *ids = piece_stream_ids(text);
    real *states = memory_zeroed(2 * width, sizeof *states), log_probs[VOCABULARY];
    struct error err;
    double nats = 0;
    arena_reset(&m->arena);
    for (int64_t i = from; i < to; i++) {
        const int32_t before = i > 0 ? ids[i - 1] : 3;
        const size_t at = (size_t)((i - from) % 2) * width;
        const struct lm_step step = { 1, &before, states + at, states + (width - at), log_probs };
        assert_ok(lm_step(&language->shape, &m->weights, &step, &m->arena, &err), err);
        nats -= (double)log_probs[ids[i]];
    }
    memory_free(states);
    return nats;
}

/* 103 pieces as 4 streams, 7 at a time: three streams of 26 and one of 25. */
START_TEST(an_epoch_reads_each_stream_from_its_start_to_its_end)
{
    static const int64_t starts[] = { 0, 26, 52, 78, 103 };
    struct task_batch batch = { 0 };
    struct error err;
    begin(103, 50);
    struct language_task *language = new_task(CELL_LSTM, 2, 4, 7);
    struct model m = new_model(language);
    double nats = 0, wanted = 0;
    int64_t pieces = 0, batches = 0;
    for (; !batch.ends_epoch; batches++) {
        struct task *task = &language->task;
        assert_ok(task->kind->position(task, 0, batches, &batch, &err), err);
        const struct loss loss = rows_loss(language, &m, all_rows);
        ck_assert_int_eq(loss.pieces, batch.pieces);
        nats += loss.nats;
        pieces += loss.pieces;
        carry_on(task);
    }
    for (int s = 0; s < 4; s++)
        wanted += nats_by_steps(language, &m, train_text, starts[s], starts[s + 1]);
    ck_assert_int_eq(batches, 4);
    ck_assert_int_eq(pieces, 103);
    ck_assert_double_eq_tol(nats, wanted, TOLERANCE * wanted);
    free_model(&m);
    language_task_free(language);
    end();
}
END_TEST

/* Three members of two ranks' worth of rows leave the same states and losses as one. */
START_TEST(rows_are_dealt_without_a_difference)
{
    struct task_batch batch;
    struct error err;
    begin(200, 50);
    struct language_task *language = new_task(CELL_GRU, 1, 8, 5);
    struct task *task = &language->task;
    struct model m = new_model(language);
    const size_t bytes = task->carried_count * sizeof(real);
    assert_ok(task->kind->position(task, 0, 0, &batch, &err), err);
    const struct loss together = rows_loss(language, &m, all_rows);
    real *states = memory_alloc(task->carried_count, sizeof *states);
    memcpy(states, task->carried_next, bytes);
    memset(task->carried_next, 0, bytes);
    double nats = 0;
    for (int member = 0; member < 3; member++)
        nats += rows_loss(language, &m, (struct rows){ member, 3 }).nats;
    ck_assert_double_eq_tol(nats, together.nats, TOLERANCE * together.nats);
    ck_assert(memcmp(states, task->carried_next, bytes) == 0);
    ck_assert_int_eq(rows_loss(language, &m, (struct rows){ 8, 9 }).pieces, 0); // more members
    memory_free(states);
    free_model(&m);
    language_task_free(language);
    end();
}
END_TEST

START_TEST(an_epoch_starts_from_zeros)
{
    struct task_batch batch;
    struct error err;
    begin(200, 50);
    struct language_task *language = new_task(CELL_LSTM, 1, 4, 10);
    struct task *task = &language->task;
    struct model m = new_model(language);
    assert_ok(task->kind->position(task, 0, 0, &batch, &err), err);
    const double first = rows_loss(language, &m, all_rows).nats;
    carry_on(task);
    ck_assert(rows_loss(language, &m, all_rows).nats != first);
    assert_ok(task->kind->position(task, 1, 0, &batch, &err), err);
    ck_assert(rows_loss(language, &m, all_rows).nats == first);
    free_model(&m);
    language_task_free(language);
    end();
}
END_TEST

/* A short text is one stream; a long one several, each from zeros. */
START_TEST(validation_is_the_whole_text_with_states_carried_on)
{
    static const int counts[] = { 700, 3 * 2048 + 1 };
    const int count = counts[_i], streams = _i == 0 ? 1 : 3;
    struct error err;
    begin(100, count);
    struct language_task *language = new_task(CELL_LSTM, 1, 2, 5);
    struct model m = new_model(language);
    double nats = 0, wanted = 0;
    int64_t pieces = 0, from = 0;
    for (int i = 0; i < language->task.valid_count; i++) {
        struct loss loss;
        arena_reset(&m.arena);
        assert_ok(
            language->task.kind->valid_loss(&language->task, &m.weights, i, &m.arena, &loss, &err),
            err);
        nats += loss.nats;
        pieces += loss.pieces;
    }
    for (int s = 0; s < streams; s++) {
        const int64_t to = from + count / streams + (s < count % streams);
        wanted += nats_by_steps(language, &m, valid_text, from, to);
        from = to;
    }
    ck_assert_int_eq(pieces, count);
    ck_assert_double_eq_tol(nats, wanted, TOLERANCE * wanted);
    free_model(&m);
    language_task_free(language);
    end();
}
END_TEST

START_TEST(what_cannot_be_read_as_streams_is_refused)
{
    struct language_task *language;
    struct error err;
    begin(20, 10);
    const struct config config = small_config(CELL_RNN, 1);
    const struct language_options many = { .streams = 21, .horizon = 5 };
    assert_status(language_task_new(&language, &config, train_text, valid_text, many, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "20 pieces"), "%s", err.text);
    const struct language_options nothing = { .streams = 2, .horizon = 0 };
    assert_status(language_task_new(&language, &config, train_text, valid_text, nothing, &err),
                  STATUS_BAD_INPUT);
    piece_stream_close(valid_text);
    valid_text = make_text("empty", 0, 1);
    const struct language_options good = { .streams = 2, .horizon = 5 };
    assert_status(language_task_new(&language, &config, train_text, valid_text, good, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "validation text is empty"), "%s", err.text);
    end();
}
END_TEST

START_TEST(a_failing_allocation_is_survived)
{
    struct language_task *language;
    struct error err;
    begin(20, 10);
    const struct config config = small_config(CELL_RNN, 1);
    const struct language_options options = { .streams = 2, .horizon = 5 };
    for (long nth = 1;; nth++) {
        memory_fail_at(nth);
        const enum status status =
            language_task_new(&language, &config, train_text, valid_text, options, &err);
        if (status == STATUS_OK)
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
    }
    memory_fail_at(0);
    language_task_free(language);
    end();
}
END_TEST

/* ---- with the trainer ---- */

struct run {
    int64_t stop_at; // updates
    atomic_int stop;
    double validation; // the last one's loss
    int64_t traced[64];
    int traces;
    struct gradient_trace trace; // the last one
};

static void on_update(void *context, const struct training_progress *progress)
{
    struct run *run = context;
    if (progress->state->updates == run->stop_at)
        atomic_store(&run->stop, 1);
}

static enum status on_validated(void *context, const struct training_validation *validation,
                                struct error *err)
{
    struct run *run = context;
    (void)err;
    run->validation = validation->loss;
    return STATUS_OK;
}

static void on_traced(void *context, int64_t update, const struct gradient_trace *trace)
{
    struct run *run = context;
    ck_assert_int_lt(run->traces, 64);
    run->traced[run->traces++] = update;
    run->trace = *trace;
}

static struct trainer_options trainer_options(void)
{
    return (struct trainer_options){
        .schedule = { .rate = 0.02, .warmup = 5, .decay = 1 },
        .optimizer = optimizer_options_default(),
        .dropout = 0.1,
        .epochs = 4,
        .checkpoint_path = checkpoint,
        .threads = 2,
        .seed = 5,
        .on_update = on_update,
        .on_validated = on_validated,
        .on_traced = on_traced,
    };
}

/* To the end, or up to run->stop_at; from the checkpoint if wanted. */
static void train(struct language_task *language, struct trainer_options options, struct run *run,
                  bool resume)
{
    struct trainer *trainer;
    struct error err;
    options.stop = &run->stop;
    options.context = run;
    assert_ok(trainer_new(&trainer, &options, &language->task, &err), err);
    if (resume)
        assert_ok(trainer_resume(trainer, &err), err);
    assert_status(trainer_run(trainer, &err), run->stop_at ? STATUS_CANCELLED : STATUS_OK);
    trainer_free(trainer);
}

static const enum cell_kind cells[] = { CELL_RNN, CELL_LSTM, CELL_GRU };

/* Epochs of 10 updates: stopped within the first, and at its end. */
START_TEST(a_training_that_was_stopped_goes_on_to_the_same_bits)
{
    char straight[112];
    begin(400, 100);
    struct run whole = { .stop_at = 23 }, rest = { .stop_at = 23 };
    struct run part = { .stop_at = _i < 3 ? 7 : 10 };
    struct language_task *language = new_task(cells[_i % 3], 2, 4, 10);
    train(language, trainer_options(), &whole, false);
    snprintf(straight, sizeof straight, "%s.straight", checkpoint);
    ck_assert_int_eq(rename(checkpoint, straight), 0);
    language_task_free(language);

    language = new_task(cells[_i % 3], 2, 4, 10);
    train(language, trainer_options(), &part, false);
    language_task_free(language);
    language = new_task(cells[_i % 3], 2, 4, 10);
    train(language, trainer_options(), &rest, true);
    assert_same_tensors(straight, checkpoint);
    language_task_free(language);
    end();
}
END_TEST

START_TEST(tracing_gradients_changes_no_bit_of_the_training)
{
    static const int64_t wanted[] = { 1, 7, 13, 19 };
    char plain[112];
    begin(400, 100);
    struct run run = { .stop_at = 23 }, traced = { .stop_at = 23 };
    struct trainer_options options = trainer_options();
    struct language_task *language = new_task(cells[_i], 1, 4, 10);
    train(language, options, &run, false);
    ck_assert_int_eq(run.traces, 0);
    snprintf(plain, sizeof plain, "%s.plain", checkpoint);
    ck_assert_int_eq(rename(checkpoint, plain), 0);
    options.trace_every = 6;
    train(language, options, &traced, false);
    assert_same_tensors(plain, checkpoint);
    ck_assert_int_eq(traced.traces, 4);
    ck_assert(memcmp(traced.traced, wanted, sizeof wanted) == 0);
    for (int k = 0; k < 10; k++) {
        ck_assert_int_eq(traced.trace.counts[k], 4); // streams, of both members
        ck_assert(traced.trace.squares[k] > 0);
    }
    ck_assert_int_eq(traced.trace.counts[10], 0);
    language_task_free(language);
    end();
}
END_TEST

/* Three letters in four follow the alphabet: a model that knows it is far below one that does not. */
START_TEST(the_text_is_learnt)
{
    begin(4000, 600);
    struct run run = { 0 };
    struct trainer_options options = trainer_options();
    struct language_task *language = new_task(cells[_i], 1, 8, 10);
    options.epochs = 6;
    options.dropout = 0;
    train(language, options, &run, false);
    ck_assert_msg(run.validation < 1.5, "%g nats, 2.2 is to know nothing", run.validation);
    language_task_free(language);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(an_epoch_reads_each_stream_from_its_start_to_its_end),
    TEST(rows_are_dealt_without_a_difference),
    TEST(an_epoch_starts_from_zeros),
    TEST_LOOP(validation_is_the_whole_text_with_states_carried_on, 2),
    TEST(what_cannot_be_read_as_streams_is_refused),
    TEST(a_failing_allocation_is_survived),
    TEST_LOOP(a_training_that_was_stopped_goes_on_to_the_same_bits, 6),
    TEST_LOOP(tracing_gradients_changes_no_bit_of_the_training, 3),
    TEST_LOOP(the_text_is_learnt, 3),
};
TEST_MAIN("model/train/language", cases)
