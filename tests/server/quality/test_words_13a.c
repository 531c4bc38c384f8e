/*
 * test_words_13a.c - what BLEU takes for words, rule by rule.
 */
#include "server/quality/units.h"
#include "tests/helpers.h"

struct example {
    const char *text, *words;
};

static const struct example examples[] = {
    { "", "" },
    { "  \t ", "" },
    { "one two", "one two" },
    { "it's a well-known 'thing'", "it's a well-known 'thing'" }, // ' and - stay
    { "(a)[b]{c}", "( a ) [ b ] { c }" },
    { "3.14 1,000 2-3", "3.14 1,000 2 - 3" }, // between digits
    { "end. next, 5. .5 a.5", "end . next , 5 . . 5 a . 5" },
    { "a..b", "a . . b" },
    { "wait...", "wait . . ." },
    { "1.", "1 ." },
    { "100%", "100 %" },
    { "&quot;x&quot; &amp;lt;", "\" x \" <" }, // &amp; before &lt;
    { "a<skipped>b", "ab" },
    { "hyphen-\nated line\nbreak", "hyphenated line break" },
    { "last-\n", "last-" },              // the end is trimmed first
    { "« déjà »\u00a0!", "« déjà » !" }, // no-break space parts words
    { "日本。", "日本。" },              // only ASCII is cut
};

START_TEST(words_are_cut_by_the_rules)
{
    struct words_13a scratch;
    struct units words;
    words_13a_init(&scratch);
    units_init(&words);
    const struct example *e = &examples[_i];
    ck_assert(words_13a(&scratch, e->text, strlen(e->text), &words));
    ck_assert_str_eq(words.text.data ? words.text.data : "", e->words);
    units_release(&words);
    words_13a_release(&scratch);
}
END_TEST

START_TEST(every_ngram_is_a_stretch_of_the_text)
{
    struct units u;
    units_init(&u);
    ck_assert(units_of_words(&u, " ab  c d ", 9));
    ck_assert_int_eq(u.count, 3);
    ck_assert_int_eq(u.starts[0], 0);
    ck_assert_int_eq(u.starts[2] - u.gap, 4); // "ab c"
    ck_assert_uint_eq(u.starts[3] - u.gap, u.text.len);
    ck_assert(units_of_characters(&u, "é ß", strlen("é ß")));
    ck_assert_int_eq(u.count, 2);
    ck_assert_str_eq(u.text.data, "éß");
    ck_assert_int_eq(u.starts[1], 2);
    units_release(&u);
}
END_TEST

START_TEST(punctuation_leaves_one_end_of_a_word)
{
    struct units u;
    const char *text = "(hi) \"x ! !! don't 'tis, …";
    units_init(&u);
    ck_assert(units_of_bare_words(&u, text, strlen(text)));
    ck_assert_str_eq(u.text.data, "(hi ) \" x ! ! ! don't 'tis , …");
    units_release(&u);
}
END_TEST

START_TEST(clearing_counts_leaves_nothing_of_them)
{
    struct grams g;
    struct units u;
    grams_init(&g);
    units_init(&u);
    for (int round = 0; round < 20; round++) {
        char text[4000] = "";
        int words = round % 2 ? 3 : 600; // a small table's worth, then more than that
        for (int i = 0; i < words; i++)
            snprintf(text + strlen(text), 8, "w%d ", i);
        ck_assert(units_of_words(&u, text, strlen(text)));
        grams_clear(&g);
        ck_assert(grams_count(&g, &u, 1, 0, COUNT_HYPOTHESIS));
        ck_assert(grams_count(&g, &u, 1, 0, COUNT_REFERENCE));
        ck_assert_int_eq(g.count, words);
        for (int i = 0; i < words; i++) {
            ck_assert_int_eq(g.entries[i].counts[COUNT_HYPOTHESIS], 1);
            ck_assert_int_eq(g.entries[i].counts[COUNT_REFERENCE], 1);
        }
    }
    units_release(&u);
    grams_release(&g);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(words_are_cut_by_the_rules, (int)(sizeof examples / sizeof *examples)),
    TEST(every_ngram_is_a_stretch_of_the_text),
    TEST(punctuation_leaves_one_end_of_a_word),
    TEST(clearing_counts_leaves_nothing_of_them),
};
TEST_MAIN("server/quality/words_13a", cases)
