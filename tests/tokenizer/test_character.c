/*
 * test_character.c - white space and lower case where scripts differ.
 */
#include "tokenizer/character.h"

#include "tests/helpers.h"

struct example {
    const char *text, *lower;
};

static const struct example examples[] = {
    { "", "" },
    { "Straße ÄÖÜ ẞ", "straße äöü ß" },
    { "ΟΔΥΣΣΕΥΣ", "οδυσσευς" },         // the last sigma is a final one
    { "ΣΑΣ ΣΣ Σ", "σας σς σ" },         // alone it is not at the end of a word
    { "ΑΣ. ΑΣ.Α ΑΣ'", "ας. ασ.α ας'" }, // punctuation inside a word is passed over
    { "ΑΣ\u0301Α ΑΣ\u0301", "ασ\u0301α ας\u0301" },
    { "İI", "i\u0307i" }, // grows by a mark
    { "ДЖ Ǆ ǅ Ⅷ Ⓐ", "дж ǆ ǆ ⅷ ⓐ" },
    { "中文 हिन्दी عربى 😀", "中文 हिन्दी عربى 😀" },
};

START_TEST(lower_case_is_the_full_mapping)
{
    struct bytes out;
    const struct example *e = &examples[_i];
    bytes_init(&out, 256);
    ck_assert(text_lower(e->text, strlen(e->text), &out));
    ck_assert_str_eq(out.data ? out.data : "", e->lower);
    bytes_release(&out);
}
END_TEST

START_TEST(lower_case_that_does_not_fit_is_refused)
{
    struct bytes out;
    bytes_init(&out, 3);
    ck_assert(!text_lower("ABCD", 4, &out));
    bytes_release(&out);
}
END_TEST

START_TEST(white_space_of_all_scripts_is_known)
{
    static const int32_t spaces[] = { ' ',    '\t',   '\n',   '\r',   0x0B,   0x0C,
                                      0x1C,   0x1F,   0x85,   0xA0,   0x1680, 0x2000,
                                      0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000 };
    static const int32_t others[] = { 0,    'a',    0x1B,   0x21,   0x7F,
                                      0x84, 0x200B, 0x2060, 0xFEFF, 0x10FFFF };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        ck_assert_msg(character_is_space(spaces[i]), "U+%04X", (unsigned)spaces[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!character_is_space(others[i]), "U+%04X", (unsigned)others[i]);
}
END_TEST

START_TEST(punctuation_of_all_scripts_is_known_and_symbols_are_none)
{
    static const int32_t marks[] = { '.',  ',',  '!',    '-',    '\'',   '"',    '(',
                                     0xAB, 0xBB, 0x2026, 0x2019, 0x3002, 0x060C, 0xFF01 };
    static const int32_t others[] = { 'a', '1', '+', '$', ' ', 0x20AC, 0x0301, 0x1F600 };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        ck_assert_msg(character_is_punctuation(marks[i]), "U+%04X", (unsigned)marks[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!character_is_punctuation(others[i]), "U+%04X", (unsigned)others[i]);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(lower_case_is_the_full_mapping, (int)(sizeof examples / sizeof *examples)),
    TEST(lower_case_that_does_not_fit_is_refused),
    TEST(white_space_of_all_scripts_is_known),
    TEST(punctuation_of_all_scripts_is_known_and_symbols_are_none),
};
TEST_MAIN("tokenizer/character", cases)
