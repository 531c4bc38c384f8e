/* test_sse.c - events as the standard has them. */
#include "tests/helpers.h"

#include "server/protocol/sse.h"

static void assert_event(const char *data, size_t len, const char *expected)
{
    struct bytes out;
    bytes_init(&out, 1000);
    ck_assert(sse_event(&out, "token", data, len));
    ck_assert_str_eq(out.data, expected);
    bytes_release(&out);
}

START_TEST(an_event_has_a_name_and_data)
{
    assert_event("{}", 2, "event: token\ndata: {}\n\n");
    assert_event("", 0, "event: token\ndata: \n\n");
}
END_TEST

START_TEST(each_line_of_data_is_one)
{
    assert_event("a\nb\r\nc\rd", 8, "event: token\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
    assert_event("\n\r\n", 3, "event: token\ndata: \ndata: \ndata: \n\n");
}
END_TEST

START_TEST(what_does_not_fit_is_not_begun)
{
    struct bytes out;
    bytes_init(&out, 40);
    ck_assert(sse_event(&out, "a", "b", 1));
    ck_assert(!sse_event(&out, "a", "0123456789", 10));
    ck_assert_str_eq(out.data, "event: a\ndata: b\n\n");
    ck_assert_uint_eq(out.len, 18);
    bytes_release(&out);
}
END_TEST

static const struct test_case cases[] = {
    TEST(an_event_has_a_name_and_data),
    TEST(each_line_of_data_is_one),
    TEST(what_does_not_fit_is_not_begun),
};
TEST_MAIN("server/protocol/sse", cases)
