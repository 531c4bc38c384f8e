/*
 * test_json.c - what is refused and where, and that written JSON reads back the same.
 */
#include "tests/helpers.h"

#include "base/json.h"

static enum status parse(const char *text, json_t **root, struct error *err)
{
    return json_parse(root, text, strlen(text), err);
}

static const char *const good[] = {
    "{}",
    "[]",
    "null",
    "true",
    " 1 ",
    "\"x\"",
    "-0.5",
    "{\"b\":1,\"a\":[2,{}]}",
    "\"\\u00e9\xC3\xA9\"",
};

START_TEST(exactly_one_value_is_read)
{
    struct error err;
    json_t *root;
    assert_ok(parse(good[_i], &root, &err), err);
    ck_assert_ptr_nonnull(root);
    json_decref(root);
}
END_TEST

static const char *const bad[] = {
    "",
    " ",
    "{",
    "[1,2",
    "[1,]",
    "{} {}",
    "1 2",
    "[] x",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "\"\\u0000\"",
    "\"\x80\"",
    "\"\xC0\xAF\"",
    "\"\xED\xA0\x80\"",
    "\"\\ud800\"",
    "\"a\nb\"",
    "\"open",
    "\"open\\",
    "01",
    "+1",
    "NaN",
    "1e999",
    "99999999999999999999",
    "'x'",
    "{a:1}",
    "nul",
    "]",
    "\xEF\xBB\xBF{}",
};

START_TEST(anything_else_is_bad_input)
{
    struct error err = { 0 };
    json_t *root = (json_t *)&err;
    assert_status(parse(bad[_i], &root, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_null(root);
    ck_assert_ptr_eq(strstr(err.text, "JSON line 1 column "), err.text);
}
END_TEST

START_TEST(a_nul_byte_ends_nothing)
{
    struct error err;
    json_t *root;
    assert_status(json_parse(&root, "{}\0", 3, &err), STATUS_BAD_INPUT);
    assert_status(json_parse(&root, "\"a\0b\"", 5, &err), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(bytes_behind_the_length_are_not_read)
{
    struct error err;
    json_t *root;
    char *exact = memory_alloc(2, 1);
    memcpy(exact, "[]", 2);
    assert_ok(json_parse(&root, exact, 2, &err), err);
    json_decref(root);
    memcpy(exact, "\"\\", 2);
    assert_status(json_parse(&root, exact, 2, &err), STATUS_BAD_INPUT);
    memory_free(exact);
}
END_TEST

START_TEST(a_failure_names_line_column_and_reason)
{
    struct error err;
    json_t *root;
    assert_status(parse("{\n  \"a\": 1,\n  \"a\": 2\n}", &root, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_eq(strstr(err.text, "JSON line 3 column "), err.text);
    ck_assert_ptr_nonnull(strstr(err.text, "duplicate object key"));
}
END_TEST

static size_t nest(char *text, int depth, char opens, char closes)
{
    memset(text, opens, (size_t)depth);
    memset(text + depth, closes, (size_t)depth);
    return 2 * (size_t)depth;
}

START_TEST(nesting_is_allowed_up_to_the_limit)
{
    struct error err;
    json_t *root;
    char text[4 * JSON_DEPTH_MAX];
    assert_ok(json_parse(&root, text, nest(text, JSON_DEPTH_MAX, '[', ']'), &err), err);
    json_decref(root);
    assert_status(json_parse(&root, text, nest(text, JSON_DEPTH_MAX + 1, '[', ']'), &err),
                  STATUS_BAD_INPUT);
    ck_assert_str_eq(err.text, "JSON line 1 column 65: nested deeper than 64 levels");
}
END_TEST

START_TEST(brackets_in_strings_are_no_nesting)
{
    struct error err;
    json_t *root;
    char text[1000] = "[\"\\\"";
    size_t len = strlen(text);
    memset(text + len, '[', 500);
    strcpy(text + len + 500, "\\\\\",[]]");
    assert_ok(parse(text, &root, &err), err);
    json_decref(root);
}
END_TEST

START_TEST(a_million_brackets_cost_no_stack)
{
    struct error err;
    json_t *root;
    char *text = memory_alloc(1000000, 1);
    memset(text, _i ? '[' : '{', 1000000);
    assert_status(json_parse(&root, text, 1000000, &err), STATUS_BAD_INPUT);
    memory_free(text);
}
END_TEST

START_TEST(written_json_is_compact_and_in_order)
{
    static const char text[] =
        "{\"z\":1,\"a\":[true,null,-2.5,\"\xC3\xA9\\n\\\"\"],\"m\":{\"y\":0.1,\"x\":1e300}}";
    struct bytes out;
    struct error err;
    json_t *root;
    bytes_init(&out, 1000);
    assert_ok(parse(text, &root, &err), err);
    ck_assert(bytes_append_text(&out, "data: "));
    ck_assert(json_write(&out, root));
    ck_assert_str_eq(out.data + 6, text);
    json_decref(root);
    bytes_release(&out);
}
END_TEST

START_TEST(a_value_alone_is_written)
{
    struct bytes out;
    bytes_init(&out, 100);
    json_t *text = json_string("x");
    ck_assert(json_write(&out, text));
    ck_assert_str_eq(out.data, "\"x\"");
    json_decref(text);
    bytes_release(&out);
}
END_TEST

START_TEST(writing_over_the_maximum_changes_nothing)
{
    struct bytes out;
    struct error err;
    json_t *root;
    bytes_init(&out, 10);
    assert_ok(parse("[1,2,3,4,5,6]", &root, &err), err);
    ck_assert(bytes_append_text(&out, "old"));
    ck_assert(!json_write(&out, root));
    ck_assert_str_eq(out.data, "old");
    ck_assert_uint_eq(out.len, 3);
    assert_status(bytes_check(&out, "the reply", &err), STATUS_TOO_LARGE);
    json_decref(root);
    bytes_release(&out);
}
END_TEST

/* Wherever it is full, in a key or in what is behind it. */
START_TEST(what_does_not_fit_is_not_written_in_part)
{
    static const char text[] =
        "{\"a long key\":{\"\xC3\xA9\":1,\"another key\":[\"b\\n\",2]},\"c\":null}";
    struct bytes out;
    struct error err;
    json_t *root;
    assert_ok(parse(text, &root, &err), err);
    for (size_t max = 0; max <= strlen(text); max++) {
        bytes_init(&out, max);
        ck_assert_int_eq(json_write(&out, root), max == strlen(text));
        ck_assert_uint_eq(out.len, max == strlen(text) ? max : 0);
        bytes_release(&out);
    }
    json_decref(root);
}
END_TEST

START_TEST(no_memory_to_write_changes_nothing)
{
    struct bytes out;
    struct error err;
    json_t *root;
    bytes_init(&out, 100);
    assert_ok(parse("[1]", &root, &err), err);
    memory_fail_at(1);
    ck_assert(!json_write(&out, root));
    memory_fail_at(0);
    assert_status(bytes_check(&out, "the reply", &err), STATUS_NO_MEMORY);
    json_decref(root);
    bytes_release(&out);
}
END_TEST

static const struct {
    double value;
    int digits;
    const char *text;
} rounded[] = {
    { (double)0.1f, 6, "0.1" },
    { 1.0 / 3, 4, "0.3333" },
    { 2.0 / 3, 15, "0.666666666666667" },
    { 123456.0, 3, "123000.0" },
    { -0.00012345, 2, "-0.00012" },
    { 1.0, 6, "1.0" },
    { 0.0, 3, "0.0" },
    { 0.0 / 0.0, 3, "null" },
    { 1.0 / 0.0, 3, "null" },
};

START_TEST(a_rounded_real_is_written_short)
{
    struct bytes out;
    bytes_init(&out, 100);
    json_t *real = json_rounded(rounded[_i].value, rounded[_i].digits);
    ck_assert(json_write(&out, real));
    ck_assert_str_eq(out.data, rounded[_i].text);
    json_decref(real);
    bytes_release(&out);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(exactly_one_value_is_read, sizeof good / sizeof good[0]),
    TEST_LOOP(anything_else_is_bad_input, sizeof bad / sizeof bad[0]),
    TEST(a_nul_byte_ends_nothing),
    TEST(bytes_behind_the_length_are_not_read),
    TEST(a_failure_names_line_column_and_reason),
    TEST(nesting_is_allowed_up_to_the_limit),
    TEST(brackets_in_strings_are_no_nesting),
    TEST_LOOP(a_million_brackets_cost_no_stack, 2),
    TEST(written_json_is_compact_and_in_order),
    TEST(a_value_alone_is_written),
    TEST(writing_over_the_maximum_changes_nothing),
    TEST(what_does_not_fit_is_not_written_in_part),
    TEST(no_memory_to_write_changes_nothing),
    TEST_LOOP(a_rounded_real_is_written_short, sizeof rounded / sizeof rounded[0]),
};
TEST_MAIN("base/json", cases)
