/*
 * test_ranks.c - trainers of several ranks, here threads of one process, and state that runs on
 * from batch to batch.
 */
#include <pthread.h>

#include "model/file.h"
#include "tests/model/train/toy.h"

#define RANKS_MAX 3

/* Where the ranks meet to add up their blocks. */
struct world {
    pthread_mutex_t lock;
    pthread_cond_t turned;
    const void *blocks[RANKS_MAX];
    int count, arrived;
    unsigned turn;
    bool is_broken;
};

static struct world world;

static enum status meet(struct error *err)
{
    pthread_mutex_lock(&world.lock);
    const unsigned turn = world.turn;
    if (++world.arrived == world.count) {
        world.arrived = 0;
        world.turn++;
        pthread_cond_broadcast(&world.turned);
    }
    while (turn == world.turn && !world.is_broken)
        pthread_cond_wait(&world.turned, &world.lock);
    const bool met = turn != world.turn;
    pthread_mutex_unlock(&world.lock);
    return met ? STATUS_OK : error_set(err, STATUS_CANCELLED, "rank 1 is gone");
}

static void break_world(void)
{
    pthread_mutex_lock(&world.lock);
    world.is_broken = true;
    pthread_cond_broadcast(&world.turned);
    pthread_mutex_unlock(&world.lock);
}

#define DEFINE_SUM(name, type)                                                                     \
    static enum status name(struct peers *peers, type *values, size_t n, struct error *err)        \
    {                                                                                              \
        type *sums = malloc(n * sizeof *sums);                                                     \
        world.blocks[peers->rank] = values;                                                        \
        enum status status = meet(err);                                                            \
        for (size_t i = 0; i < n && status == STATUS_OK; i++) {                                    \
            sums[i] = ((const type *)world.blocks[0])[i];                                          \
            for (int r = 1; r < world.count; r++)                                                  \
                sums[i] += ((const type *)world.blocks[r])[i];                                     \
        }                                                                                          \
        if (status == STATUS_OK)                                                                   \
            status = meet(err);                                                                    \
        if (status == STATUS_OK)                                                                   \
            memcpy(values, sums, n * sizeof *sums);                                                \
        if (status == STATUS_OK)                                                                   \
            status = meet(err);                                                                    \
        free(sums);                                                                                \
        return status;                                                                             \
    }

DEFINE_SUM(sum_floats, float)
DEFINE_SUM(sum_doubles, double)

/* ---- a task whose batches leave something behind ---- */

/* Translation, and a number a row that each batch changes; half of it is left for the next. */
struct carrying_task {
    struct task task;
    struct translation_task *translation;
    const struct task_kind *kind;
    real blocks[2][20];
};

static struct task *inner(const struct task *task)
{
    return &((const struct carrying_task *)(const void *)task)->translation->task;
}

static enum status position(struct task *task, int64_t epoch, int64_t batch, struct task_batch *out,
                            struct error *err)
{
    return inner(task)->kind->position(inner(task), epoch, batch, out, err);
}

static size_t bytes(const struct task *task, struct rows rows)
{
    return inner(task)->kind->bytes(inner(task), rows);
}

static enum status loss(const struct task *task, const struct weights *weights, struct rows rows,
                        const struct loss_options *options, struct arena *arena, real *gradients,
                        struct loss *out, struct error *err)
{
    enum status status =
        inner(task)->kind->loss(inner(task), weights, rows, options, arena, gradients, out, err);
    for (int r = rows.first; r < (int)task->carried_count; r += rows.stride)
        task->carried_next[r] = task->carried[r] / 2 + (real)r + (real)weights->values[0];
    return status;
}

static size_t valid_bytes(const struct task *task, int i)
{
    return inner(task)->kind->valid_bytes(inner(task), i);
}

static enum status valid_loss(const struct task *task, const struct weights *weights, int i,
                              struct arena *arena, struct loss *out, struct error *err)
{
    return inner(task)->kind->valid_loss(inner(task), weights, i, arena, out, err);
}

static enum status describe(const struct task *task, json_t *settings, struct error *err)
{
    return inner(task)->kind->describe(inner(task), settings, err);
}

static const struct task_kind carrying_kind = {
    .position = position,
    .bytes = bytes,
    .loss = loss,
    .valid_bytes = valid_bytes,
    .valid_loss = valid_loss,
    .describe = describe,
};

/* ---- a training of so many ranks ---- */

static char folder[64], checkpoint[96];
static struct pairs train_pairs, valid_pairs;

struct rank {
    struct peers peers;
    struct trainer_options options;
    struct shard *shard;
    struct carrying_task carrying;
    struct trainer *trainer;
    pthread_t thread;
    int64_t stop_after, break_after; // updates; 0: never
    bool resume, spoiled;            // one of its weights is another
    atomic_int stop;
    int64_t updates; // afterwards
    double best_loss;
    int reports;
    enum status status;
    struct error err;
};

static void begin(void)
{
    make_folder(folder);
    snprintf(checkpoint, sizeof checkpoint, "%s/toy.checkpoint", folder);
    train_pairs = toy_pairs(400, 1);
    valid_pairs = toy_pairs(60, 2);
}

static void end(void)
{
    pairs_release(&train_pairs);
    pairs_release(&valid_pairs);
    remove_folder(folder);
}

/* Seen by every rank, once an update: its own way to be told of it is the stream of batches. */
static enum status counting_position(struct task *task, int64_t epoch, int64_t batch,
                                     struct task_batch *out, struct error *err)
{
    struct carrying_task *carrying = (struct carrying_task *)(void *)task;
    struct rank *rank = (struct rank *)(void *)((char *)carrying - offsetof(struct rank, carrying));
    const int64_t updates = trainer_state(rank->trainer)->updates;
    if (rank->stop_after > 0 && updates + 1 == rank->stop_after)
        atomic_store(&rank->stop, 1);
    if (rank->break_after > 0 && updates == rank->break_after) {
        break_world();
        return error_set(err, STATUS_IO, "this rank dies here");
    }
    return position(task, epoch, batch, out, err);
}

static void note_update(void *context, const struct training_progress *progress)
{
    (void)progress;
    ((struct rank *)context)->reports++;
}

static struct rank new_rank(int rank, int ranks, int threads)
{
    struct rank r = { .peers = { rank, ranks, NULL, sum_floats, sum_doubles },
                      .options = toy_options(checkpoint) };
    r.options.threads = threads;
    r.options.epochs = 2;
    return r;
}

static void make_trainer(struct rank *r)
{
    static struct task_kind kind;
    const struct config config = toy_config();
    struct carrying_task *c = &r->carrying;
    kind = carrying_kind;
    kind.position = counting_position;
    r->options.peers = r->peers.count > 1 ? &r->peers : NULL;
    r->options.stop = &r->stop;
    r->options.on_update = note_update;
    r->options.context = r;
    r->shard = toy_shard(folder, &train_pairs);
    const struct translation_data data = { r->shard, groups_limits(), &valid_pairs };
    assert_ok(translation_task_new(&c->translation, &config, &data, toy_batches(), &r->err),
              r->err);
    c->task = c->translation->task;
    c->task.kind = &kind;
    c->task.carried = c->blocks[0];
    c->task.carried_next = c->blocks[1];
    c->task.carried_count = 20;
    assert_ok(trainer_new(&r->trainer, &r->options, &c->task, &r->err), r->err);
    if (r->spoiled)
        *(real *)trainer_values(r->trainer) += 1;
}

static void *run_rank(void *context)
{
    struct rank *r = context;
    r->status = r->resume ? trainer_resume(r->trainer, &r->err) : STATUS_OK;
    if (r->status == STATUS_OK)
        r->status = trainer_run(r->trainer, &r->err);
    if (r->status != STATUS_OK && r->peers.count > 1)
        break_world(); // as a process that ends
    r->updates = trainer_state(r->trainer)->updates;
    r->best_loss = trainer_state(r->trainer)->schedule.best_loss;
    return NULL;
}

static void run_ranks(struct rank *ranks, int count, bool resume)
{
    world = (struct world){ .count = count };
    pthread_mutex_init(&world.lock, NULL);
    pthread_cond_init(&world.turned, NULL);
    for (int i = 0; i < count; i++) {
        ranks[i].resume = resume;
        make_trainer(&ranks[i]);
    }
    for (int i = 1; i < count; i++)
        ck_assert_int_eq(pthread_create(&ranks[i].thread, NULL, run_rank, &ranks[i]), 0);
    run_rank(&ranks[0]);
    for (int i = 1; i < count; i++)
        pthread_join(ranks[i].thread, NULL);
    pthread_mutex_destroy(&world.lock);
    pthread_cond_destroy(&world.turned);
}

static void free_ranks(struct rank *ranks, int count)
{
    for (int i = 0; i < count; i++) {
        trainer_free(ranks[i].trainer);
        translation_task_free(ranks[i].carrying.translation);
        shard_close(ranks[i].shard);
    }
}

static void assert_same_training(const struct rank *a, const struct rank *b)
{
    const size_t total = a->carrying.task.params->total;
    ck_assert_int_eq(a->updates, b->updates);
    ck_assert(a->best_loss == b->best_loss);
    ck_assert_int_eq(
        memcmp(trainer_values(a->trainer), trainer_values(b->trainer), total * sizeof(real)), 0);
    ck_assert_int_eq(memcmp(a->carrying.task.carried, b->carrying.task.carried, 20 * sizeof(real)),
                     0);
}

START_TEST(two_ranks_train_as_two_threads_do)
{
    begin();
    struct rank alone[1] = { new_rank(0, 1, 2) };
    struct rank ranks[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    run_ranks(alone, 1, false);
    run_ranks(ranks, 2, false);
    ck_assert_int_eq(alone[0].status, STATUS_OK);
    ck_assert_int_eq(ranks[0].status, STATUS_OK);
    ck_assert_int_eq(ranks[1].status, STATUS_OK);
    ck_assert_int_eq(alone[0].updates, 40);
    assert_same_training(&alone[0], &ranks[0]);
    assert_same_training(&alone[0], &ranks[1]);
    ck_assert_int_eq(ranks[0].reports, 40);
    ck_assert_int_eq(ranks[1].reports, 0);
    free_ranks(alone, 1);
    free_ranks(ranks, 2);
    end();
}
END_TEST

START_TEST(a_stop_of_any_rank_stops_all_at_the_same_update)
{
    begin();
    struct rank ranks[3] = { new_rank(0, 3, 1), new_rank(1, 3, 1), new_rank(2, 3, 1) };
    ranks[_i].stop_after = 7;
    run_ranks(ranks, 3, false);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ranks[i].status, STATUS_CANCELLED);
        ck_assert_int_eq(ranks[i].updates, 7);
    }
    free_ranks(ranks, 3);
    end();
}
END_TEST

START_TEST(ranks_that_were_stopped_go_on_to_the_same_bits)
{
    begin();
    struct rank straight[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    struct rank first[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    struct rank second[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    run_ranks(straight, 2, false);
    first[1].stop_after = 13;
    run_ranks(first, 2, false);
    run_ranks(second, 2, true);
    ck_assert_int_eq(first[0].updates, 13);
    ck_assert_int_eq(second[0].status, STATUS_OK);
    assert_same_training(&straight[0], &second[0]);
    assert_same_training(&straight[0], &second[1]);
    free_ranks(straight, 2);
    free_ranks(first, 2);
    free_ranks(second, 2);
    end();
}
END_TEST

START_TEST(a_rank_that_dies_leaves_a_checkpoint_of_the_last_update)
{
    begin();
    struct rank straight[1] = { new_rank(0, 1, 2) }, after[1] = { new_rank(0, 1, 2) };
    struct rank ranks[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    ranks[1].break_after = 11;
    run_ranks(ranks, 2, false);
    ck_assert_int_eq(ranks[0].status, STATUS_IO);
    ck_assert_int_eq(ranks[0].updates, 11);
    ck_assert_msg(strstr(ranks[0].err.text, "rank 1 is gone") &&
                      strstr(ranks[0].err.text, "update 11") &&
                      strstr(ranks[0].err.text, "--resume"),
                  "%s", ranks[0].err.text);
    run_ranks(after, 1, true);
    ck_assert_int_eq(after[0].status, STATUS_OK);
    run_ranks(straight, 1, false);
    assert_same_training(&straight[0], &after[0]);
    free_ranks(straight, 1);
    free_ranks(after, 1);
    free_ranks(ranks, 2);
    end();
}
END_TEST

static enum status expect_checkpoint(void *context, const struct training_validation *validation,
                                     struct error *err)
{
    (void)context;
    (void)validation;
    return access(checkpoint, R_OK) == 0 ? STATUS_OK : error_set(err, STATUS_IO, "nothing saved");
}

START_TEST(ranks_are_saved_before_rank_0_validates)
{
    begin();
    struct rank ranks[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    for (int i = 0; i < 2; i++) {
        ranks[i].options.checkpoint_every = 0;
        ranks[i].options.on_validated = expect_checkpoint;
    }
    run_ranks(ranks, 2, false);
    ck_assert_msg(ranks[0].status == STATUS_OK, "%s", ranks[0].err.text);
    free_ranks(ranks, 2);
    end();
}
END_TEST

START_TEST(ranks_that_differ_say_in_what)
{
    static const char *const words[] = { "--threads", "--epochs", "options or data", "weights" };
    begin();
    struct rank ranks[2] = { new_rank(0, 2, 1), new_rank(1, 2, 1) };
    ranks[1].options.threads += _i == 0;
    ranks[1].options.epochs += _i == 1;
    ranks[1].options.seed += _i == 2;
    ranks[1].spoiled = _i == 3;
    run_ranks(ranks, 2, false);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ranks[i].status, STATUS_BAD_INPUT);
        ck_assert_msg(strstr(ranks[i].err.text, "rank 1") && strstr(ranks[i].err.text, words[_i]),
                      "%s", ranks[i].err.text);
        ck_assert_int_eq(ranks[i].updates, 0);
    }
    free_ranks(ranks, 2);
    end();
}
END_TEST

START_TEST(an_update_that_is_left_out_leaves_what_is_carried)
{
    begin();
    struct rank alone[1] = { new_rank(0, 1, 2) };
    alone[0].options.schedule.rate = 1e38; // the first step ends all sense
    alone[0].options.schedule.warmup = 0;
    run_ranks(alone, 1, false);
    ck_assert_int_eq(alone[0].status, STATUS_DIVERGED);
    for (int r = 0; r < 20; r++)
        ck_assert(isfinite(alone[0].carrying.task.carried[r]));
    free_ranks(alone, 1);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(two_ranks_train_as_two_threads_do),
    TEST_LOOP(a_stop_of_any_rank_stops_all_at_the_same_update, 3),
    TEST(ranks_that_were_stopped_go_on_to_the_same_bits),
    TEST(a_rank_that_dies_leaves_a_checkpoint_of_the_last_update),
    TEST(ranks_are_saved_before_rank_0_validates),
    TEST_LOOP(ranks_that_differ_say_in_what, 4),
    TEST(an_update_that_is_left_out_leaves_what_is_carried),
};
TEST_MAIN("model/train/ranks", cases)
