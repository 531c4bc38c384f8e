/*
 * test_letters.c - of a text its words stay, and nothing else; windows end between words.
 */
#include "server/detect/letters.h"

#include "tests/helpers.h"
#include "tokenizer/utf8.h"

static struct arena arena;
static struct error err;

static void setup(void)
{
    ck_assert(arena_init(&arena, LETTERS_ARENA_BYTES));
}

static void teardown(void)
{
    arena_release(&arena);
}

static struct letters letters_in(const char *text)
{
    struct letters letters;
    assert_ok(letters_of(text, strlen(text), &arena, &letters, &err), err);
    return letters;
}

static void assert_letters(const char *text, const char *wanted)
{
    char got[4 * LETTERS_BYTES_MAX] = "";
    size_t len = 0;
    arena_reset(&arena);
    const struct letters letters = letters_in(text);
    for (int i = 0; i < letters.count; i++)
        len += (size_t)utf8_put(letters.list[i], got + len);
    got[len] = '\0';
    ck_assert_str_eq(got, wanted);
}

START_TEST(letters_are_lower_case_and_words_a_space_apart)
{
    static const struct {
        const char *text, *letters;
    } cases[] = {
        { "", "" },
        { "Good  Morning!", "good morning" },
        { "ÉCOLE straße İ", "école straße i" },
        { "e\u0301cole Spra\u00ADche", "école sprache" }, // a mark that joins, a soft hyphen
        { "l'eau d\u2019ici 'quoted' rock 'n' roll", "l'eau d'ici quoted rock n roll" },
        { "3 apples, 4.5 kg (and/or) pears\u2014two", "apples kg and or pears two" },
        { "12:30 -- 99 %\t\u2026 😀👍🏽", "" },
        { "see https://example.org/a?b=c or WWW.example.org now", "see or now" },
        { "write to someone@example.org: thanks", "write to thanks" },
        { "ﬁne ｆｕｌｌ", "fine full" }, // compatibility forms
        { "日本語 текст", "日本語 текст" },
    };
    setup();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_letters(cases[i].text, cases[i].letters);
    teardown();
}
END_TEST

START_TEST(only_the_first_bytes_are_read_and_no_character_is_cut)
{
    char text[2 * LETTERS_BYTES_MAX];
    setup();
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    text[0] = text[1] = 'a'; // characters end at even bytes from here on
    text[sizeof text - 1] = '\0';
    text[sizeof text - 2] = '\0';
    ck_assert_int_eq(letters_in(text).count, 2 + (LETTERS_BYTES_MAX - 2) / 2);
    text[1] = ' '; // ends at a bad byte if cut between bytes
    memmove(text + 1, text, sizeof text - 3);
    arena_reset(&arena);
    const struct letters letters = letters_in(text);
    ck_assert_int_eq(letters.list[letters.count - 1], 0xE9);
    teardown();
}
END_TEST

/* Each U+FDFA is three bytes and eighteen characters, and marks out of order are sorted. */
START_TEST(the_arena_holds_the_longest_text_there_is)
{
    char text[LETTERS_BYTES_MAX + 1];
    setup();
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\uFDFA", 4);
    ck_assert_int_gt(letters_in(text).count, 15000);
    arena_reset(&arena);
    for (size_t i = 0; i + 4 < sizeof text; i += 4)
        memcpy(text + i, i % 8 ? "\u0301\u0323" : "\u0323\u0315", 5);
    ck_assert_int_eq(letters_in(text).count, 0);
    teardown();
}
END_TEST

START_TEST(windows_end_between_words_and_cover_the_text)
{
    char text[1000] = "";
    setup();
    for (int i = 0; i < 120; i++)
        strcat(text, i % 3 ? "word " : "longer ");
    const struct letters letters = letters_in(text);
    int windows = 0;
    for (int from = 0, to; from < letters.count; from = to + 1, windows++) {
        to = letters_window_end(&letters, from);
        ck_assert_int_gt(to, from);
        ck_assert_int_le(to - from, LETTERS_WINDOW);
        ck_assert(to == letters.count || letters.list[to] == ' ');
    }
    ck_assert_int_eq(windows, (letters.count + LETTERS_WINDOW - 1) / LETTERS_WINDOW);
    memset(text, 'x', 300);
    text[300] = '\0';
    arena_reset(&arena);
    const struct letters one_word = letters_in(text);
    ck_assert_int_eq(letters_window_end(&one_word, 0), LETTERS_WINDOW);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(letters_are_lower_case_and_words_a_space_apart),
    TEST(only_the_first_bytes_are_read_and_no_character_is_cut),
    TEST(the_arena_holds_the_longest_text_there_is),
    TEST(windows_end_between_words_and_cover_the_text),
};
TEST_MAIN("server/detect/letters", cases)
