/*
 * test_classification.c - a classifier learns from labelled sequences, the same bits with and
 * without stops.
 */
#include "model/train/classification.h"

#include "base/rng.h"
#include "model/train/trainer.h"
#include "tests/helpers.h"

#define FIRST 4 // ids below are control pieces
#define VOCABULARY 12
#define CLASSES 3
#define LONGEST 9
#define SEED 11

static char folder[64], checkpoint[96];
static struct pairs train_set, valid_set;
static struct classification_task *classification;

/* The class is which of the first letters is in the sequence. */
static struct pairs make_set(int count, uint64_t seed)
{
    struct pairs set = { 0 };
    struct rng rng = rng_make(seed, 0);
    struct error err;
    for (int i = 0; i < count; i++) {
        int32_t ids[LONGEST];
        const int len = 1 + (int)rng_below(&rng, LONGEST);
        const int label = (int)rng_below(&rng, CLASSES);
        for (int k = 0; k < len; k++)
            ids[k] = FIRST + CLASSES + (int32_t)rng_below(&rng, VOCABULARY - FIRST - CLASSES);
        ids[rng_below(&rng, (uint64_t)len)] = FIRST + label;
        assert_ok(classification_add(&set, ids, len, label, &err), err);
    }
    return set;
}

static void begin(void)
{
    make_folder(folder);
    snprintf(checkpoint, sizeof checkpoint, "%s/toy.checkpoint", folder);
    train_set = make_set(600, 1);
    valid_set = make_set(90, 2);
}

static void end(void)
{
    pairs_release(&train_set);
    pairs_release(&valid_set);
    remove_folder(folder);
}

static struct config small_config(void)
{
    struct config config = config_default(KIND_CLASSIFY);
    config.vocabulary = VOCABULARY;
    config.embedding = 6;
    config.hidden = 8;
    config.cell = CELL_GRU;
    config.classes = CLASSES;
    return config;
}

static const struct batch_options batches = { .sentences = 20, .pieces = 400, .seed = SEED };

static struct trainer_options small_options(void)
{
    return (struct trainer_options){
        .schedule = { .rate = 1e-2, .warmup = 10, .decay = 0.6 },
        .optimizer = optimizer_options_default(),
        .dropout = 0.1,
        .epochs = 8,
        .checkpoint_path = checkpoint,
        .threads = 2,
        .seed = SEED,
    };
}

static struct trainer *new_trainer(const struct trainer_options *options)
{
    const struct config config = small_config();
    struct trainer *trainer;
    struct error err;
    assert_ok(
        classification_task_new(&classification, &config, &train_set, &valid_set, batches, &err),
        err);
    assert_ok(trainer_new(&trainer, options, &classification->task, &err), err);
    return trainer;
}

static void free_trainer(struct trainer *trainer)
{
    trainer_free(trainer);
    classification_task_free(classification);
}

static enum status keep_loss(void *context, const struct training_validation *validation,
                             struct error *err)
{
    (void)err;
    *(double *)context = validation->loss;
    return STATUS_OK;
}

START_TEST(it_learns_what_tells_the_classes_apart)
{
    struct error err;
    double last = INFINITY;
    begin();
    struct trainer_options options = small_options();
    options.on_validated = keep_loss;
    options.context = &last;
    struct trainer *trainer = new_trainer(&options);
    assert_ok(trainer_run(trainer, &err), err);
    ck_assert_double_lt(last, 0.1); // guessing has log 3 = 1.1
    ck_assert_int_eq(trainer_state(trainer)->pieces, 8 * train_set.count);
    free_trainer(trainer);
    end();
}
END_TEST

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

/* Trains up to `updates`, from the checkpoint if wanted, and returns the weights. */
static real *train_until(int64_t updates, bool resume)
{
    struct stopper stopper = { .after = updates };
    struct error err;
    struct trainer_options options = small_options();
    options.stop = &stopper.stop;
    options.on_update = stop_after;
    options.context = &stopper;
    struct trainer *trainer = new_trainer(&options);
    if (resume)
        assert_ok(trainer_resume(trainer, &err), err);
    assert_status(trainer_run(trainer, &err), STATUS_CANCELLED);
    const size_t bytes = classification->task.params->total * sizeof(real);
    real *values = malloc(bytes);
    memcpy(values, trainer_values(trainer), bytes);
    free_trainer(trainer);
    return values;
}

/* 30 updates of 20 sequences out of 600 are an epoch. */
START_TEST(a_training_that_was_stopped_goes_on_to_the_same_bits)
{
    static const int stops[] = { 7, 30, 41 };
    struct classifier shape;
    const struct config config = small_config();
    begin();
    classifier_init(&shape, &config);
    real *straight = train_until(50, false);
    free(train_until(stops[_i], false));
    real *resumed = train_until(50, true);
    ck_assert_mem_eq(straight, resumed, shape.params.total * sizeof(real));
    free(straight);
    free(resumed);
    end();
}
END_TEST

START_TEST(labels_without_a_class_and_empty_sets_are_refused)
{
    struct classification_task *none;
    struct pairs empty = { 0 };
    struct error err;
    struct config config = small_config();
    begin();
    assert_status(classification_task_new(&none, &config, &train_set, &empty, batches, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "validation"), "%s", err.text);
    config.classes = CLASSES - 1;
    assert_status(classification_task_new(&none, &config, &train_set, &valid_set, batches, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "2 classes"), "%s", err.text);
    ck_assert_ptr_null(none);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(it_learns_what_tells_the_classes_apart),
    TEST_LOOP(a_training_that_was_stopped_goes_on_to_the_same_bits, 3),
    TEST(labels_without_a_class_and_empty_sets_are_refused),
};
TEST_MAIN("model/train/classification", cases)
