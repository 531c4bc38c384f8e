/*
 * test_memory.c - sizes that cannot exist, the count of live blocks, and the fault point.
 */
#include "tests/helpers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/memory.h"

START_TEST(a_product_over_the_address_space_is_no_memory)
{
    void *block = memory_alloc(1, 8);
    ck_assert_ptr_null(memory_alloc(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(memory_zeroed(SIZE_MAX, SIZE_MAX));
    ck_assert_ptr_null(memory_alloc(SIZE_MAX, 1));
    ck_assert_ptr_null(memory_resize(block, SIZE_MAX / 4, 5));
    memory_free(block);
}
END_TEST

START_TEST(no_bytes_are_still_a_block)
{
    void *none = memory_alloc(0, 8);
    ck_assert_ptr_nonnull(none);
    none = memory_resize(none, 0, 0);
    ck_assert_ptr_nonnull(none);
    memory_free(none);
}
END_TEST

START_TEST(zeroed_memory_is_zero)
{
    unsigned char *block = memory_zeroed(1000, 3);
    for (int i = 0; i < 3000; i++)
        ck_assert_int_eq(block[i], 0);
    memory_free(block);
}
END_TEST

START_TEST(text_is_copied_with_its_end)
{
    char text[] = "book";
    char *copy = memory_copy_text(text);
    text[0] = 'l';
    ck_assert_str_eq(copy, "book");
    memory_free(copy);
}
END_TEST

START_TEST(live_blocks_are_counted)
{
    long before = memory_live();
    void *a = memory_alloc(1, 1), *b = memory_zeroed(2, 2), *c = memory_resize(NULL, 3, 3);
    char *d = memory_copy_text("d");
    void *e = memory_map_pages(4096);
    ck_assert_int_eq(memory_live() - before, 5);
    c = memory_resize(c, 4, 4);
    ck_assert_int_eq(memory_live() - before, 5);
    memory_free(a);
    memory_free(b);
    memory_free(c);
    memory_free(d);
    memory_free(NULL);
    memory_unmap_pages(e, 4096);
    ck_assert_int_eq(memory_live(), before);
}
END_TEST

START_TEST(exactly_the_nth_allocation_fails_and_once)
{
    void *blocks[5];
    memory_fail_at(3);
    for (int i = 0; i < 5; i++) {
        ck_assert(memory_failed() == (i > 2));
        blocks[i] = i % 2 ? memory_alloc(1, 1) : memory_zeroed(1, 1);
        ck_assert((blocks[i] == NULL) == (i == 2));
    }
    for (int i = 0; i < 5; i++)
        memory_free(blocks[i]);
    memory_fail_at(0);
    ck_assert(!memory_failed());
}
END_TEST

START_TEST(every_way_to_allocate_can_fail)
{
    char *kept = memory_copy_text("kept");
    memory_fail_at(1);
    ck_assert_ptr_null(memory_copy_text("x"));
    memory_fail_at(1);
    ck_assert_ptr_null(memory_map_pages(4096));
    memory_fail_at(1);
    ck_assert_ptr_null(memory_resize(kept, 100, 1));
    ck_assert_str_eq(kept, "kept");
    memory_fail_at(1);
    memory_fail_at(0);
    kept = memory_resize(kept, 100, 1);
    ck_assert_str_eq(kept, "kept");
    memory_free(kept);
}
END_TEST

#define THREADS 4
#define BLOCKS_EACH 20000

static atomic_int failures;

static void *allocate_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < BLOCKS_EACH; i++) {
        void *block = memory_alloc(1, 16);
        if (!block)
            atomic_fetch_add(&failures, 1);
        memory_free(block);
    }
    return NULL;
}

START_TEST(one_thread_of_several_meets_the_failure)
{
    pthread_t threads[THREADS];
    long before = memory_live();
    atomic_store(&failures, 0);
    memory_fail_at(THREADS * BLOCKS_EACH / 2);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, allocate_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&failures), 1);
    ck_assert(memory_failed());
    ck_assert_int_eq(memory_live(), before);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_product_over_the_address_space_is_no_memory),
    TEST(no_bytes_are_still_a_block),
    TEST(zeroed_memory_is_zero),
    TEST(text_is_copied_with_its_end),
    TEST(live_blocks_are_counted),
    TEST(exactly_the_nth_allocation_fails_and_once),
    TEST(every_way_to_allocate_can_fail),
    TEST(one_thread_of_several_meets_the_failure),
};
TEST_MAIN("base/memory", cases)
