/* test_choose.c - the first line chooses the protocol. */
#include "server/protocol/choose.h"
#include "tests/helpers.h"
#include "tests/server/protocol/guard.h"

static enum choice choose(const char *text, bool all, const struct protocol **protocol)
{
    struct guard guard;
    size_t len = strlen(text);
    *protocol = NULL;
    guard_init(&guard, 16384);
    enum choice choice = protocol_choose(guard_copy(&guard, text, len), len, all, protocol);
    guard_release(&guard);
    return choice;
}

static void assert_chosen(const char *text, const struct protocol *expected)
{
    const struct protocol *protocol;
    ck_assert_msg(choose(text, false, &protocol) == CHOICE_MADE, "%s: not chosen", text);
    ck_assert_msg(protocol == expected, "%s: %s", text, protocol->name);
}

START_TEST(a_request_line_is_http)
{
    assert_chosen("GET / HTTP/1.1\r\n", &protocol_http);
    assert_chosen("POST /translate HTTP/1.0\r\nHost: a", &protocol_http);
    assert_chosen("M-SEARCH * HTTP/1.1\r\n", &protocol_http);
    assert_chosen("GET / HTTP/1.1\n", &protocol_http);
    assert_chosen("GET /a b HTTP/1.1\r\n", &protocol_http);
}
END_TEST

START_TEST(other_versions_are_http_too)
{
    assert_chosen("PRI * HTTP/2.0\r\n", &protocol_http);
    assert_chosen("GET / HTTP/3.0\r\n", &protocol_http);
}
END_TEST

START_TEST(anything_else_is_lines)
{
    assert_chosen("GET the book\n", &protocol_line);
    assert_chosen("GET / \n", &protocol_line);
    assert_chosen("get / HTTP/1.1\r\n", &protocol_line);
    assert_chosen("/ HTTP/1.1\r\n", &protocol_line);
    assert_chosen("GET HTTP/1.1\r\n", &protocol_line);
    assert_chosen("GET  HTTP/1.1\r\n", &protocol_line);
    assert_chosen("GET / HTTP/1.1 is what it says\n", &protocol_line);
    assert_chosen("GET / HTTP/11\n", &protocol_line);
    assert_chosen("\n", &protocol_line);
    assert_chosen("\r\n", &protocol_line);
    assert_chosen("HTTP/1.1\n", &protocol_line);
    assert_chosen("A\n", &protocol_line);
}
END_TEST

START_TEST(it_waits_for_the_end_of_the_line)
{
    const char *line = "GET / HTTP/1.1\r\n";
    const struct protocol *protocol;
    for (size_t len = 0; len < strlen(line); len++) {
        ck_assert_int_eq(protocol_choose(line, len, false, &protocol), CHOICE_MORE);
    }
    ck_assert_int_eq(choose(line, false, &protocol), CHOICE_MADE);
}
END_TEST

START_TEST(when_no_more_will_come_it_is_a_line)
{
    const struct protocol *protocol;
    ck_assert_int_eq(choose("GET / HTTP/1.1", true, &protocol), CHOICE_MADE);
    ck_assert_ptr_eq(protocol, &protocol_line);
    ck_assert_int_eq(choose("Hello", true, &protocol), CHOICE_MADE);
    ck_assert_ptr_eq(protocol, &protocol_line);
}
END_TEST

START_TEST(a_long_first_line_is_judged_by_its_start)
{
    static char text[FIRST_LINE_BYTES_MAX + 1];
    const struct protocol *protocol;
    memset(text, 'a', FIRST_LINE_BYTES_MAX);
    ck_assert_int_eq(choose(text, false, &protocol), CHOICE_MADE);
    ck_assert_ptr_eq(protocol, &protocol_line);
    memcpy(text, "GET /", 5);
    ck_assert_int_eq(choose(text, false, &protocol), CHOICE_MADE);
    ck_assert_ptr_eq(protocol, &protocol_http);
}
END_TEST

START_TEST(a_tls_hello_is_refused)
{
    const struct protocol *protocol;
    ck_assert_int_eq(choose("\x16\x03\x01", false, &protocol), CHOICE_REFUSE);
    ck_assert_int_eq(choose("\x16", false, &protocol), CHOICE_MORE);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_request_line_is_http),
    TEST(other_versions_are_http_too),
    TEST(anything_else_is_lines),
    TEST(it_waits_for_the_end_of_the_line),
    TEST(when_no_more_will_come_it_is_a_line),
    TEST(a_long_first_line_is_judged_by_its_start),
    TEST(a_tls_hello_is_refused),
};
TEST_MAIN("server/protocol/choose", cases)
