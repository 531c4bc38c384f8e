/*
 * test_word_links.c - alignments of pieces, added up by hand to those of words.
 */
#include "tests/helpers.h"

#include "server/engine/word_links.h"
#include "tests/tiny_model.h"

#define EXACT 1e-6f

static struct error err;

/* A sentence of pieces that stand one behind the other, and one hypothesis. */
struct example {
    struct vocabulary *v;
    struct arena arena;
    struct engine_sentence sentence;
    struct hypothesis hypothesis;
    struct detokenised text;
    int32_t source_ids[16], target_ids[16];
    struct span source_spans[16], target_spans[16];
};

static int32_t id_of(const struct example *x, const char *piece)
{
    int32_t id = vocabulary_find(x->v, piece, strlen(piece));
    ck_assert_msg(id >= 0, "no piece %s", piece);
    return id;
}

static void example_init(struct example *x)
{
    memset(x, 0, sizeof *x);
    x->v = tiny_vocabulary();
    ck_assert(arena_init(&x->arena, 1 << 20));
    x->sentence.tokens.ids = x->source_ids;
    x->sentence.tokens.spans = x->source_spans;
    x->hypothesis.ids = x->target_ids;
    x->hypothesis.S = 1;
    x->text.spans = x->target_spans;
    x->sentence.translation = (struct translation){ .best = &x->hypothesis, .count = 1 };
    x->sentence.texts = &x->text;
}

static void example_release(struct example *x)
{
    arena_release(&x->arena);
    vocabulary_free(x->v);
}

static void add_source(struct example *x, const char *piece, uint32_t from, uint32_t to)
{
    int i = x->sentence.tokens.count++;
    x->source_ids[i] = id_of(x, piece);
    x->source_spans[i] = (struct span){ from, to };
    x->hypothesis.S++;
}

static void add_target(struct example *x, const char *piece, uint32_t from, uint32_t to)
{
    int i = x->hypothesis.T++;
    x->target_ids[i] = id_of(x, piece);
    x->target_spans[i] = (struct span){ from, to };
}

static void assert_span(struct span span, uint32_t from, uint32_t to)
{
    ck_assert_uint_eq(span.from, from);
    ck_assert_uint_eq(span.to, to);
}

/* "the cab" = ▁the ▁c a b; "la b" = ▁l a ▁b */
static void two_words_each(struct example *x, float *alignment)
{
    example_init(x);
    add_source(x, "▁the", 10, 13); // the sentence starts at byte 10 of its text
    add_source(x, "▁c", 14, 15);
    add_source(x, "a", 15, 16);
    add_source(x, "b", 16, 17);
    x->text.text = (char *)"la b";
    x->text.len = 4;
    add_target(x, "▁l", 0, 1);
    add_target(x, "a", 1, 2);
    add_target(x, "▁b", 2, 4);
    x->hypothesis.alignment = alignment;
}

START_TEST(source_pieces_are_summed_and_target_pieces_averaged)
{
    float alignment[] = {
        .6f, .1f, .1f, .1f, .1f, // ▁l
        .2f, .1f, .2f, .3f, .2f, // a
        .0f, .2f, .3f, .1f, .4f, // ▁b
        .1f, .1f, .1f, .1f, .6f, // </s>
    };
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.S, 2);
    ck_assert_int_eq(words.T, 2);
    assert_span(words.source[0], 10, 13);
    assert_span(words.source[1], 14, 17);
    assert_span(words.target[0], 0, 2);
    assert_span(words.target[1], 3, 4);
    const float expected[] = { .4f, .45f, .15f, .0f, .6f, .4f };
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq_tol(words.weights[i], expected[i], EXACT);
    int links[2];
    word_links(&words, links);
    ck_assert_int_eq(links[0], 1);
    ck_assert_int_eq(links[1], 1);
    example_release(&x);
}
END_TEST

START_TEST(a_word_that_looks_at_the_end_most_has_no_link)
{
    float alignment[] = {
        .3f, .0f, .0f, .3f, .4f, .3f, .0f, .0f,
        .3f, .4f, .4f, .1f, .0f, .1f, .4f, // as much as the end: the word
        .0f, .0f, .0f, .0f, 1.f,
    };
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    int links[2];
    word_links(&words, links);
    ck_assert_int_eq(links[0], -1);
    ck_assert_int_eq(links[1], 0);
    example_release(&x);
}
END_TEST

START_TEST(a_lone_space_in_front_belongs_to_the_word_behind_it)
{
    float alignment[] = {
        .2f, .3f, .1f, .4f, .0f, .1f, .5f, .4f, .1f, .1f, .7f, .1f,
    };
    struct example x;
    struct word_alignment words;
    example_init(&x);
    add_source(&x, "▁", 0, 0); // put in front: no bytes
    add_source(&x, "é", 0, 2);
    add_source(&x, "▁a", 3, 4);
    x.text.text = (char *)"be";
    x.text.len = 2;
    add_target(&x, "▁", 0, 0);
    add_target(&x, "▁b", 0, 1);
    add_target(&x, "e", 1, 2);
    x.hypothesis.alignment = alignment;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.S, 2);
    ck_assert_int_eq(words.T, 1);
    assert_span(words.source[0], 0, 2);
    assert_span(words.target[0], 0, 2);
    ck_assert_float_eq_tol(words.weights[0], (.5f + .1f + .2f) / 3, EXACT);
    ck_assert_float_eq_tol(words.weights[0] + words.weights[1] + words.weights[2], 1.0f, EXACT);
    example_release(&x);
}
END_TEST

START_TEST(a_lone_space_at_the_end_belongs_to_the_word_before_it)
{
    float alignment[] = { .5f, .5f, .1f, .9f };
    struct example x;
    struct word_alignment words;
    example_init(&x);
    add_source(&x, "▁a", 0, 1);
    x.text.text = (char *)"b ";
    x.text.len = 2;
    add_target(&x, "▁b", 0, 1);
    add_target(&x, "▁", 1, 2);
    x.hypothesis.alignment = alignment;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.T, 1);
    assert_span(words.target[0], 0, 1);
    ck_assert_float_eq_tol(words.weights[0], .3f, EXACT);
    example_release(&x);
}
END_TEST

START_TEST(an_empty_answer_has_no_words)
{
    float alignment[] = { .5f, .5f };
    struct example x;
    struct word_alignment words;
    example_init(&x);
    add_source(&x, "▁a", 0, 1);
    x.text.text = (char *)"";
    x.hypothesis.alignment = alignment;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.T, 0);
    ck_assert_int_eq(words.S, 1);
    add_target(&x, "▁", 0, 0);
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.T, 0);
    example_release(&x);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    float alignment[20] = { 0 };
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    for (size_t bytes = 64; bytes < 512; bytes += 64) {
        struct arena small;
        ck_assert(arena_init(&small, bytes));
        enum status status = word_alignment(x.v, &x.sentence, 0, &small, &words, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        arena_release(&small);
    }
    example_release(&x);
}
END_TEST

static const struct test_case cases[] = {
    TEST(source_pieces_are_summed_and_target_pieces_averaged),
    TEST(a_word_that_looks_at_the_end_most_has_no_link),
    TEST(a_lone_space_in_front_belongs_to_the_word_behind_it),
    TEST(a_lone_space_at_the_end_belongs_to_the_word_before_it),
    TEST(an_empty_answer_has_no_words),
    TEST(a_full_arena_is_said),
};
TEST_MAIN("server/engine/word_links", cases)
