/*
 * test_stopwatch.c - every moment belongs to one part.
 */
#include "tests/helpers.h"

#include "base/clock.h"
#include "base/stopwatch.h"

static void wait_ms(int64_t ms)
{
    const int64_t until = clock_now_ns() + ms * 1000000;
    while (clock_now_ns() < until)
        ;
}

/* What the clock says from before the start to after the stop is never less than the parts' sum,
 * and no part has less than what was waited in it. */
START_TEST(parts_add_up_to_the_whole)
{
    struct stopwatch watch = { 0 };
    const int64_t from = clock_now_ns();
    stopwatch_start(&watch);
    const int outer = stopwatch_enter(3);
    wait_ms(2);
    const int inner = stopwatch_enter(5);
    wait_ms(3);
    ck_assert_int_eq(stopwatch_enter(inner), 5);
    ck_assert_int_eq(inner, 3);
    ck_assert_int_eq(stopwatch_enter(outer), 3);
    ck_assert_int_eq(outer, 0);
    stopwatch_stop();
    const int64_t whole = clock_now_ns() - from;
    int64_t sum = 0;
    for (int i = 0; i < STOPWATCH_PARTS; i++)
        sum += watch.ns[i];
    ck_assert_int_ge(whole, sum);
    ck_assert_int_ge(watch.ns[3], 2000000);
    ck_assert_int_ge(watch.ns[5], 3000000);
    ck_assert_int_ge(sum, 5000000);
    for (int i = 0; i < STOPWATCH_PARTS; i++)
        ck_assert(i == 0 || i == 3 || i == 5 || watch.ns[i] == 0);
}
END_TEST

START_TEST(starts_add_up)
{
    struct stopwatch watch = { 0 };
    for (int i = 0; i < 2; i++) {
        stopwatch_start(&watch);
        stopwatch_enter(1);
        wait_ms(1);
        stopwatch_stop();
    }
    ck_assert_int_ge(watch.ns[1], 2000000);
}
END_TEST

START_TEST(without_a_stopwatch_nothing_is_counted)
{
    struct stopwatch watch = { 0 };
    stopwatch_start(&watch);
    stopwatch_stop();
    const int64_t before = watch.ns[0];
    stopwatch_enter(2);
    wait_ms(1);
    stopwatch_stop();
    ck_assert_int_eq(watch.ns[0], before);
    ck_assert_int_eq(watch.ns[2], 0);
}
END_TEST

static const struct test_case cases[] = {
    TEST(parts_add_up_to_the_whole),
    TEST(starts_add_up),
    TEST(without_a_stopwatch_nothing_is_counted),
};
TEST_MAIN("base/stopwatch", cases)
