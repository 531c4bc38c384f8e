/*
 * test_batches.c - batches of pairs: each once an epoch, within the limits, the same whoever takes
 * which rows.
 */
#include "model/train/batches.h"

#include "base/rng.h"
#include "tests/helpers.h"

#define PAIRS 3000

/* Source k has its number as its first piece, so that rows can be told apart. */
static struct pairs numbered_pairs(int count)
{
    struct pairs pairs = { 0 };
    struct rng rng = rng_make(3, 0);
    struct error err;
    int32_t ids[64] = { 0 };
    for (int k = 0; k < count; k++) {
        ids[0] = 100 + k;
        int source_len = 1 + (int)rng_below(&rng, 40), target_len = 1 + (int)rng_below(&rng, 40);
        assert_ok(pairs_add(&pairs, ids, source_len, ids, target_len, &err), err);
    }
    return pairs;
}

static struct batches plan(const struct pairs *pairs, int sentences, int pieces)
{
    struct batches batches;
    struct error err;
    const struct batch_options options = { sentences, pieces, 17 };
    assert_ok(batches_init(&batches, pairs, options, &err), err);
    return batches;
}

START_TEST(every_pair_comes_once_an_epoch)
{
    struct pairs pairs = numbered_pairs(PAIRS);
    struct batches batches = plan(&pairs, 8, 400);
    batches_shuffle(&batches, _i);
    int seen[PAIRS] = { 0 }, rows = 0;
    for (int i = 0; i < batches.count; i++) {
        rows += batches.rows[i].count;
        for (int r = 0; r < batches.rows[i].count; r++)
            seen[batches.order[batches.rows[i].from + r]]++;
    }
    ck_assert_int_eq(rows, PAIRS);
    for (int k = 0; k < PAIRS; k++)
        ck_assert_int_eq(seen[k], 1);
    batches_release(&batches);
    pairs_release(&pairs);
}
END_TEST

START_TEST(batches_keep_to_both_limits)
{
    struct pairs pairs = numbered_pairs(PAIRS);
    struct batches batches = plan(&pairs, 8, 200);
    batches_shuffle(&batches, 0);
    for (int i = 0; i < batches.count; i++) {
        struct batch shape = batches_shape(&batches, i, 0, 1);
        ck_assert_int_le(shape.B, 8);
        ck_assert(shape.B == 1 || shape.B * (shape.S + shape.T) <= 200);
    }
    batches_release(&batches);
    pairs_release(&pairs);
}
END_TEST

/* Padding of random batches of 8 would be about 45 %. */
#define PADDING_BOUND 0.06

START_TEST(lengths_in_a_batch_are_similar)
{
    struct pairs pairs = numbered_pairs(PAIRS);
    struct batches batches = plan(&pairs, 8, 10000);
    batches_shuffle(&batches, 0);
    double cells = 0, real_cells = 0;
    for (int i = 0; i < batches.count; i++) {
        struct batch shape = batches_shape(&batches, i, 0, 1);
        cells += shape.B * (shape.S + shape.T);
    }
    for (int k = 0; k < pairs.count; k++)
        real_cells += pairs.list[k].source_len + pairs.list[k].target_len;
    ck_assert_msg(1 - real_cells / cells < PADDING_BOUND, "padding %.2f", 1 - real_cells / cells);
    batches_release(&batches);
    pairs_release(&pairs);
}
END_TEST

static bool same_plan(const struct batches *a, const struct batches *b)
{
    return a->count == b->count &&
           memcmp(a->order, b->order, (size_t)a->pairs->count * sizeof *a->order) == 0 &&
           memcmp(a->rows, b->rows, (size_t)a->count * sizeof *a->rows) == 0;
}

START_TEST(the_plan_depends_on_seed_and_epoch_alone)
{
    struct pairs pairs = numbered_pairs(PAIRS);
    struct batches a = plan(&pairs, 8, 400), b = plan(&pairs, 8, 400);
    batches_shuffle(&a, 5);
    batches_shuffle(&b, 0);
    ck_assert(!same_plan(&a, &b));
    batches_shuffle(&b, 5);
    ck_assert(same_plan(&a, &b));
    b.options.seed++;
    batches_shuffle(&b, 5);
    ck_assert(!same_plan(&a, &b));
    batches_release(&a);
    batches_release(&b);
    pairs_release(&pairs);
}
END_TEST

START_TEST(shares_of_a_batch_are_the_batch)
{
    struct pairs pairs = numbered_pairs(100);
    struct batches batches = plan(&pairs, 7, 10000);
    struct arena arena;
    ck_assert(arena_init(&arena, 1 << 20));
    batches_shuffle(&batches, 0);
    int seen[100] = { 0 };
    for (int i = 0; i < batches.count; i++) {
        for (int member = 0; member < 3; member++) {
            struct batch batch;
            arena_reset(&arena);
            ck_assert(batches_fill(&batches, i, member, 3, &arena, &batch));
            struct batch shape = batches_shape(&batches, i, member, 3);
            ck_assert_int_eq(batch.B, shape.B);
            ck_assert_uint_le(arena.used, batches_fill_bytes(&shape));
            for (int n = 0; n < batch.B; n++) {
                int k = batch.source[n * batch.S] - 100;
                seen[k]++;
                ck_assert_int_eq(batch.source_len[n], pairs.list[k].source_len);
                ck_assert(n == 0 || batch.target_len[n] <= batch.target_len[n - 1]);
                ck_assert_int_eq(batch.target[n * batch.T + batch.target_len[n] - 1], 3);
                for (int t = batch.target_len[n]; t < batch.T; t++)
                    ck_assert_int_eq(batch.target[n * batch.T + t], 0);
            }
        }
    }
    for (int k = 0; k < 100; k++)
        ck_assert_int_eq(seen[k], 1);
    arena_release(&arena);
    batches_release(&batches);
    pairs_release(&pairs);
}
END_TEST

/* Pair k is linked by k % 3 links, whose source is k % 7. */
START_TEST(links_go_with_their_rows)
{
    struct pairs pairs = { 0 };
    struct error err;
    struct arena arena;
    struct batch batch;
    ck_assert(arena_init(&arena, 1 << 20));
    for (int k = 0; k < 50; k++) {
        const int32_t ids[9] = { 100 + k };
        assert_ok(pairs_add(&pairs, ids, 9, ids, 9, &err), err);
        assert_ok(pairs_reserve(&pairs, 0, 3, &err), err);
        for (int i = 0; i < k % 3; i++)
            pairs.ids[pairs.id_count + (size_t)i] = pair_link(k % 7, i);
        pairs_place_links(&pairs, k % 3);
    }
    struct batches batches = plan(&pairs, 8, 400);
    batches_shuffle(&batches, 1);
    int found = 0;
    for (int i = 0; i < batches.count; i++)
        for (int member = 0; member < 2; member++) {
            arena_reset(&arena);
            ck_assert(batches_fill(&batches, i, member, 2, &arena, &batch));
            ck_assert_uint_le(arena.used, batches_fill_bytes(&batch));
            found += batch.link_count;
            for (int n = 0; n < batch.link_count; n++) {
                const struct piece_link link = batch.links[n];
                const int k = batch.source[link.row * batch.S] - 100;
                ck_assert_int_eq(link.source, k % 7);
                ck_assert_int_lt(link.target, k % 3);
            }
        }
    ck_assert_int_eq(found, 16 * 3 + 1);
    batches_release(&batches);
    pairs_release(&pairs);
    arena_release(&arena);
}
END_TEST

START_TEST(a_member_without_rows_gets_an_empty_share)
{
    struct pairs pairs = numbered_pairs(2);
    struct batches batches = plan(&pairs, 2, 10000);
    batches_shuffle(&batches, 0);
    ck_assert_int_eq(batches.count, 1);
    ck_assert_int_eq(batches_shape(&batches, 0, 2, 4).B, 0);
    batches_release(&batches);
    pairs_release(&pairs);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(every_pair_comes_once_an_epoch, 3),
    TEST(batches_keep_to_both_limits),
    TEST(lengths_in_a_batch_are_similar),
    TEST(the_plan_depends_on_seed_and_epoch_alone),
    TEST(shares_of_a_batch_are_the_batch),
    TEST(links_go_with_their_rows),
    TEST(a_member_without_rows_gets_an_empty_share),
};
TEST_MAIN("model/train/batches", cases)
