/*
 * test_utf8.c - strict UTF-8: every way of being wrong is named with its place.
 */
#include "tests/helpers.h"

#include "tokenizer/utf8.h"

static struct error err;

static const struct {
    const char *text;
    size_t len;
    const char *wanted; // start of the error's text; NULL: valid
} checks[] = {
    { "", 0, NULL },
    { "a\0b", 3, NULL },
    { "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF", 11, NULL },
    { "\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 14, NULL },
    { "\x80", 1, "invalid UTF-8 at byte 0: a continuation byte" },
    { "abcdefghij\xBFk", 12, "invalid UTF-8 at byte 10: a continuation byte" },
    { "a\xC0\x80", 3, "invalid UTF-8 at byte 1: an overlong form" },
    { "a\xC1\xBF", 3, "invalid UTF-8 at byte 1: an overlong form" },
    { "\xE0\x9F\xBF", 3, "invalid UTF-8 at byte 0: an overlong form" },
    { "\xF0\x8F\xBF\xBF", 4, "invalid UTF-8 at byte 0: an overlong form" },
    { "ab\xED\xA0\x80", 5, "invalid UTF-8 at byte 2: a surrogate" },
    { "\xED\xBF\xBF", 3, "invalid UTF-8 at byte 0: a surrogate" },
    { "\xF4\x90\x80\x80", 4, "invalid UTF-8 at byte 0: a code point above U+10FFFF" },
    { "\xF5\x80\x80\x80", 4, "invalid UTF-8 at byte 0: a byte that no character has" },
    { "\xFF", 1, "invalid UTF-8 at byte 0: a byte that no character has" },
    { "x\xC3", 2, "invalid UTF-8 at byte 1: the text ends within" },
    { "x\xE2\x82", 3, "invalid UTF-8 at byte 1: the text ends within" },
    { "x\xF0\x9F\x98", 4, "invalid UTF-8 at byte 1: the text ends within" },
    { "x\xE2\x82y", 4, "invalid UTF-8 at byte 1: a character is cut short" },
    { "x\xC3y", 3, "invalid UTF-8 at byte 1: a character is cut short" },
    { "x\xF0\x9F\x98y", 5, "invalid UTF-8 at byte 1: a character is cut short" },
};

START_TEST(errors_name_the_byte_and_the_reason)
{
    const char *wanted = checks[_i].wanted;
    enum status status = utf8_check(checks[_i].text, checks[_i].len, &err);
    ck_assert_int_eq(status, wanted ? STATUS_BAD_INPUT : STATUS_OK);
    if (wanted)
        ck_assert_msg(!strncmp(err.text, wanted, strlen(wanted)), "%s", err.text);
}
END_TEST

static bool comes_back(int32_t c)
{
    char text[4];
    int bytes, length = utf8_put(c, text);
    enum status status = utf8_check(text, (size_t)length, NULL);
    if (c >= 0xD800 && c <= 0xDFFF)
        return status == STATUS_BAD_INPUT;
    for (size_t cut = 1; cut < (size_t)length; cut++)
        if (utf8_check(text, cut, NULL) != STATUS_BAD_INPUT)
            return false;
    return status == STATUS_OK && utf8_next(text, (size_t)length, &bytes) == c && bytes == length;
}

START_TEST(every_code_point_is_written_and_read_back)
{
    for (int32_t c = 0; c <= 0x10FFFF; c++)
        if (!comes_back(c)) // an assertion each would take minutes
            ck_abort_msg("U+%04X", (unsigned)c);
}
END_TEST

/* Every pair of a first and a second byte: valid sequences of at most two bytes, by the book. */
START_TEST(two_byte_sequences_are_exactly_those_of_the_standard)
{
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            const char text[2] = { (char)first, (char)second };
            bool valid = (first < 0x80 && second < 0x80) ||
                         (first >= 0xC2 && first <= 0xDF && (second & 0xC0) == 0x80);
            ck_assert_int_eq(utf8_check(text, 2, NULL) == STATUS_OK, valid);
        }
}
END_TEST

START_TEST(wrong_bytes_are_grouped_by_maximal_subparts)
{
    ck_assert_int_eq(utf8_sequence("\xF0\x9F\x98\x80", 4), 4);
    ck_assert_int_eq(utf8_sequence("\xF0\x9F\x98z", 4), -3);
    ck_assert_int_eq(utf8_sequence("\xF0\x9Fz", 3), -2);
    ck_assert_int_eq(utf8_sequence("\xF0z", 2), -1);
    ck_assert_int_eq(utf8_sequence("\xE0\x80\x80", 3), -1);
    ck_assert_int_eq(utf8_sequence("\xE2\x82", 2), -2);
    ck_assert_int_eq(utf8_sequence("\x80", 1), -1);
}
END_TEST

START_TEST(length_counts_code_points)
{
    ck_assert_uint_eq(utf8_length("", 0), 0);
    ck_assert_uint_eq(utf8_length("aé€😀", 10), 4);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(errors_name_the_byte_and_the_reason, (int)(sizeof checks / sizeof checks[0])),
    TEST(every_code_point_is_written_and_read_back),
    TEST(two_byte_sequences_are_exactly_those_of_the_standard),
    TEST(wrong_bytes_are_grouped_by_maximal_subparts),
    TEST(length_counts_code_points),
};
TEST_MAIN("tokenizer/utf8", cases)
