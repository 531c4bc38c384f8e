/*
 * test_status.c - errors are whole sentences, cut at characters, with their context in front.
 */
#include "tests/helpers.h"

#include "base/status.h"

START_TEST(every_status_has_a_name)
{
    ck_assert_str_eq(status_name(STATUS_OK), "OK");
    ck_assert_str_eq(status_name(STATUS_NO_MEMORY), "NO_MEMORY");
    ck_assert_str_eq(status_name(STATUS_DIVERGED), "DIVERGED");
    ck_assert_str_eq(status_name((enum status)99), "UNKNOWN");
}
END_TEST

START_TEST(setting_returns_the_status_and_fills_the_sentence)
{
    struct error err;
    assert_status(error_set(&err, STATUS_BAD_FILE, "%s: version %u", "a.model", 3u),
                  STATUS_BAD_FILE);
    ck_assert_int_eq(err.status, STATUS_BAD_FILE);
    ck_assert_str_eq(err.text, "a.model: version 3");
}
END_TEST

START_TEST(nobody_has_to_read_the_text)
{
    assert_status(error_set(NULL, STATUS_BUSY, "%d", 1), STATUS_BUSY);
}
END_TEST

START_TEST(context_goes_in_front_with_one_colon)
{
    struct error err;
    error_set(&err, STATUS_BAD_FILE, "checksum does not match");
    assert_status(error_while(&err, "loading %s", "en-de.model"), STATUS_BAD_FILE);
    ck_assert_str_eq(err.text, "loading en-de.model: checksum does not match");
    error_while(&err, "config: ");
    ck_assert_str_eq(err.text, "config: loading en-de.model: checksum does not match");
}
END_TEST

START_TEST(a_text_may_quote_the_error_it_replaces)
{
    struct error err;
    error_set(&err, STATUS_IO, "disk full");
    error_set(&err, STATUS_BUSY, "%s, and %s", err.text, err.text);
    ck_assert_str_eq(err.text, "disk full, and disk full");
}
END_TEST

START_TEST(a_text_that_fits_exactly_is_not_cut)
{
    struct error err;
    char text[sizeof err.text];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, STATUS_IO, "%s", text);
    ck_assert_str_eq(err.text, text);
}
END_TEST

/* 2-, 3- and 4-byte characters, shifted by up to 3 bytes: the cut meets each of them everywhere. */
START_TEST(a_long_text_is_cut_between_characters)
{
    static const char *const characters[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
    const char *character = characters[_i / 4];
    struct error err;
    char text[1024] = "xxx";
    text[_i % 4 == 3 ? 3 : _i % 4] = '\0';
    size_t shift = strlen(text), bytes = strlen(character);
    while (strlen(text) + bytes < sizeof text)
        strcat(text, character);

    error_set(&err, STATUS_IO, "%s", text);

    size_t len = strlen(err.text);
    ck_assert_uint_lt(len, sizeof err.text);
    ck_assert_uint_gt(len, sizeof err.text - 1 - bytes);
    ck_assert_str_eq(err.text + len - 3, "...");
    ck_assert_uint_eq((len - 3 - shift) % bytes, 0);
    ck_assert_int_eq(strncmp(err.text, text, len - 3), 0);
}
END_TEST

START_TEST(a_long_context_is_cut_too)
{
    struct error err;
    error_set(&err, STATUS_IO, "disk full");
    error_while(&err, "%0600d", 7);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    ck_assert_str_eq(err.text + sizeof err.text - 4, "...");
    ck_assert_int_eq(err.status, STATUS_IO);
}
END_TEST

static const struct test_case cases[] = {
    TEST(every_status_has_a_name),
    TEST(setting_returns_the_status_and_fills_the_sentence),
    TEST(nobody_has_to_read_the_text),
    TEST(context_goes_in_front_with_one_colon),
    TEST(a_text_may_quote_the_error_it_replaces),
    TEST(a_text_that_fits_exactly_is_not_cut),
    TEST_LOOP(a_long_text_is_cut_between_characters, 12),
    TEST(a_long_context_is_cut_too),
};
TEST_MAIN("base/status", cases)
