/* test_rates.c - buckets of tokens. */
#include "server/http/rates.h"

#include "tests/helpers.h"

static int wait_s;

static int taken(struct rates *rates, const char *who, int per_minute, int64_t now_ms)
{
    int count = 0;
    while (rates_take(rates, who, per_minute, now_ms, &wait_s))
        count++;
    return count;
}

START_TEST(so_many_are_taken_at_once_and_no_more)
{
    struct rates *rates = rates_new(8);
    ck_assert_int_eq(taken(rates, "a", 60, 1000), 60);
    ck_assert_int_eq(wait_s, 1);
    ck_assert_int_eq(taken(rates, "b", 2, 1000), 2);
    ck_assert_int_eq(wait_s, 30);
    rates_free(rates);
}
END_TEST

START_TEST(a_bucket_fills_up_evenly)
{
    struct rates *rates = rates_new(8);
    ck_assert_int_eq(taken(rates, "a", 60, 0), 60);
    ck_assert_int_eq(taken(rates, "a", 60, 999), 0);
    ck_assert_int_eq(taken(rates, "a", 60, 1000), 1);
    ck_assert_int_eq(taken(rates, "a", 60, 11000), 10);
    ck_assert_int_eq(taken(rates, "a", 60, 10000000), 60); // never above its size
    rates_free(rates);
}
END_TEST

START_TEST(waiting_as_long_as_was_said_is_enough)
{
    struct rates *rates = rates_new(8);
    int64_t now = 0;
    for (int per_minute = 1; per_minute < 2000; per_minute = per_minute * 3 + 1) {
        char who[16];
        snprintf(who, sizeof who, "%d", per_minute);
        ck_assert_int_eq(taken(rates, who, per_minute, now), per_minute);
        now += (int64_t)wait_s * 1000;
        ck_assert(rates_take(rates, who, per_minute, now, &wait_s));
    }
    rates_free(rates);
}
END_TEST

START_TEST(many_names_take_no_more_memory_and_forgive)
{
    struct rates *rates = rates_new(64);
    const long before = memory_live();
    ck_assert_int_eq(taken(rates, "first", 5, 0), 5);
    for (int i = 1; i < 100000; i++) {
        char who[32];
        snprintf(who, sizeof who, "2001:db8:%x::/64", (unsigned)i);
        ck_assert(rates_take(rates, who, 5, i, &wait_s));
    }
    ck_assert_int_eq(memory_live(), before);
    ck_assert_int_eq(taken(rates, "first", 5, 100000), 5); // long forgotten
    rates_free(rates);
}
END_TEST

START_TEST(who_asks_all_the_time_is_not_forgotten_for_others)
{
    struct rates *rates = rates_new(8); // all are neighbours
    ck_assert_int_eq(taken(rates, "busy", 1, 0), 1);
    for (int i = 1; i < 1000; i++) {
        char who[16];
        snprintf(who, sizeof who, "%d", i);
        ck_assert(rates_take(rates, who, 1, i, &wait_s));
        ck_assert(!rates_take(rates, "busy", 1, i, &wait_s));
    }
    rates_free(rates);
}
END_TEST

static const struct test_case cases[] = {
    TEST(so_many_are_taken_at_once_and_no_more),
    TEST(a_bucket_fills_up_evenly),
    TEST(waiting_as_long_as_was_said_is_enough),
    TEST(many_names_take_no_more_memory_and_forgive),
    TEST(who_asks_all_the_time_is_not_forgotten_for_others),
};
TEST_MAIN("server/http/rates", cases)
