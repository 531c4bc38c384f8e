/*
 * test_parts.c - sentences and parts of over-long ones: within the limit, in order, nothing lost.
 */
#include "tests/helpers.h"

#include <time.h>

#include "server/engine/parts.h"
#include "tests/tiny_model.h"
#include "tokenizer/character.h"

#define ARENA_BYTES ((size_t)1 << 28)
#define LINEAR_SECONDS 20 // of CPU: generous for a sanitizer build; quadratic time needs hours

static struct error err;
static struct vocabulary *vocabulary;
static struct arena arena;

static void setup(void)
{
    vocabulary = tiny_vocabulary();
    ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
    arena_release(&arena);
    vocabulary_free(vocabulary);
}

static enum status cut(const char *text, int pieces, int sentences, struct parts *parts)
{
    struct engine_limits limits = {
        .sentences = 1, .beam = 1, .pieces = pieces, .text_sentences = sentences
    };
    return parts_of_text(vocabulary, &limits, text, strlen(text), &arena, parts, &err);
}

static struct parts must_cut(const char *text, int pieces)
{
    struct parts parts;
    assert_ok(cut(text, pieces, 1000000, &parts), err);
    return parts;
}

static void assert_no_letters(const char *text, size_t from, size_t to)
{
    ck_assert_msg(!text_has_letters(text + from, to - from), "\"%.*s\" is in no part",
                  (int)(to - from), text + from);
}

/* In order, within the limit, token spans inside their part, and no letter between. */
static void assert_covers(const struct parts *parts, const char *text, int pieces)
{
    uint32_t at = 0;
    for (int i = 0; i < parts->count; i++) {
        const struct engine_sentence *s = &parts->list[i];
        ck_assert_int_le(s->tokens.count, pieces);
        ck_assert_uint_ge(s->source.from, at);
        ck_assert_uint_lt(s->source.from, s->source.to);
        assert_no_letters(text, at, s->source.from);
        for (int k = 0; k < s->tokens.count; k++) {
            struct span span = s->tokens.spans[k];
            ck_assert_uint_ge(span.from, s->source.from);
            ck_assert_uint_le(span.to, s->source.to);
            ck_assert(span.from == span.to || text[span.from] != ' ');
        }
        at = s->source.to;
    }
    assert_no_letters(text, at, strlen(text));
}

static void assert_part(const struct parts *parts, int i, const char *text, const char *expected)
{
    struct span s = parts->list[i].source;
    ck_assert_msg(
        strlen(expected) == s.to - s.from && memcmp(text + s.from, expected, s.to - s.from) == 0,
        "part %d is \"%.*s\", expected \"%s\"", i, (int)(s.to - s.from), text + s.from, expected);
}

START_TEST(sentences_within_the_limit_stay_whole)
{
    static const char text[] = "  The cat sleeps. The dog barks!\n\nNobody cares.  ";
    setup();
    struct parts parts = must_cut(text, 64);
    ck_assert_int_eq(parts.count, 3);
    assert_part(&parts, 0, text, "The cat sleeps.");
    assert_part(&parts, 1, text, "The dog barks!");
    assert_part(&parts, 2, text, "Nobody cares.");
    for (int i = 0; i < 3; i++)
        ck_assert(!parts.list[i].split);
    assert_covers(&parts, text, 64);
    teardown();
}
END_TEST

START_TEST(a_long_sentence_is_cut_at_a_clause)
{
    static const char text[] = "when it rained, we all stayed in the old house";
    setup();
    struct parts parts = must_cut(text, 20);
    ck_assert_int_ge(parts.count, 2);
    assert_part(&parts, 0, text, "when it rained,");
    for (int i = 0; i < parts.count; i++)
        ck_assert(parts.list[i].split);
    assert_covers(&parts, text, 20);
    teardown();
}
END_TEST

START_TEST(a_word_over_the_limit_is_cut_between_characters)
{
    char text[1001] = "";
    setup();
    for (int i = 0; i < 500; i++)
        strcat(text, i % 2 ? "é" : "ü");
    struct parts parts = must_cut(text, 16);
    ck_assert_int_ge(parts.count, 500 / 16);
    assert_covers(&parts, text, 16);
    teardown();
}
END_TEST

START_TEST(a_pile_of_marks_on_one_letter_is_cut_too)
{
    char text[2100] = "a";
    setup();
    for (int i = 0; i < 900; i++)
        strcat(text, i % 2 ? "\xCC\x81" : "\xCC\xA7"); // U+0301, U+0327
    strcat(text, " end");
    struct parts parts = must_cut(text, 16);
    ck_assert_int_ge(parts.count, 1); // parts of nothing but marks are copied
    for (int i = 0; i < parts.count; i++)
        ck_assert_int_le(parts.list[i].tokens.count, 16);
    teardown();
}
END_TEST

START_TEST(a_character_of_more_pieces_than_the_limit_is_refused)
{
    struct parts parts;
    setup();
    static const char text[] = "a \xEF\xB7\xBA b"; // U+FDFA: 18 letters
    assert_status(cut(text, 16, 100, &parts), STATUS_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(err.text, "byte 2"));
    struct parts wide = must_cut(text, 64);
    ck_assert_int_eq(wide.count, 1);
    teardown();
}
END_TEST

START_TEST(every_limit_holds_for_every_kind_of_text)
{
    static const char *const texts[] = {
        "Grüße aus München, sagte er; und dann – nach einer Pause – noch viel mehr davon.",
        "日本語の文は空白なしで続きますから、ピースの数だけで切らなければなりません",
        "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f,g,h,i,j,k",
        "x                                                                        y",
        "mixed 中文 and Ελληνικά, עברית too; one two three four five six seven eight",
    };
    setup();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int pieces = 8; pieces < 80; pieces++) {
            arena_reset(&arena);
            struct parts parts = must_cut(texts[i], pieces);
            assert_covers(&parts, texts[i], pieces);
        }
    teardown();
}
END_TEST

START_TEST(what_has_no_letters_is_no_part)
{
    setup();
    ck_assert_int_eq(must_cut("", 64).count, 0);
    ck_assert_int_eq(must_cut(" \n\t ", 64).count, 0);
    ck_assert_int_eq(must_cut("1984! 3.14 😀 — 50 %", 64).count, 0);
    struct parts parts = must_cut("!!!\nHello.\n1,000,000\n", 64);
    ck_assert_int_eq(parts.count, 1);
    ck_assert_uint_eq(parts.list[0].source.from, 4);
    teardown();
}
END_TEST

START_TEST(invalid_text_is_refused_with_its_byte)
{
    struct parts parts;
    setup();
    assert_status(cut("good \xFF bad", 64, 100, &parts), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "byte 5"));
    teardown();
}
END_TEST

START_TEST(more_sentences_than_allowed_are_refused)
{
    struct parts parts;
    setup();
    assert_ok(cut("a\nb\nc\n", 64, 3, &parts), err);
    assert_status(cut("a\nb\nc\nd\n", 64, 3, &parts), STATUS_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(err.text, "3 sentences"));
    teardown();
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    static const char text[] = "when it rained, we all stayed in the old house";
    setup();
    for (size_t bytes = 1 << 10; bytes < 1 << 16; bytes += 1 << 10) {
        struct arena small;
        struct parts parts;
        struct engine_limits limits = { .pieces = 16, .text_sentences = 10 };
        ck_assert(arena_init(&small, bytes));
        enum status status =
            parts_of_text(vocabulary, &limits, text, sizeof text - 1, &small, &parts, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        arena_release(&small);
    }
    teardown();
}
END_TEST

START_TEST(a_megabyte_without_an_end_is_cut_in_linear_time)
{
    const size_t len = 1 << 20;
    setup();
    char *text = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 23);
    text[len] = '\0';
    clock_t start = clock();
    struct parts parts = must_cut(text, 64);
    ck_assert_int_lt((clock() - start) / CLOCKS_PER_SEC, LINEAR_SECONDS);
    assert_covers(&parts, text, 64);
    free(text);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(sentences_within_the_limit_stay_whole),
    TEST(a_long_sentence_is_cut_at_a_clause),
    TEST(a_word_over_the_limit_is_cut_between_characters),
    TEST(a_pile_of_marks_on_one_letter_is_cut_too),
    TEST(a_character_of_more_pieces_than_the_limit_is_refused),
    TEST(every_limit_holds_for_every_kind_of_text),
    TEST(what_has_no_letters_is_no_part),
    TEST(invalid_text_is_refused_with_its_byte),
    TEST(more_sentences_than_allowed_are_refused),
    TEST(a_full_arena_is_said),
    TEST(a_megabyte_without_an_end_is_cut_in_linear_time),
};
TEST_MAIN("server/engine/parts", cases)
