/*
 * test_sentences.c - where sentences end, in several languages, and that nothing between them is
 * lost.
 */
#include "tests/helpers.h"

#include "base/rng.h"
#include "tokenizer/sentences.h"
#include "tokenizer/utf8.h"

#define ARENA_BYTES (4u << 20)

static struct error err;

/* "|" stands behind each sentence but the last of its line; it is not part of the text. */
static const char *const marked_texts[] = {
    // en
    "Hello.| How are you?| I am fine!",
    "Mr. Smith met Mrs. Jones.| They talked.",
    "Dr. J. R. R. Tolkien wrote it.| It is long.",
    "So do I.| He left.",
    "I. Newton saw it.| It fell.",
    "He lives in the U.S. Army base.| It is big.",
    "It costs 3.50 dollars.| That is e.g. Cheap.",
    "Apples, pears etc. are fruit.| So are plums etc.| Eat them.",
    "See Fig. 3 and No. 5.| There is no.| None at all.",
    "It was 1995.| He left.",
    "1. Introduction to it.| Then more.",
    "\"Really?\" he said.| \"Yes.\"| She nodded.",
    "\"Stop!\"| She ran.",
    "He said \"Stop.\"| Then he left.",
    "(It rained.)| We stayed in.",
    "Wait...| What?",
    "Wait... what?",
    "Well…| That is it.",
    "What?!| No way!!!| Yes.",
    "Visit www.example.com today.| Or write to a.b@c.org.",
    "The file main.c is here.| Node.js too.",
    "version 2.0.1 is out.| Get it.",
    "He paid.| *Note* this.| - Dashes too.",
    "at 5 p.m. he came.",
    "No end here",
    // fr
    "Bonjour !| Ça va ?| Oui.",
    "M. Dupont et Mme Durand sont là.| Ils parlent.",
    "« Viens ! » dit-il.| Elle vint.",
    "« Viens ! »| Elle vint.",
    "Il dit : « Oui. »| Puis il partit.",
    "J.-P. Sartre est né à Paris.| Il y vécut.",
    "Voir p. 12 et art. 3 du code.| Fin.",
    "À bientôt.| Émile arrive.",
    // de
    "Das ist z. B. Wasser.| Es ist nass.",
    "Das ist z.B. Wasser.| Es ist nass.",
    "Am 3. Oktober war es.| Im 19. Jahrhundert auch.",
    "Hr. Müller kam.| „Gut.“| Er ging.",
    "»Komm her!«| Sie kam.",
    "Es waren ca. 5 Mio. Euro.| Viel Geld.",
    // es
    "¿Qué tal?| ¡Muy bien!| Adiós.",
    "El Sr. Pérez llegó.| Era tarde.",
    "¿Viene Ud. Mañana?| Sí.",
    // zh
    "你好。|我很好！|你呢？",
    "他走了。|“你好。”|她说。",
    "３．５元。|好。",
    // ja
    "行く。|来る。",
    "「行く。」と言った。|終わり。",
    // ar
    "كيف حالك؟| بخير.| شكرا.",
    // hi
    "यह घर है।| वह आया।|ठीक।",
    // ru
    "А. С. Пушкин жил.| Он писал.",
};

#define MARKED_COUNT ((int)(sizeof marked_texts / sizeof marked_texts[0]))

static void describe(const char *text, const struct sentences *s, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < s->count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "[%.*s]",
                                 (int)(s->spans[i].to - s->spans[i].from), text + s->spans[i].from);
}

START_TEST(sentences_end_where_a_reader_would_end_them)
{
    const char *marked = marked_texts[_i];
    char text[512], wanted[1024], got[1024];
    size_t len = 0, used = 1;
    struct arena arena;
    struct sentences s;
    ck_assert(arena_init(&arena, ARENA_BYTES));
    strcpy(wanted, "[");
    for (const char *at = marked; *at; at++) {
        if (*at != '|') {
            text[len++] = *at;
            wanted[used++] = *at;
            continue;
        }
        wanted[used++] = ']';
        wanted[used++] = '[';
        if (at[1] == ' ') {
            text[len++] = ' ';
            at++;
        }
    }
    wanted[used++] = ']';
    wanted[used] = 0;
    assert_ok(sentences_split(text, len, &arena, &s, &err), err);
    describe(text, &s, got, sizeof got);
    ck_assert_str_eq(got, wanted);
    arena_release(&arena);
}
END_TEST

static void assert_split(const char *text, const char *wanted)
{
    char got[1024];
    struct arena arena;
    struct sentences s;
    ck_assert(arena_init(&arena, ARENA_BYTES));
    assert_ok(sentences_split(text, strlen(text), &arena, &s, &err), err);
    describe(text, &s, got, sizeof got);
    ck_assert_str_eq(got, wanted);
    arena_release(&arena);
}

START_TEST(a_sentence_never_crosses_a_newline)
{
    assert_split("one\ntwo\r\nthree\xE2\x80\xA8"
                 "four\x0B"
                 "five\xC2\x85six",
                 "[one][two][three][four][five][six]");
}
END_TEST

START_TEST(white_space_around_sentences_is_left_out)
{
    assert_split("\t  one.  Two. \xC2\xA0\n\n \xE3\x80\x80three  ", "[one.][Two.][three]");
}
END_TEST

START_TEST(blank_texts_have_no_sentences)
{
    assert_split("", "");
    assert_split(" \n\t\r\n \xE2\x80\xA9", "");
    assert_split("\xEF\xBB\xBF\n\x01\x7F", "");
}
END_TEST

START_TEST(invalid_utf8_is_refused)
{
    struct arena arena;
    struct sentences s;
    ck_assert(arena_init(&arena, 1024));
    assert_status(sentences_split("ab\xFF", 3, &arena, &s, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "byte 2"));
    arena_release(&arena);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct arena arena;
    struct sentences s;
    ck_assert(arena_init(&arena, 16));
    assert_status(sentences_split("a\nb\nc\nd\ne", 9, &arena, &s, &err), STATUS_NO_MEMORY);
    ck_assert_int_eq(s.count, 0);
    arena_release(&arena);
}
END_TEST

/* Random lines of what the rules look at. */
static size_t random_text(struct rng *rng, char *text, size_t size)
{
    static const char *const parts[] = {
        ".",
        "!",
        "?",
        "\xE2\x80\xA6",
        "\xE3\x80\x82",
        "\xE0\xA5\xA4",
        " ",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\xC2\xA0",
        "\"",
        "(",
        ")",
        "\xC2\xBB",
        "\xC2\xAB",
        "A",
        "b",
        "Mr",
        "No",
        "7",
        "I",
        "\xE3\x81\x82",
        "\xE4\xBD\xA0",
        "\xF0\x9F\x98\x80",
        "\x01",
        "\xEF\xBB\xBF",
        "\xCC\x81",
        "-",
    };
    size_t len = 0, count = rng_below(rng, 60);
    for (size_t i = 0; i < count; i++) {
        const char *part = parts[rng_below(rng, sizeof parts / sizeof parts[0])];
        if (len + strlen(part) >= size)
            break;
        memcpy(text + len, part, strlen(part));
        len += strlen(part);
    }
    return len;
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

START_TEST(spans_are_in_order_and_all_between_them_is_blank)
{
    struct rng rng = rng_make(5, 0);
    struct arena arena;
    char text[512];
    ck_assert(arena_init(&arena, ARENA_BYTES));
    for (int round = 0; round < 20000; round++) {
        struct sentences s;
        size_t len = random_text(&rng, text, sizeof text), at = 0;
        arena_reset(&arena);
        assert_ok(sentences_split(text, len, &arena, &s, &err), err);
        for (int i = 0; i <= s.count; i++) {
            struct span next =
                i < s.count ? s.spans[i] : (struct span){ (uint32_t)len, (uint32_t)len };
            ck_assert_uint_ge(next.from, at);
            for (; at < next.from; at++) // white space, or part of a blank of several bytes
                ck_assert_ptr_nonnull(memchr(" \t\n\r\x01\xC2\xA0\xEF\xBB\xBF", text[at], 11));
            if (i == s.count)
                break;
            ck_assert_uint_gt(next.to, next.from);
            ck_assert(!is_white(text[next.from]) && !is_white(text[next.to - 1]));
            ck_assert_ptr_null(memchr(text + next.from, '\n', next.to - next.from));
            at = next.to;
        }
    }
    arena_release(&arena);
}
END_TEST

static void assert_break(const char *text, size_t limit, const char *first)
{
    size_t at = sentences_clause_break(text, strlen(text), limit);
    char got[256];
    snprintf(got, sizeof got, "%.*s", (int)at, text);
    ck_assert_str_eq(got, first);
}

START_TEST(long_sentences_are_cut_behind_a_clause_mark)
{
    assert_break("one two, three four five", 15, "one two, ");
    assert_break("one two \xE2\x80\x93 three four five", 18, "one two \xE2\x80\x93 ");
    assert_break("\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xBD\xA0\xE5\xA5\xBD", 14,
                 "\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C");
}
END_TEST

START_TEST(a_clause_mark_in_the_first_half_yields_to_a_space)
{
    assert_break("a, bcd efg hij klm nop", 16, "a, bcd efg hij ");
}
END_TEST

START_TEST(numbers_are_not_cut_at_their_commas)
{
    assert_break("it costs 1,000,000 dollars", 17, "it costs ");
}
END_TEST

START_TEST(without_spaces_the_cut_is_at_a_character)
{
    assert_break("abcdefgh", 5, "abcde");
    assert_break("\xE4\xBD\xA0\xE5\xA5\xBD\xE5\x90\x97", 7, "\xE4\xBD\xA0\xE5\xA5\xBD");
    assert_break("ae\xCC\x81xyz", 3, "a"); // not between e and its accent
    assert_break("\xE4\xBD\xA0", 1, "\xE4\xBD\xA0");
    assert_break("short", 9, "short");
}
END_TEST

START_TEST(a_cut_is_always_a_character_boundary_that_gets_on)
{
    struct rng rng = rng_make(6, 0);
    char text[512];
    for (int round = 0; round < 20000; round++) {
        size_t len = random_text(&rng, text, sizeof text);
        if (len == 0)
            continue;
        size_t limit = 1 + rng_below(&rng, 40);
        size_t at = sentences_clause_break(text, len, limit);
        ck_assert_uint_gt(at, 0);
        ck_assert_uint_le(at, len);
        ck_assert(at <= limit || at <= 4);
        ck_assert_int_eq(utf8_check(text, at, NULL), STATUS_OK);
        ck_assert_int_eq(utf8_check(text + at, len - at, NULL), STATUS_OK);
    }
}
END_TEST

START_TEST(time_is_linear_in_hostile_texts)
{
    static const char *const units[] = { ".", ". ", ".\"", "!( ", "a.", "1. ", ". » ", "\n" };
    const size_t len = 4u << 20;
    struct arena arena;
    char *text = malloc(len);
    ck_assert(arena_init(&arena, 64u << 20));
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        struct sentences s;
        size_t used = 0, unit = strlen(units[u]);
        for (; used + unit <= len; used += unit)
            memcpy(text + used, units[u], unit);
        arena_reset(&arena);
        assert_ok(sentences_split(text, used, &arena, &s, &err), err);
    }
    free(text);
    arena_release(&arena);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(sentences_end_where_a_reader_would_end_them, MARKED_COUNT),
    TEST(a_sentence_never_crosses_a_newline),
    TEST(white_space_around_sentences_is_left_out),
    TEST(blank_texts_have_no_sentences),
    TEST(invalid_utf8_is_refused),
    TEST(a_full_arena_is_said),
    TEST(spans_are_in_order_and_all_between_them_is_blank),
    TEST(long_sentences_are_cut_behind_a_clause_mark),
    TEST(a_clause_mark_in_the_first_half_yields_to_a_space),
    TEST(numbers_are_not_cut_at_their_commas),
    TEST(without_spaces_the_cut_is_at_a_character),
    TEST(a_cut_is_always_a_character_boundary_that_gets_on),
    TEST(time_is_linear_in_hostile_texts),
};
TEST_MAIN("tokenizer/sentences", cases)
