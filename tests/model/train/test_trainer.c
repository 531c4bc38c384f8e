/*
 * test_trainer.c - whole trainings of tiny models: bits that repeat, stops, full disks and damage.
 */
#include "model/train/trainer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "model/file.h"
#include "tests/model/same_tensors.h"
#include "tests/model/train/toy.h"

static char folder[64], checkpoint[96];
static struct pairs train_pairs, valid_pairs;
static struct shard *shard;

static void begin(void)
{
    make_folder(folder);
    snprintf(checkpoint, sizeof checkpoint, "%s/toy.checkpoint", folder);
    train_pairs = toy_pairs(400, 1);
    valid_pairs = toy_pairs(60, 2);
    shard = toy_shard(folder, &train_pairs);
}

static void end(void)
{
    shard_close(shard);
    pairs_release(&train_pairs);
    pairs_release(&valid_pairs);
    remove_folder(folder);
}

static void use_train_pairs(struct pairs pairs)
{
    shard_close(shard);
    pairs_release(&train_pairs);
    train_pairs = pairs;
    shard = toy_shard(folder, &train_pairs);
}

/* A trainer and its task; free_trainer frees both. */
static struct translation_task *translation;

static struct trainer *new_trainer_of(const struct trainer_options *options,
                                      const struct config *config)
{
    struct trainer *trainer;
    struct error err;
    struct batch_options batches = toy_batches();
    const struct translation_data data = { shard, groups_limits(), &valid_pairs };
    batches.seed = options->seed;
    assert_ok(translation_task_new(&translation, config, &data, batches, &err), err);
    assert_ok(trainer_new(&trainer, options, &translation->task, &err), err);
    return trainer;
}

static struct trainer *new_trainer(const struct trainer_options *options)
{
    const struct config config = toy_config();
    return new_trainer_of(options, &config);
}

static void free_trainer(struct trainer *trainer)
{
    trainer_free(trainer);
    translation_task_free(translation);
    translation = NULL;
}

/* Stops a training after so many updates. */
struct stopper {
    int64_t after;
    atomic_int stop;
};

static void stop_after(void *context, const struct training_progress *progress)
{
    struct stopper *stopper = context;
    if (progress->state->updates == stopper->after)
        atomic_store(&stopper->stop, 1);
}

/* Trains up to `updates`, from the checkpoint if wanted; what it wrote is the result. */
static void train_until(int64_t updates, bool resume, struct trainer_options options)
{
    struct stopper stopper = { .after = updates };
    struct error err;
    options.stop = &stopper.stop;
    options.on_update = stop_after;
    options.context = &stopper;
    struct trainer *trainer = new_trainer(&options);
    if (resume)
        assert_ok(trainer_resume(trainer, &err), err);
    assert_status(trainer_run(trainer, &err), STATUS_CANCELLED);
    ck_assert_int_eq(trainer_state(trainer)->updates, updates);
    free_trainer(trainer);
}

/* ---- two checkpoints hold the same training ---- */

/* 40 updates of 20 pairs out of 400 are two epochs; a stop at 17 is inside the first, at 20 between
 * them and before their validation. */
static const int stops[] = { 17, 20, 35 };

START_TEST(a_training_that_was_stopped_goes_on_to_the_same_bits)
{
    char straight[112];
    begin();
    struct trainer_options options = toy_options(checkpoint);
    options.epochs = 3;
    options.validate_every = 10;
    train_until(40, false, options);
    snprintf(straight, sizeof straight, "%s.straight", checkpoint);
    ck_assert_int_eq(rename(checkpoint, straight), 0);
    train_until(stops[_i], false, options);
    train_until(40, true, options);
    assert_same_tensors(straight, checkpoint);
    end();
}
END_TEST

START_TEST(equal_seeds_give_equal_bits_and_others_do_not)
{
    begin();
    struct trainer_options options = toy_options(checkpoint);
    struct error err;
    real *values[3];
    size_t bytes = 0;
    for (int k = 0; k < 3; k++) {
        options.seed = k < 2 ? 5 : 6;
        struct trainer *trainer = new_trainer(&options);
        assert_ok(trainer_run(trainer, &err), err);
        bytes = translation->task.params->total * sizeof(real);
        values[k] = malloc(bytes);
        memcpy(values[k], trainer_values(trainer), bytes);
        free_trainer(trainer);
    }
    ck_assert_int_eq(memcmp(values[0], values[1], bytes), 0);
    ck_assert_int_ne(memcmp(values[0], values[2], bytes), 0);
    for (int k = 0; k < 3; k++)
        free(values[k]);
    end();
}
END_TEST

/* Loss and norm of the first updates, where nothing is random but the dropout that is off. */
struct trace {
    double loss[8], norm[8];
    int count;
    atomic_int stop;
};

static void note_update(void *context, const struct training_progress *progress)
{
    struct trace *trace = context;
    trace->loss[trace->count] = progress->loss;
    trace->norm[trace->count++] = progress->norm;
    if (trace->count == 8)
        atomic_store(&trace->stop, 1);
}

static struct trace trace_updates(int threads)
{
    struct trainer_options options = toy_options(checkpoint);
    struct trace trace = { .count = 0 };
    struct error err;
    options.threads = threads;
    options.dropout = 0;
    options.stop = &trace.stop;
    options.on_update = note_update;
    options.context = &trace;
    struct trainer *trainer = new_trainer(&options);
    assert_status(trainer_run(trainer, &err), STATUS_CANCELLED);
    free_trainer(trainer);
    return trace;
}

#define THREADS_TOLERANCE 2e-3 // relative; sums are in another order, Adam magnifies it

START_TEST(members_together_make_the_gradient_of_one)
{
    begin();
    const struct trace one = trace_updates(1), many = trace_updates(_i == 0 ? 2 : 3);
    for (int i = 0; i < 8; i++) {
        ck_assert_double_eq_tol(one.loss[i], many.loss[i], THREADS_TOLERANCE * one.loss[i]);
        ck_assert_double_eq_tol(one.norm[i], many.norm[i], THREADS_TOLERANCE * one.norm[i]);
    }
    ck_assert_double_eq_tol(one.norm[0], many.norm[0], 1e-5 * one.norm[0]);
    end();
}
END_TEST

/* ---- learning ---- */

struct best {
    double first, last;
    int validations;
};

static enum status note_validation(void *context, const struct training_validation *validation,
                                   struct error *err)
{
    struct best *best = context;
    (void)err;
    if (best->validations++ == 0)
        best->first = validation->loss;
    best->last = validation->loss;
    return STATUS_OK;
}

/* Guessing evenly is 2.56 nats a piece. ThreadSanitizer makes each product fifty times slower. */
#ifdef __SANITIZE_THREAD__
#define TOY_EPOCHS 2
#define TOY_BOUND 2.5
#else
#define TOY_EPOCHS 25
#define TOY_BOUND 0.25
#endif

START_TEST(the_toy_language_is_learnt)
{
    begin();
    use_train_pairs(toy_pairs(1500, 3));
    struct trainer_options options = toy_options(checkpoint);
    struct best best = { .validations = 0 };
    struct error err;
    struct config config = toy_config();
    config.embedding = config.attention = 16;
    config.hidden = 24;
    options.epochs = TOY_EPOCHS;
    options.on_validated = note_validation;
    options.context = &best;
    struct trainer *trainer = new_trainer_of(&options, &config);
    assert_ok(trainer_run(trainer, &err), err);
    ck_assert_int_eq(best.validations, TOY_EPOCHS);
    ck_assert_msg(best.last < TOY_BOUND, "validation loss %.3f, at first %.3f", best.last,
                  best.first);
    free_trainer(trainer);
    end();
}
END_TEST

START_TEST(training_ends_when_patience_is_over)
{
    begin();
    struct trainer_options options = toy_options(checkpoint);
    struct best best = { .validations = 0 };
    struct error err;
    options.epochs = 1000;
    options.schedule.rate = 0.5; // no good: validation gets worse
    options.schedule.patience = 2;
    options.on_validated = note_validation;
    options.context = &best;
    struct trainer *trainer = new_trainer(&options);
    assert_ok(trainer_run(trainer, &err), err);
    ck_assert_int_lt(trainer_state(trainer)->epoch, 1000);
    ck_assert_int_eq(trainer_state(trainer)->schedule.bad_validations, 2);
    free_trainer(trainer);
    end();
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(updates_that_are_not_finite_are_left_out_until_there_are_too_many)
{
    begin();
    struct trainer_options options = toy_options(checkpoint);
    struct error err;
    options.schedule.rate = 1e38; // the first step ends all sense
    options.schedule.warmup = 0;
    options.epochs = 100;
    struct trainer *trainer = new_trainer(&options);
    assert_status(trainer_run(trainer, &err), STATUS_DIVERGED);
    ck_assert_int_eq(trainer_state(trainer)->skipped_in_row, SKIPPED_IN_ROW_MAX);
    ck_assert_ptr_nonnull(strstr(err.text, "--rate"));
    free_trainer(trainer);
    end();
}
END_TEST

START_TEST(a_full_disk_leaves_the_last_good_checkpoint)
{
    begin();
    struct trainer_options options = toy_options(checkpoint);
    struct rlimit before, little;
    struct error err;
    train_until(5, false, options);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    struct trainer *trainer = new_trainer(&options);
    assert_ok(trainer_resume(trainer, &err), err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    enum status status = trainer_run(trainer, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, STATUS_IO);
    ck_assert_msg(strstr(err.text, "saving the training"), "%s", err.text);
    free_trainer(trainer);
    train_until(6, true, options);
    end();
}
END_TEST

static void overwrite(const char *path, long at, const void *bytes, size_t len)
{
    int file = open(path, O_WRONLY);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(pwrite(file, bytes, len, at), (ssize_t)len);
    close(file);
}

START_TEST(a_damaged_checkpoint_is_refused)
{
    struct error err;
    begin();
    struct trainer_options options = toy_options(checkpoint);
    train_until(3, false, options);
    struct trainer *trainer = new_trainer(&options);
    if (_i == 0)
        overwrite(checkpoint, 20000, "damage", 6);
    else
        ck_assert_int_eq(truncate(checkpoint, 20000), 0);
    assert_status(trainer_resume(trainer, &err), STATUS_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(err.text, checkpoint));
    free_trainer(trainer);
    end();
}
END_TEST

START_TEST(a_checkpoint_that_is_not_there_is_said)
{
    struct error err;
    begin();
    struct trainer_options options = toy_options(checkpoint);
    struct trainer *trainer = new_trainer(&options);
    assert_status(trainer_resume(trainer, &err), STATUS_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.text, checkpoint));
    free_trainer(trainer);
    end();
}
END_TEST

START_TEST(a_checkpoint_of_other_settings_names_what_differs)
{
    struct error err;
    begin();
    struct trainer_options options = toy_options(checkpoint);
    train_until(3, false, options);
    options.smoothing = 0.25;
    struct trainer *trainer = new_trainer(&options);
    assert_status(trainer_resume(trainer, &err), STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "smoothing 0.1") && strstr(err.text, "0.25"), "%s", err.text);
    free_trainer(trainer);
    options = toy_options(checkpoint);
    use_train_pairs(toy_pairs(400, 99));
    trainer = new_trainer(&options);
    assert_status(trainer_resume(trainer, &err), STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "training data"), "%s", err.text);
    free_trainer(trainer);
    end();
}
END_TEST

START_TEST(epochs_and_patience_may_change_on_the_way)
{
    struct error err;
    begin();
    struct trainer_options options = toy_options(checkpoint);
    struct trainer *trainer = new_trainer(&options);
    assert_ok(trainer_run(trainer, &err), err);
    free_trainer(trainer);
    options.epochs = 2;
    options.schedule.patience = 7;
    trainer = new_trainer(&options);
    assert_ok(trainer_resume(trainer, &err), err);
    assert_ok(trainer_run(trainer, &err), err);
    ck_assert_int_eq(trainer_state(trainer)->epoch, 2);
    ck_assert_int_eq(trainer_state(trainer)->updates, 2 * 20);
    free_trainer(trainer);
    end();
}
END_TEST

START_TEST(the_vocabulary_comes_back_from_the_checkpoint)
{
    struct bytes text;
    struct error err;
    begin();
    struct trainer_options options = toy_options(checkpoint);
    train_until(1, false, options);
    bytes_init(&text, 1000);
    assert_ok(checkpoint_vocabulary(checkpoint, &text, &err), err);
    ck_assert_str_eq(text.data, options.vocabulary);
    bytes_release(&text);
    end();
}
END_TEST

START_TEST(no_data_is_refused)
{
    struct error err;
    const struct pairs none = { 0 };
    const struct config config = toy_config();
    begin();
    const struct translation_data no_valid = { shard, groups_limits(), &none };
    assert_status(translation_task_new(&translation, &config, &no_valid, toy_batches(), &err),
                  STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "validation"));
    use_train_pairs(none);
    const struct translation_data no_train = { shard, groups_limits(), &valid_pairs };
    assert_status(translation_task_new(&translation, &config, &no_train, toy_batches(), &err),
                  STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "training"));
    ck_assert_ptr_null(translation);
    end();
}
END_TEST

static enum status make_both(const struct trainer_options *options, struct error *err)
{
    const struct config config = toy_config();
    const struct translation_data data = { shard, groups_limits(), &valid_pairs };
    struct trainer *trainer = NULL;
    enum status status = translation_task_new(&translation, &config, &data, toy_batches(), err);
    if (status == STATUS_OK)
        status = trainer_new(&trainer, options, &translation->task, err);
    free_trainer(trainer);
    return status;
}

START_TEST(every_failing_allocation_is_survived)
{
    struct error err;
    begin();
    struct trainer_options options = toy_options(checkpoint);
    const long live = memory_live();
    bool failed = true;
    for (long nth = 1; failed; nth++) {
        memory_fail_at(nth);
        const enum status status = make_both(&options, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert_int_eq(memory_live(), live);
    }
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(a_training_that_was_stopped_goes_on_to_the_same_bits, 3),
    TEST(equal_seeds_give_equal_bits_and_others_do_not),
    TEST_LOOP(members_together_make_the_gradient_of_one, 2),
    TEST(the_toy_language_is_learnt),
    TEST(training_ends_when_patience_is_over),
    TEST(updates_that_are_not_finite_are_left_out_until_there_are_too_many),
    TEST(a_full_disk_leaves_the_last_good_checkpoint),
    TEST_LOOP(a_damaged_checkpoint_is_refused, 2),
    TEST(a_checkpoint_that_is_not_there_is_said),
    TEST(a_checkpoint_of_other_settings_names_what_differs),
    TEST(epochs_and_patience_may_change_on_the_way),
    TEST(the_vocabulary_comes_back_from_the_checkpoint),
    TEST(no_data_is_refused),
    TEST(every_failing_allocation_is_survived),
};
TEST_MAIN("model/train/trainer", cases)
