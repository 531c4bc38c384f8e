/*
 * test_display.c - columns of letters, marks, wide characters and emoji.
 */
#include "tests/helpers.h"

#include "tokenizer/display.h"

static int columns_of(const char *text)
{
    return text_columns(text, strlen(text));
}

static int clusters_of(const char *text)
{
    const size_t len = strlen(text);
    int count = 0, columns;
    for (size_t at = 0; at < len; count++)
        at += cluster_next(text + at, len - at, &columns);
    return count;
}

START_TEST(marks_take_no_column_and_wide_characters_take_two)
{
    ck_assert_int_eq(columns_of(""), 0);
    ck_assert_int_eq(columns_of("chat"), 4);
    ck_assert_int_eq(columns_of("e\xCC\x81te"), 3); // e and a combining acute
    ck_assert_int_eq(columns_of("кошка"), 5);
    ck_assert_int_eq(columns_of("猫です"), 6);
    ck_assert_int_eq(columns_of("한국"), 4);
    ck_assert_int_eq(columns_of("قطة"), 3);
    ck_assert_int_eq(columns_of("शब्द"), 3);
}
END_TEST

START_TEST(an_emoji_of_several_characters_is_one_of_two_columns)
{
    const char *const emoji[] = { "🙂", "👩‍👩‍👧", "👍🏽", "🇫🇷", "❤️" };
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(clusters_of(emoji[i]), 1);
        ck_assert_int_eq(columns_of(emoji[i]), 2);
    }
    ck_assert_int_eq(clusters_of("🇫🇷🇩🇪"), 2);
}
END_TEST

START_TEST(the_first_letter_with_a_direction_says_which_way_a_text_runs)
{
    static const struct {
        const char *text;
        bool found, right_to_left;
    } rows[] = { { "قطة", true, true },      { "חתול", true, true }, { "12 قطة", true, true },
                 { "cat قطة", true, false }, { "猫", true, false },  { "12, 3!", false, false },
                 { "", false, false } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool found;
        ck_assert(text_is_right_to_left(rows[i].text, strlen(rows[i].text), &found) ==
                  rows[i].right_to_left);
        ck_assert(found == rows[i].found);
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST(marks_take_no_column_and_wide_characters_take_two),
    TEST(an_emoji_of_several_characters_is_one_of_two_columns),
    TEST(the_first_letter_with_a_direction_says_which_way_a_text_runs),
};
TEST_MAIN("tokenizer/display", cases)
