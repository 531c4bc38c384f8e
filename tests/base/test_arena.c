/*
 * test_arena.c - alignment, the cap, marks, measuring, and both kinds of block.
 */
#include "tests/helpers.h"

#include <stdint.h>

#include "base/arena.h"

#define ALIGNMENT 64
#define MAPPED ((size_t)1 << 20) // arenas from this size on are mapped pages

static struct arena arena_of(size_t bytes)
{
    struct arena arena;
    ck_assert(arena_init(&arena, bytes));
    return arena;
}

/* _i = 0: from the heap; 1: mapped. */
START_TEST(everything_is_aligned_and_apart)
{
    struct arena arena = arena_of(_i ? MAPPED : 10000);
    char *before = NULL;
    for (size_t bytes = 0; bytes < 70; bytes++) {
        char *block = arena_alloc(&arena, bytes);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % ALIGNMENT, 0);
        if (before)
            ck_assert_uint_ge((size_t)(block - before), bytes ? bytes - 1 : 1);
        memset(block, 'x', bytes);
        before = block;
    }
    arena_release(&arena);
}
END_TEST

START_TEST(the_size_is_a_hard_cap)
{
    struct arena arena = arena_of(_i ? MAPPED : 100);
    size_t used;
    ck_assert_ptr_null(arena_alloc(&arena, arena.size + 1));
    ck_assert_uint_eq(arena.used, 0);
    char *all = arena_alloc(&arena, arena.size);
    ck_assert_ptr_nonnull(all);
    memset(all, 'x', arena.size);
    used = arena.used;
    ck_assert_ptr_null(arena_alloc(&arena, 1));
    ck_assert_ptr_null(arena_alloc(&arena, 0));
    ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
    ck_assert_uint_eq(arena.used, used);
    arena_release(&arena);
}
END_TEST

START_TEST(a_product_that_overflows_is_full)
{
    struct arena arena = arena_of(1000);
    ck_assert_ptr_null(arena_array(&arena, double, SIZE_MAX / 4));
    ck_assert_ptr_null(arena_array(&arena, double, -1));
    ck_assert_ptr_null(arena_copy(&arena, "x", SIZE_MAX));
    ck_assert_uint_eq(arena.used, 0);
    double *row = arena_array(&arena, double, 10);
    row[9] = 1.0;
    arena_release(&arena);
}
END_TEST

START_TEST(a_copy_has_its_own_bytes_and_a_nul)
{
    struct arena arena = arena_of(1000);
    char text[] = "a\0bc";
    char *copy = arena_copy(&arena, text, 4);
    text[0] = 'x';
    ck_assert_mem_eq(copy, "a\0bc", 5);
    ck_assert_str_eq(arena_copy(&arena, NULL, 0), "");
    arena_release(&arena);
}
END_TEST

START_TEST(rewinding_gives_the_same_place_again)
{
    struct arena arena = arena_of(_i ? MAPPED : 1000);
    char *kept = arena_copy(&arena, "kept", 4);
    struct arena_mark mark = arena_mark(&arena);
    char *first = arena_alloc(&arena, 300);
    memset(first, 'x', 300);
    size_t peak = arena.used;
    arena_rewind(&arena, mark);
    ck_assert_ptr_eq(arena_alloc(&arena, 200), first);
    ck_assert_uint_eq(arena.peak, peak);
    ck_assert_str_eq(kept, "kept");
    arena_reset(&arena);
    ck_assert_ptr_eq(arena_alloc(&arena, 1), kept);
    arena_release(&arena);
}
END_TEST

static size_t lay_out(struct arena *arena, char **last)
{
    arena_array(arena, float, 33);
    arena_copy(arena, "text", 4);
    arena_alloc(arena, 0);
    *last = arena_array(arena, char, ALIGNMENT); // whole, so that each byte of it counts
    return arena->used;
}

START_TEST(what_was_measured_is_what_fits)
{
    char *last;
    struct arena measure = arena_measure();
    size_t bytes = lay_out(&measure, &last);
    ck_assert_ptr_null(last);

    struct arena exact = arena_of(bytes);
    ck_assert_uint_eq(lay_out(&exact, &last), bytes);
    ck_assert_ptr_nonnull(last);
    arena_release(&exact);

    struct arena less = arena_of(bytes - 1);
    lay_out(&less, &last);
    ck_assert_ptr_null(last);
    arena_release(&less);
}
END_TEST

START_TEST(a_measure_that_overflows_cannot_be_had)
{
    struct arena arena, measure = arena_measure();
    arena_array(&measure, double, SIZE_MAX / 4);
    arena_alloc(&measure, 100);
    ck_assert_uint_eq(measure.used, SIZE_MAX);
    ck_assert(!arena_init(&arena, measure.used));
    arena_release(&arena);
}
END_TEST

START_TEST(an_empty_arena_is_full_and_may_be_released)
{
    struct arena arena = { 0 };
    ck_assert_ptr_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    arena_release(&arena);
    arena = arena_of(100);
    arena_release(&arena);
    arena_release(&arena);
    ck_assert_ptr_null(arena_alloc(&arena, 1));
}
END_TEST

START_TEST(no_memory_leaves_an_arena_that_may_be_released)
{
    struct arena arena;
    long before = memory_live();
    memory_fail_at(1);
    ck_assert(!arena_init(&arena, _i ? MAPPED : 100));
    ck_assert(memory_failed());
    memory_fail_at(0);
    arena_release(&arena);
    ck_assert_int_eq(memory_live(), before);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif

#ifdef POISONING
#include <sanitizer/asan_interface.h>

START_TEST(sizes_measured_apart_add_up)
{
    static const size_t sizes[] = { 1, 63, 64, 65, 32, 256, 0 };
    struct arena arena;
    size_t sum = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct arena measure = arena_measure();
        (void)arena_alloc(&measure, sizes[i]);
        sum += measure.used;
    }
    ck_assert(arena_init(&arena, sum));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        ck_assert_ptr_nonnull(arena_alloc(&arena, sizes[i]));
    arena_release(&arena);
}
END_TEST

START_TEST(unused_memory_is_poisoned)
{
    struct arena arena = arena_of(_i ? MAPPED : 1000);
    char *block = arena_alloc(&arena, 10);
    struct arena_mark mark = arena_mark(&arena);
    char *rewound = arena_alloc(&arena, 10);
    ck_assert(!__asan_address_is_poisoned(block + 9));
    ck_assert(__asan_address_is_poisoned(block + 10));
    ck_assert(!__asan_address_is_poisoned(rewound));
    arena_rewind(&arena, mark);
    ck_assert(__asan_address_is_poisoned(rewound));
    ck_assert(!__asan_address_is_poisoned(block + 9));
    arena_release(&arena);
}
END_TEST
#endif

/* What pages it gets is the system's; it is an arena as any other. */
START_TEST(huge_pages_change_nothing_but_speed)
{
    struct arena arena;
    const size_t sizes[] = { 100, (size_t)5 << 20 };
    for (size_t i = 0; i < 2; i++) {
        ck_assert(arena_init_huge(&arena, sizes[i]));
        char *all = arena_alloc(&arena, sizes[i] / 64 * 64);
        ck_assert_ptr_nonnull(all);
        memset(all, 1, sizes[i] / 64 * 64);
        arena_release(&arena);
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(everything_is_aligned_and_apart, 2),
    TEST_LOOP(the_size_is_a_hard_cap, 2),
    TEST(a_product_that_overflows_is_full),
    TEST(a_copy_has_its_own_bytes_and_a_nul),
    TEST_LOOP(rewinding_gives_the_same_place_again, 2),
    TEST(what_was_measured_is_what_fits),
    TEST(a_measure_that_overflows_cannot_be_had),
    TEST(an_empty_arena_is_full_and_may_be_released),
    TEST_LOOP(no_memory_leaves_an_arena_that_may_be_released, 2),
#ifdef POISONING
    TEST(sizes_measured_apart_add_up),
    TEST_LOOP(unused_memory_is_poisoned, 2),
#endif
    TEST(huge_pages_change_nothing_but_speed),
};
TEST_MAIN("base/arena", cases)
