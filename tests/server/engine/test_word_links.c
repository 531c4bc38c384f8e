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
    float log_probs[17];
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
    x->hypothesis.finished = true;
    x->hypothesis.log_probs = x->log_probs;
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
    ck_assert_int_eq(words.links[0], 1);
    ck_assert_int_eq(words.links[1], 1);
    ck_assert_float_eq_tol(words.coverage[0], .4f, EXACT);
    ck_assert_float_eq_tol(words.coverage[1], 1.05f, EXACT);
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
    ck_assert_int_eq(words.links[0], -1);
    ck_assert_int_eq(words.links[1], 0);
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

/* probability: a word's pieces' on average; spread: the entropy of its row by that of three alike. */
START_TEST(confidence_is_probability_less_what_the_spread_of_attention_takes)
{
    float alignment[] = {
        1.f, .0f, .0f, .0f, .0f, // ▁l: the first word alone
        1.f, .0f, .0f, .0f, .0f, // a
        .0f, .1f, .2f, .2f, .5f, // ▁b: half and half
        .0f, .0f, .0f, .0f, 1.f,
    };
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    x.log_probs[0] = -.2f;
    x.log_probs[1] = -.4f;
    x.log_probs[2] = -.7f;
    x.log_probs[3] = -.1f;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_float_eq_tol(words.log_probs[0], -.6f, EXACT);
    ck_assert_float_eq_tol(words.log_probs[1], -.7f, EXACT);
    ck_assert_float_eq_tol(words.confidence[0], expf(-.3f), EXACT);
    ck_assert_float_eq_tol(words.confidence[1], expf(-.7f) * (1 - logf(2) / logf(3) / 2), EXACT);
    example_release(&x);
}
END_TEST

START_TEST(punctuation_at_the_ends_of_a_word_is_apart_and_inside_it_is_not)
{
    float alignment[5 * 9] = { 0 };
    struct example x;
    struct word_alignment words;
    example_init(&x);
    add_source(&x, "▁", 0, 0);
    add_source(&x, "\"", 0, 1);
    add_source(&x, "a", 1, 2);
    add_source(&x, "'", 2, 3);
    add_source(&x, "b", 3, 4);
    add_source(&x, "\"", 4, 5);
    add_source(&x, ".", 5, 6);
    add_source(&x, "▁", 7, 7);
    add_source(&x, "-", 7, 8);
    x.text.text = (char *)"b! ?";
    x.text.len = 4;
    add_target(&x, "▁b", 0, 1);
    add_target(&x, "!", 1, 2);
    add_target(&x, "▁", 2, 3);
    add_target(&x, "?", 3, 4);
    for (int t = 0; t < 5; t++)
        alignment[t * 9 + 8] = 1;
    x.hypothesis.alignment = alignment;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.S, 4);
    assert_span(words.source[0], 0, 1);
    assert_span(words.source[1], 1, 4);
    assert_span(words.source[2], 4, 6);
    assert_span(words.source[3], 7, 8);
    ck_assert_int_eq(words.T, 3);
    assert_span(words.target[0], 0, 1);
    assert_span(words.target[1], 1, 2);
    assert_span(words.target[2], 3, 4);
    ck_assert_int_eq(words.warning_count, 1); // one word, which nothing looked at
    example_release(&x);
}
END_TEST

START_TEST(a_character_of_several_pieces_is_whole)
{
    float alignment[] = { .2f, .3f, .1f, .4f, .1f, .1f, .1f, .7f, 0, 0, 0, 1 };
    struct example x;
    struct word_alignment words;
    example_init(&x);
    add_source(&x, "▁a", 0, 1);
    add_source(&x, "<0xC5>", 1, 3); // "œ", byte by byte
    add_source(&x, "<0x93>", 1, 3);
    x.text.text = (char *)"é œ";
    x.text.len = 5;
    add_target(&x, "▁", 0, 0);
    add_target(&x, "é", 0, 2);
    x.hypothesis.alignment = alignment;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.S, 1);
    assert_span(words.source[0], 0, 3);
    ck_assert_int_eq(words.T, 1);
    assert_span(words.target[0], 0, 2);
    ck_assert_float_eq_tol(words.weights[0], (.6f + .3f) / 2, EXACT);
    example_release(&x);
}
END_TEST

static void assert_warning(const struct word_alignment *words, int i, enum word_warning_kind kind,
                           uint32_t from, uint32_t to)
{
    ck_assert_int_lt(i, words->warning_count);
    ck_assert_str_eq(word_warning_name(words->warnings[i].kind), word_warning_name(kind));
    assert_span(words->warnings[i].span, from, to);
}

START_TEST(a_source_word_that_nothing_looked_at_is_said)
{
    float alignment[] = {
        .8f, .0f,  .1f,  .0f,  .1f,  .9f, .0f, .0f, .0f, .1f,
        .7f, .01f, .01f, .01f, .27f, 0,   0,   0,   0,   1,
    };
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.warning_count, 1); // .1 / 2 + .03
    assert_warning(&words, 0, WARNING_UNCOVERED, 14, 17);
    example_release(&x);
}
END_TEST

START_TEST(a_model_without_attention_links_nothing_and_leaves_nothing_out)
{
    float alignment[20] = { 0 };
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    x.log_probs[2] = -.5f;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.warning_count, 0);
    ck_assert_int_eq(words.links[0], -1);
    ck_assert_int_eq(words.links[1], -1);
    ck_assert_float_eq_tol(words.confidence[1], expf(-.5f), EXACT);
    example_release(&x);
}
END_TEST

START_TEST(what_is_split_and_what_is_cut_off_is_said)
{
    float alignment[15];
    struct example x;
    struct word_alignment words;
    two_words_each(&x, alignment);
    for (int i = 0; i < 15; i++)
        alignment[i] = .2f;
    x.hypothesis.finished = false;
    x.sentence.split = true;
    x.sentence.source = (struct span){ 10, 17 };
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    ck_assert_int_eq(words.warning_count, 2);
    assert_warning(&words, 0, WARNING_SPLIT, 10, 17);
    assert_warning(&words, 1, WARNING_TRUNCATED, 0, 4);
    ck_assert(word_warning_is_of_source(WARNING_SPLIT));
    ck_assert(!word_warning_is_of_source(WARNING_TRUNCATED));
    example_release(&x);
}
END_TEST

/* Letters as pieces of a byte each, source and target; the warning's span in the target. */
static int repetition(const char *source, const char *target, struct span *span)
{
    static float alignment[17 * 17];
    struct example x;
    struct word_alignment words;
    char piece[2] = "";
    int count = 0;
    example_init(&x);
    for (uint32_t i = 0; source[i]; i++) {
        piece[0] = source[i];
        add_source(&x, piece, i, i + 1);
    }
    for (uint32_t i = 0; target[i]; i++) {
        piece[0] = target[i];
        add_target(&x, piece, i, i + 1);
    }
    for (int i = 0; i < 17 * 17; i++)
        alignment[i] = 1.0f / (float)x.hypothesis.S;
    x.text.text = (char *)target;
    x.text.len = strlen(target);
    x.hypothesis.alignment = alignment;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    for (int i = 0; i < words.warning_count; i++)
        if (words.warnings[i].kind == WARNING_REPETITION) {
            *span = words.warnings[i].span;
            count++;
        }
    example_release(&x);
    return count;
}

START_TEST(a_phrase_again_and_again_is_said_unless_the_source_does_so_too)
{
    struct span span;
    ck_assert_int_eq(repetition("abc", "xaaay", &span), 1);
    assert_span(span, 1, 4);
    ck_assert_int_eq(repetition("abc", "xabababz", &span), 1);
    assert_span(span, 1, 7);
    ck_assert_int_eq(repetition("abc", "xabcdabcde", &span), 1); // a long one, twice
    assert_span(span, 1, 9);
    ck_assert_int_eq(repetition("abc", "aabbabcabcx", &span), 0); // twice is not too often
    ck_assert_int_eq(repetition("abc", "a...!!!", &span), 0);
    ck_assert_int_eq(repetition("nonono", "xaaay", &span), 0);
    ck_assert_int_eq(repetition("abc", "", &span), 0);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    float alignment[20] = { 0 };
    struct example x;
    struct word_alignment words;
    int full = 0, enough = 0;
    two_words_each(&x, alignment);
    for (size_t bytes = 64; bytes < 2048; bytes += 64) {
        struct arena small;
        ck_assert(arena_init(&small, bytes));
        enum status status = word_alignment(x.v, &x.sentence, 0, &small, &words, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        full += status == STATUS_NO_MEMORY;
        enough += status == STATUS_OK;
        arena_release(&small);
    }
    ck_assert_int_gt(full, 0);
    ck_assert_int_gt(enough, 0);
    example_release(&x);
}
END_TEST

START_TEST(pieces_keep_the_weights_and_warnings_stay_those_of_words)
{
    float alignment[] = {
        .6f, .1f, .1f, .1f, .1f, // ▁l
        .2f, .4f, .2f, .0f, .2f, // a
        .0f, .2f, .3f, .0f, .5f, // ▁b
        .1f, .1f, .1f, .1f, .6f, // </s>
    };
    struct example x;
    struct word_alignment words, pieces;
    two_words_each(&x, alignment);
    x.hypothesis.finished = false;
    x.log_probs[1] = -1;
    assert_ok(word_alignment(x.v, &x.sentence, 0, &x.arena, &words, &err), err);
    assert_ok(piece_alignment(x.v, &x.sentence, 0, &x.arena, &pieces, &err), err);
    ck_assert_int_eq(pieces.S, 4);
    ck_assert_int_eq(pieces.T, 3);
    assert_span(pieces.source[2], 15, 16);
    assert_span(pieces.target[2], 3, 4); // without the space in front
    for (int i = 0; i < 15; i++)
        ck_assert_float_eq_tol(pieces.weights[i], alignment[i], EXACT);
    ck_assert_int_eq(pieces.links[0], 0);
    ck_assert_int_eq(pieces.links[1], 1);
    ck_assert_int_eq(pieces.links[2], -1);
    ck_assert_float_eq_tol(pieces.coverage[3], .1f, EXACT);
    ck_assert_float_eq_tol(pieces.log_probs[1], -1, EXACT);
    ck_assert_int_eq(words.warning_count, 1); // "b" alone is hardly covered, its word is
    ck_assert_int_eq(pieces.warning_count, 1);
    assert_warning(&pieces, 0, WARNING_TRUNCATED, 0, 4);
    example_release(&x);
}
END_TEST

static const struct test_case cases[] = {
    TEST(source_pieces_are_summed_and_target_pieces_averaged),
    TEST(a_word_that_looks_at_the_end_most_has_no_link),
    TEST(a_lone_space_in_front_belongs_to_the_word_behind_it),
    TEST(a_lone_space_at_the_end_belongs_to_the_word_before_it),
    TEST(an_empty_answer_has_no_words),
    TEST(confidence_is_probability_less_what_the_spread_of_attention_takes),
    TEST(punctuation_at_the_ends_of_a_word_is_apart_and_inside_it_is_not),
    TEST(a_character_of_several_pieces_is_whole),
    TEST(a_source_word_that_nothing_looked_at_is_said),
    TEST(a_model_without_attention_links_nothing_and_leaves_nothing_out),
    TEST(what_is_split_and_what_is_cut_off_is_said),
    TEST(a_phrase_again_and_again_is_said_unless_the_source_does_so_too),
    TEST(pieces_keep_the_weights_and_warnings_stay_those_of_words),
    TEST(a_full_arena_is_said),
};
TEST_MAIN("server/engine/word_links", cases)
