/*
 * test_map.c - keys, order, growth, and memory that runs out on the way.
 */
#include "tests/helpers.h"

#include "base/map.h"
#include "base/rng.h"

START_TEST(an_absent_key_is_null)
{
    struct map *map = map_new();
    ck_assert_ptr_null(map_find(map, "book", 4));
    ck_assert_uint_eq(map_count(map), 0);
    map_free(map);
    map_free(NULL);
}
END_TEST

START_TEST(a_value_is_found_and_changed_through_its_pointer)
{
    struct map *map = map_new();
    ++*map_insert(map, "book", 4, 0);
    ++*map_insert(map, "book", 4, 77);
    ck_assert_int_eq(*map_find(map, "book", 4), 2);
    ck_assert_uint_eq(map_count(map), 1);
    map_free(map);
}
END_TEST

START_TEST(a_key_is_its_bytes_and_its_length)
{
    struct map *map = map_new();
    *map_insert(map, "ab", 2, 0) = 1;
    *map_insert(map, "ab\0", 3, 0) = 2;
    *map_insert(map, "ab\0c", 4, 0) = 3;
    *map_insert(map, NULL, 0, 0) = 4;
    ck_assert_uint_eq(map_count(map), 4);
    ck_assert_int_eq(*map_find(map, "abx", 2), 1);
    ck_assert_int_eq(*map_find(map, "ab\0x", 3), 2);
    ck_assert_int_eq(*map_find(map, "ab\0c", 4), 3);
    ck_assert_int_eq(*map_find(map, "", 0), 4);
    ck_assert_ptr_null(map_find(map, "ab\0d", 4));
    map_free(map);
}
END_TEST

START_TEST(keys_are_copied)
{
    struct map *map = map_new();
    char key[] = "book";
    map_insert(map, key, 4, 1);
    key[0] = 'l';
    ck_assert_ptr_nonnull(map_find(map, "book", 4));
    ck_assert_ptr_null(map_find(map, key, 4));
    map_free(map);
}
END_TEST

#define MANY 200000

static size_t key_of(int i, char key[32])
{
    return (size_t)snprintf(key, 32, "%d-%x", i % 97, (unsigned)i * 2654435761u);
}

START_TEST(many_keys_keep_their_order_and_values)
{
    struct map *map = map_new();
    struct map_entry entry;
    char key[32];
    for (int i = 0; i < MANY; i++)
        *map_insert(map, key, key_of(i, key), -1) = i;
    ck_assert_uint_eq(map_count(map), MANY);
    for (int i = 0; i < MANY; i++)
        if (*map_find(map, key, key_of(i, key)) != i)
            ck_abort_msg("%s is lost", key);
    int expected = 0;
    for (size_t at = 0; map_next(map, &at, &entry); expected++) {
        size_t len = key_of(expected, key);
        if (entry.value != expected || entry.len != len || strcmp(entry.key, key) != 0)
            ck_abort_msg("%s is out of order", entry.key);
    }
    ck_assert_int_eq(expected, MANY);
    map_free(map);
}
END_TEST

START_TEST(keys_longer_than_a_block_are_kept)
{
    static char long_key[3 << 20];
    struct map *map = map_new();
    memset(long_key, 'k', sizeof long_key);
    for (size_t len = 1; len <= sizeof long_key; len *= 2)
        map_insert(map, long_key, len, (int64_t)len);
    map_insert(map, long_key, sizeof long_key, 7);
    for (size_t len = 1; len <= sizeof long_key; len *= 2)
        ck_assert_int_eq(*map_find(map, long_key, len), (int64_t)len);
    ck_assert_int_eq(*map_find(map, long_key, sizeof long_key), 7);
    map_free(map);
}
END_TEST

/* The same random operations on both say the same. */
START_TEST(it_agrees_with_a_plain_array)
{
    int64_t counts[500] = { 0 };
    struct map *map = map_new();
    struct rng rng = rng_make(1, 0);
    char key[32];
    for (int i = 0; i < 20000; i++) {
        int k = (int)rng_below(&rng, 500);
        size_t len = key_of(k, key);
        const int64_t *found = map_find(map, key, len);
        ck_assert_int_eq(found ? *found : 0, counts[k]);
        ++*map_insert(map, key, len, 0);
        counts[k]++;
    }
    map_free(map);
}
END_TEST

/* Insert 5000 keys with one failure on the way; the failed insertion is repeated. */
static bool fill_with_failure_at(long nth)
{
    long before = memory_live();
    char key[32];
    memory_fail_at(nth);
    struct map *map = map_new();
    for (int i = 0; map && i < 5000; i++) {
        size_t len = key_of(i, key);
        int64_t *value = map_insert(map, key, len, i);
        if (!value) {
            ck_assert(memory_failed());
            ck_assert_uint_eq(map_count(map), (size_t)i);
            ck_assert_ptr_null(map_find(map, key, len));
            value = map_insert(map, key, len, i);
        }
        ck_assert_int_eq(*value, i);
    }
    bool failed = memory_failed();
    memory_fail_at(0);
    if (map)
        ck_assert_int_eq(*map_find(map, key, key_of(4999, key)), 4999);
    map_free(map);
    ck_assert_int_eq(memory_live(), before);
    return failed;
}

START_TEST(a_failed_insertion_changes_nothing)
{
    long nth = 1;
    while (fill_with_failure_at(nth))
        nth++;
    ck_assert_int_gt(nth, 20);
}
END_TEST

static const struct test_case cases[] = {
    TEST(an_absent_key_is_null),
    TEST(a_value_is_found_and_changed_through_its_pointer),
    TEST(a_key_is_its_bytes_and_its_length),
    TEST(keys_are_copied),
    TEST(many_keys_keep_their_order_and_values),
    TEST(keys_longer_than_a_block_are_kept),
    TEST(it_agrees_with_a_plain_array),
    TEST(a_failed_insertion_changes_nothing),
};
TEST_MAIN("base/map", cases)
