/*
 * test_pool.c - ranges never overlap, and what is given back can be had again.
 */
#include "tests/helpers.h"

#include <stdint.h>
#include <string.h>
#include "base/rng.h"
#include "model/search/pool.h"

enum { BYTES = 1 << 16, RANGES = 40 };

START_TEST(ranges_never_overlap)
{
    struct pool pool;
    struct rng rng = rng_make(1, 0);
    char *at[RANGES] = { NULL };
    size_t bytes[RANGES];
    int refused = 0;
    ck_assert(pool_init(&pool, BYTES));
    for (int round = 0; round < 20000; round++) {
        const size_t i = (size_t)rng_below(&rng, RANGES);
        if (at[i]) {
            int strange = 0;
            for (size_t k = 0; k < bytes[i]; k++)
                strange += at[i][k] != (char)i;
            ck_assert_int_eq(strange, 0);
            pool_give(&pool, at[i]);
            at[i] = NULL;
            continue;
        }
        bytes[i] = 1 + (size_t)rng_below(&rng, BYTES / 8);
        at[i] = pool_take(&pool, bytes[i]);
        if (at[i]) {
            ck_assert_int_eq((uintptr_t)at[i] % 64, 0);
            memset(at[i], (int)i, bytes[i]);
        }
        refused += !at[i];
    }
    ck_assert_int_gt(refused, 0);
    pool_release(&pool);
}
END_TEST

START_TEST(an_empty_pool_gives_all_it_has)
{
    struct pool pool;
    ck_assert(pool_init(&pool, BYTES));
    for (int round = 0; round < 3; round++) {
        char *first = pool_take(&pool, BYTES / 2), *second = pool_take(&pool, BYTES / 2);
        ck_assert(first && second);
        ck_assert_ptr_null(pool_take(&pool, 1));
        pool_give(&pool, first);
        ck_assert_ptr_null(pool_take(&pool, BYTES / 2 + 1));
        pool_give(&pool, second);
        char *all = pool_take(&pool, BYTES);
        ck_assert_ptr_nonnull(all);
        pool_give(&pool, all);
    }
    pool_release(&pool);
}
END_TEST

START_TEST(there_are_so_many_ranges_and_no_more)
{
    struct pool pool;
    ck_assert(pool_init(&pool, (size_t)64 * (POOL_RANGES_MAX + 1)));
    for (int i = 0; i < POOL_RANGES_MAX; i++)
        ck_assert_ptr_nonnull(pool_take(&pool, 1));
    ck_assert_ptr_null(pool_take(&pool, 1));
    pool_release(&pool);
}
END_TEST

static const struct test_case cases[] = {
    TEST(ranges_never_overlap),
    TEST(an_empty_pool_gives_all_it_has),
    TEST(there_are_so_many_ranges_and_no_more),
};
TEST_MAIN("model/search/pool", cases)
