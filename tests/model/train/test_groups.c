/*
 * test_groups.c - a corpus larger than what may be held, and the batches of a translation task
 * over it.
 */
#include "model/train/groups.h"

#include "tests/model/train/toy.h"

#define PAIRS (10 * SHARD_BLOCK_PAIRS + 50)

static char folder[64], path[96];
static const struct group_limits three_blocks = { 3 * SHARD_BLOCK_PAIRS, 1 << 22 };

/* Pair k has k as its only source id. */
static struct shard *numbered_shard(int count)
{
    static const uint8_t made_of[SHA256_BYTES];
    struct rng rng = rng_make(3, 0);
    struct shard_writer *w;
    struct shard *shard;
    struct error err;
    int32_t target[20] = { 5 };
    snprintf(path, sizeof path, "%s/numbered.pairs", folder);
    assert_ok(shard_writer_open(&w, path, made_of, &err), err);
    for (int32_t k = 0; k < count; k++)
        assert_ok(shard_writer_add(w, &k, 1, target, 1 + (int)rng_below(&rng, 19), &err), err);
    assert_ok(shard_writer_commit(w, 0, 0, &err), err);
    shard_writer_close(w);
    assert_ok(shard_open(&shard, path, &err), err);
    return shard;
}

static struct groups new_groups(struct shard *shard, struct group_limits limits)
{
    struct groups g;
    struct error err;
    assert_ok(groups_init(&g, shard, limits, 17, &err), err);
    return g;
}

START_TEST(every_pair_is_held_once_an_epoch_and_never_too_many)
{
    uint8_t *seen = calloc(PAIRS, 1);
    struct error err;
    make_folder(folder);
    struct shard *shard = numbered_shard(PAIRS);
    struct groups g = new_groups(shard, three_blocks);
    int64_t before = 0;
    assert_ok(groups_begin(&g, _i, &err), err);
    for (;;) {
        ck_assert_int_le(g.pairs.count, three_blocks.pairs);
        ck_assert_int_le(g.pairs.capacity, 2 * three_blocks.pairs);
        ck_assert_uint_le(g.pairs.id_count, (size_t)three_blocks.ids);
        ck_assert_int_eq(g.pairs_before, before);
        before += g.pairs.count;
        for (int k = 0; k < g.pairs.count; k++)
            seen[pairs_source(&g.pairs, k)[0]]++;
        if (groups_is_last(&g))
            break;
        assert_ok(groups_next(&g, &err), err);
    }
    ck_assert_int_ge(g.number + 1, 4);
    for (int k = 0; k < PAIRS; k++)
        ck_assert_int_eq(seen[k], 1);
    groups_release(&g);
    shard_close(shard);
    free(seen);
    remove_folder(folder);
}
END_TEST

START_TEST(ids_limit_a_group_too)
{
    const struct group_limits few_ids = { PAIRS_MAX, SHARD_BLOCK_IDS };
    struct error err;
    make_folder(folder);
    struct shard *shard = numbered_shard(16 * SHARD_BLOCK_PAIRS); // about 13 ids each
    struct groups g = new_groups(shard, few_ids);
    assert_ok(groups_begin(&g, 0, &err), err);
    ck_assert_uint_le(g.pairs.id_count, SHARD_BLOCK_IDS);
    ck_assert(!groups_is_last(&g));
    groups_release(&g);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

START_TEST(a_corpus_within_the_limits_is_one_group_in_the_order_of_the_file)
{
    struct error err;
    make_folder(folder);
    struct shard *shard = numbered_shard(PAIRS);
    struct groups g = new_groups(shard, groups_limits());
    for (int64_t epoch = 0; epoch < 3; epoch++) {
        assert_ok(groups_begin(&g, epoch, &err), err);
        ck_assert(groups_is_last(&g));
        ck_assert_int_eq(g.pairs.count, PAIRS);
        for (int k = 0; k < PAIRS; k++)
            ck_assert_int_eq(pairs_source(&g.pairs, k)[0], k);
    }
    groups_release(&g);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

START_TEST(the_order_is_another_in_each_epoch)
{
    struct error err;
    make_folder(folder);
    struct shard *shard = numbered_shard(PAIRS);
    struct groups a = new_groups(shard, three_blocks), b = new_groups(shard, three_blocks);
    assert_ok(groups_begin(&a, 4, &err), err);
    assert_ok(groups_begin(&b, 5, &err), err);
    ck_assert_int_ne(memcmp(a.order, b.order, 11 * sizeof *a.order), 0);
    assert_ok(groups_begin(&b, 4, &err), err);
    ck_assert_int_eq(memcmp(a.order, b.order, 11 * sizeof *a.order), 0);
    groups_release(&a);
    groups_release(&b);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

/* ---- batches over several groups ---- */

#define BATCHES_MAX 4000

/* What a batch is told apart by: a hash of its pairs' numbers. */
struct trace {
    uint64_t sums[BATCHES_MAX];
    int count;
};

static uint64_t number_of(const struct translation_task *t)
{
    const struct batch_rows *rows = &t->train.rows[t->current];
    uint64_t number = 0;
    for (int r = 0; r < rows->count; r++)
        number = number * 31 +
                 (uint64_t)pairs_source(&t->groups.pairs, t->train.order[rows->from + r])[0];
    return number;
}

static struct translation_task *new_task(struct shard *shard, const struct pairs *valid)
{
    const struct translation_data data = { shard, three_blocks, valid };
    const struct config config = toy_config();
    struct translation_task *task;
    struct error err;
    assert_ok(translation_task_new(&task, &config, &data, toy_batches(), &err), err);
    return task;
}

/* Batches from `first` on to the end of the epoch. */
static struct trace trace_epoch(struct shard *shard, const struct pairs *valid, int64_t epoch,
                                int first)
{
    struct translation_task *t = new_task(shard, valid);
    struct trace trace = { .count = first };
    struct task_batch batch = { 0 };
    struct error err;
    double share = -1;
    while (!batch.ends_epoch) {
        ck_assert_int_lt(trace.count, BATCHES_MAX);
        assert_ok(t->task.kind->position(&t->task, epoch, trace.count, &batch, &err), err);
        ck_assert(batch.epoch_before > share && batch.epoch_before < 1);
        share = batch.epoch_before;
        trace.sums[trace.count++] = number_of(t);
    }
    translation_task_free(t);
    return trace;
}

START_TEST(a_batch_in_the_middle_of_an_epoch_is_found_again)
{
    static struct trace whole, rest;
    make_folder(folder);
    struct shard *shard = numbered_shard(PAIRS);
    struct pairs valid = toy_pairs(10, 1);
    whole = trace_epoch(shard, &valid, 2, 0);
    ck_assert_int_ge(whole.count, PAIRS / toy_batches().sentences);
    const int firsts[] = { 1, 617, whole.count / 2, whole.count - 1 };
    for (int i = 0; i < 4; i++) {
        rest = trace_epoch(shard, &valid, 2, firsts[i]);
        ck_assert_int_eq(rest.count, whole.count);
        ck_assert_int_eq(memcmp(rest.sums + firsts[i], whole.sums + firsts[i],
                                (size_t)(whole.count - firsts[i]) * sizeof(uint64_t)),
                         0);
    }
    pairs_release(&valid);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

START_TEST(every_pair_is_in_one_batch_of_an_epoch)
{
    uint8_t *seen = calloc(PAIRS, 1);
    struct task_batch batch = { 0 };
    struct error err;
    make_folder(folder);
    struct shard *shard = numbered_shard(PAIRS);
    struct pairs valid = toy_pairs(10, 1);
    struct translation_task *t = new_task(shard, &valid);
    int64_t pieces = 0, examples = 0;
    for (int64_t i = 0; !batch.ends_epoch; i++) {
        assert_ok(t->task.kind->position(&t->task, 1, i, &batch, &err), err);
        const struct batch_rows *rows = &t->train.rows[t->current];
        for (int r = 0; r < rows->count; r++)
            seen[pairs_source(&t->groups.pairs, t->train.order[rows->from + r])[0]]++;
        pieces += batch.pieces;
        examples += batch.examples;
    }
    for (int k = 0; k < PAIRS; k++)
        ck_assert_int_eq(seen[k], 1);
    ck_assert_int_eq(examples, PAIRS);
    ck_assert_int_eq(pieces, shard_facts(shard)->target_pieces);
    translation_task_free(t);
    pairs_release(&valid);
    shard_close(shard);
    free(seen);
    remove_folder(folder);
}
END_TEST

START_TEST(a_place_beyond_the_epoch_is_refused)
{
    struct task_batch batch;
    struct error err;
    make_folder(folder);
    struct shard *shard = numbered_shard(100);
    struct pairs valid = toy_pairs(10, 1);
    struct translation_task *t = new_task(shard, &valid);
    assert_status(t->task.kind->position(&t->task, 0, 5000, &batch, &err), STATUS_BAD_INPUT);
    assert_ok(t->task.kind->position(&t->task, 0, 0, &batch, &err), err);
    translation_task_free(t);
    pairs_release(&valid);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(every_pair_is_held_once_an_epoch_and_never_too_many, 2),
    TEST(ids_limit_a_group_too),
    TEST(a_corpus_within_the_limits_is_one_group_in_the_order_of_the_file),
    TEST(the_order_is_another_in_each_epoch),
    TEST(a_batch_in_the_middle_of_an_epoch_is_found_again),
    TEST(every_pair_is_in_one_batch_of_an_epoch),
    TEST(a_place_beyond_the_epoch_is_refused),
};
TEST_MAIN("model/train/groups", cases)
