/*
 * test_clock.c - dates as text at the edges of calendars, and clocks that move forward.
 */
#include "tests/helpers.h"

#include <time.h>

#include "base/clock.h"

static const struct {
    int64_t wall_ms;
    const char *text;
} dates[] = {
    { 0, "1970-01-01T00:00:00.000Z" },
    { 1, "1970-01-01T00:00:00.001Z" },
    { -1, "1969-12-31T23:59:59.999Z" },
    { -1000, "1969-12-31T23:59:59.000Z" },
    { 951782399999, "2000-02-28T23:59:59.999Z" },
    { 951782400000, "2000-02-29T00:00:00.000Z" },
    { 1709251199123, "2024-02-29T23:59:59.123Z" },
    { 4107542400000, "2100-03-01T00:00:00.000Z" },
    { 253402300799999, "9999-12-31T23:59:59.999Z" },
    { 253402300800000, "9999-12-31T23:59:59.999Z" },
    { INT64_MAX, "9999-12-31T23:59:59.999Z" },
    { -62167219200000, "0000-01-01T00:00:00.000Z" },
    { INT64_MIN, "0000-01-01T00:00:00.000Z" },
};

START_TEST(a_date_is_written_in_utc)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(dates[_i].wall_ms, text);
    ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

START_TEST(the_monotonic_clock_does_not_go_back)
{
    int64_t before = clock_now_ns();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_now_ns();
        ck_assert(now >= before);
        before = now;
    }
    const int64_t now_ms = clock_now_ms();
    ck_assert_int_ge(now_ms, before / 1000000);
    ck_assert_int_le(now_ms, clock_now_ns() / 1000000);
}
END_TEST

START_TEST(the_wall_clock_is_the_systems)
{
    const int64_t before = (int64_t)time(NULL), now_ms = clock_wall_ms();
    ck_assert_int_ge(now_ms / 1000, before);
    ck_assert_int_le(now_ms / 1000, (int64_t)time(NULL) + 1); // time() may be a tick behind
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(a_date_is_written_in_utc, sizeof dates / sizeof dates[0]),
    TEST(the_monotonic_clock_does_not_go_back),
    TEST(the_wall_clock_is_the_systems),
};
TEST_MAIN("base/clock", cases)
