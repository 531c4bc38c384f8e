/*
 * test_learn.c - learning: the choices by hand, the same from any order and any number of threads,
 * and the same as a learner that counts everything anew each time.
 */
#include "tests/helpers.h"

#include "base/rng.h"
#include "tests/tokenizer/pieces.h"
#include "tokenizer/learn.h"
#include "tokenizer/tokenizer.h"

static struct error err;

static const struct learn_options defaults = {
    .size = 300,
    .coverage = 1,
    .threads = 1,
    .text = { FORM_NFKC, false },
};

static struct vocabulary *learn(struct learn_options options, const char *const *lines, int count)
{
    struct learner *l;
    struct vocabulary *v;
    assert_ok(learner_new(&l, options, &err), err);
    for (int i = 0; i < count; i++)
        assert_ok(learner_add(l, lines[i], strlen(lines[i]), &err), err);
    assert_ok(learner_finish(l, &v, &err), err);
    learner_free(l);
    return v;
}

static void assert_learnt(const struct vocabulary *v, const char *const *wanted, int count)
{
    ck_assert_int_eq(vocabulary_size(v), FIXED_PIECES + count);
    for (int i = 0; i < count; i++) {
        const struct piece *piece = vocabulary_piece(v, FIXED_PIECES + i);
        ck_assert_str_eq(piece->text, wanted[i]);
        ck_assert_int_eq((int)piece->score, -i);
        ck_assert_int_eq(piece->kind, PIECE_NORMAL);
    }
}

START_TEST(frequent_pairs_come_first_then_characters_by_frequency)
{
    // 3x "▁ab", 2x "▁b": pairs ab 3, ▁a 3, ▁b 2; of equals "ab" is smaller in byte order.
    const char *const lines[] = { "ab ab b", "ab b" };
    const char *const wanted[] = { "ab", "▁ab", "▁b", "b", "▁", "a" };
    struct vocabulary *v = learn(defaults, lines, 2);
    assert_learnt(v, wanted, 6);
    vocabulary_free(v);
}
END_TEST

START_TEST(an_alphabet_has_no_merged_pieces)
{
    const char *const lines[] = { "ab ab b", "ab b" };
    const char *const wanted[] = { "b", "▁", "a" };
    struct learn_options options = defaults;
    options.characters = true;
    struct vocabulary *v = learn(options, lines, 2);
    assert_learnt(v, wanted, 3);
    vocabulary_free(v);
}
END_TEST

START_TEST(pairs_that_occur_once_teach_nothing)
{
    const char *const lines[] = { "xy" };
    const char *const wanted[] = { "x", "y", "▁" };
    struct vocabulary *v = learn(defaults, lines, 1);
    assert_learnt(v, wanted, 3);
    vocabulary_free(v);
}
END_TEST

START_TEST(overlapping_pairs_are_merged_from_the_left)
{
    const char *const lines[] = { "aaaaa aaaaa" };
    struct vocabulary *v = learn(defaults, lines, 1);
    const char *const wanted[] = { "aa", "aaa", "aaaaa", "▁aaaaa", "a", "▁" };
    assert_learnt(v, wanted, 6);
    vocabulary_free(v);
}
END_TEST

START_TEST(words_end_at_spaces_digits_and_punctuation)
{
    const char *const lines[] = { "don't 4x4 a-b <s> <s> don't 4x4 a-b ab12 ab12" };
    struct vocabulary *v = learn(defaults, lines, 1);
    ck_assert_int_ge(vocabulary_find(v, "▁don", 6), 0);
    ck_assert_int_ge(vocabulary_find(v, "▁ab", 5), 0);
    ck_assert_int_ge(vocabulary_find(v, "12", 2), 0);
    for (int id = FIXED_PIECES; id < vocabulary_size(v); id++) {
        const char *text = vocabulary_piece(v, id)->text;
        ck_assert(!strpbrk(text, "'<>-") || !strpbrk(text, "abdnostx"));
        ck_assert(!strpbrk(text, "0123456789") || !strpbrk(text, "abdnostx"));
        ck_assert(!strstr(text + 1, "▁"));
    }
    vocabulary_free(v);
}
END_TEST

START_TEST(coverage_decides_which_characters_are_pieces)
{
    const char *const lines[] = { "aaaaaaaaa b", "aaaaaaaaa c" }; // 22 characters: 18 a, 2 ▁...
    struct learn_options options = defaults;
    options.coverage = 0.9;
    struct vocabulary *v = learn(options, lines, 2);
    ck_assert_int_ge(vocabulary_find(v, "a", 1), 0);
    ck_assert_int_ge(vocabulary_find(v, "▁", 3), 0);
    ck_assert_int_eq(vocabulary_find(v, "b", 1), -1);
    ck_assert_int_eq(vocabulary_find(v, "c", 1), -1);
    vocabulary_free(v);
}
END_TEST

START_TEST(text_is_normalised_before_it_is_counted)
{
    const char *const lines[] = { "ＡＢ\u00A0ab  A\001B" };
    struct learn_options options = defaults;
    options.text.casefold = true;
    struct vocabulary *v = learn(options, lines, 1);
    const char *const wanted[] = { "ab", "▁ab", "a", "b", "▁" };
    assert_learnt(v, wanted, 5);
    ck_assert(vocabulary_options(v).casefold);
    vocabulary_free(v);
}
END_TEST

START_TEST(a_space_mark_in_the_text_is_never_learnt)
{
    const char *const lines[] = { "a▁b a▁b ▁▁ ▁" };
    const char *const wanted[] = { "▁a", "a", "b", "▁" };
    struct vocabulary *v = learn(defaults, lines, 1);
    ck_assert_int_eq(vocabulary_find(v, "▁▁", 6), -1);
    ck_assert_int_ge(vocabulary_find(v, wanted[0], 4), 0);
    vocabulary_free(v);
}
END_TEST

/* ---- a corpus made up, in which words repeat ---- */

#define LINES 400

static char corpus[LINES][128];
static const char *corpus_lines[LINES];

static void make_corpus(uint64_t seed)
{
    struct rng rng = rng_make(seed, 0);
    for (int i = 0; i < LINES; i++) {
        size_t len = 0;
        for (int w = 0; w < 8; w++) {
            struct rng word = rng_make(seed, 1 + rng_below(&rng, 60));
            for (uint64_t k = 1 + rng_below(&word, 7); k > 0; k--)
                corpus[i][len++] = "abcdeab"[rng_below(&word, 7)];
            corpus[i][len++] = ' ';
        }
        corpus[i][len] = 0;
        corpus_lines[i] = corpus[i];
    }
}

static void assert_same(const struct vocabulary *a, const struct vocabulary *b)
{
    ck_assert_int_eq(vocabulary_size(a), vocabulary_size(b));
    for (int id = 0; id < vocabulary_size(a); id++)
        ck_assert_str_eq(vocabulary_piece(a, id)->text, vocabulary_piece(b, id)->text);
}

START_TEST(order_and_threads_change_nothing)
{
    struct rng rng = rng_make(41, 0);
    make_corpus(7);
    struct learn_options options = defaults;
    options.size = 400;
    struct vocabulary *first = learn(options, corpus_lines, LINES);
    for (int threads = 1; threads <= 4; threads++) {
        for (int i = LINES - 1; i > 0; i--) {
            int k = (int)rng_below(&rng, (uint64_t)i + 1);
            const char *line = corpus_lines[i];
            corpus_lines[i] = corpus_lines[k];
            corpus_lines[k] = line;
        }
        options.threads = threads;
        struct vocabulary *again = learn(options, corpus_lines, LINES);
        assert_same(first, again);
        vocabulary_free(again);
    }
    vocabulary_free(first);
}
END_TEST

/* Learns by counting all pairs of all words again for each piece. Words are lists of pieces with
 * "|" behind each; returns how many pieces it found. */
struct slow_word {
    char pieces[32][32];
    int len;
};

static int slow_merge(struct slow_word *w, const char *text)
{
    int merged = 0;
    for (int i = 0; i + 1 < w->len; i++) {
        char both[64];
        strcpy(both, w->pieces[i]);
        strcat(both, w->pieces[i + 1]);
        if (strcmp(both, text) != 0)
            continue;
        strcpy(w->pieces[i], text);
        memmove(w->pieces[i + 1], w->pieces[i + 2], sizeof w->pieces[0] * (size_t)(w->len - i - 2));
        w->len--;
        merged++;
    }
    return merged;
}

#define SLOW_WORDS (LINES * 8)
#define SLOW_PAIRS 4096

static struct slow_word slow_words[SLOW_WORDS];

static int split_words(void)
{
    int count = 0;
    for (int i = 0; i < LINES; i++)
        for (const char *at = corpus_lines[i]; *at; at++) {
            struct slow_word *w = &slow_words[count++];
            strcpy(w->pieces[0], "▁");
            for (w->len = 1; *at != ' '; at++, w->len++) {
                w->pieces[w->len][0] = *at;
                w->pieces[w->len][1] = 0;
            }
        }
    return count;
}

/* The most frequent text of two neighbours; false: none occurs twice. */
static bool slow_best(int word_count, char *best)
{
    static char texts[SLOW_PAIRS][64];
    static int counts[SLOW_PAIRS];
    int kinds = 0, top = -1;
    for (int w = 0; w < word_count; w++)
        for (int i = 0; i + 1 < slow_words[w].len; i++) {
            int k = 0;
            strcpy(texts[kinds], slow_words[w].pieces[i]);
            strcat(texts[kinds], slow_words[w].pieces[i + 1]);
            while (strcmp(texts[k], texts[kinds]) != 0)
                k++;
            if (k == kinds)
                counts[kinds++] = 0;
            counts[k]++;
            ck_assert_int_lt(kinds, SLOW_PAIRS);
        }
    for (int k = 0; k < kinds; k++)
        if (counts[k] >= 2 && (top < 0 || counts[k] > counts[top] ||
                               (counts[k] == counts[top] && strcmp(texts[k], texts[top]) < 0)))
            top = k;
    if (top >= 0)
        strcpy(best, texts[top]);
    return top >= 0;
}

START_TEST(kept_counts_agree_with_counting_anew)
{
    make_corpus((uint64_t)(100 + _i));
    struct learn_options options = defaults;
    options.size = FIXED_PIECES + 6 + 60; // the characters are ▁ a b c d e
    struct vocabulary *v = learn(options, corpus_lines, LINES);
    int word_count = split_words();
    char best[64];
    for (int id = FIXED_PIECES; id < vocabulary_size(v) - 6; id++) {
        ck_assert(slow_best(word_count, best));
        ck_assert_str_eq(vocabulary_piece(v, id)->text, best);
        for (int w = 0; w < word_count; w++)
            slow_merge(&slow_words[w], best);
        for (int known = FIXED_PIECES; known <= id; known++) // cut otherwise, the same piece
            for (int w = 0; w < word_count; w++)
                slow_merge(&slow_words[w], vocabulary_piece(v, known)->text);
    }
    vocabulary_free(v);
}
END_TEST

START_TEST(encoding_uses_the_pieces_as_they_were_learnt)
{
    make_corpus(9);
    struct learn_options options = defaults;
    options.size = 500;
    struct vocabulary *v = learn(options, corpus_lines, LINES);
    struct arena arena;
    ck_assert(arena_init(&arena, 1 << 20));
    for (int i = 0; i < LINES; i++) {
        struct tokens tokens;
        arena_reset(&arena);
        assert_ok(tokenizer_encode(v, corpus[i], strlen(corpus[i]), &arena, &tokens, &err), err);
        ck_assert_int_le(tokens.count, 8 + 2); // enough pieces for nearly a word each
    }
    arena_release(&arena);
    vocabulary_free(v);
}
END_TEST

START_TEST(more_text_than_the_buffer_holds_is_counted)
{
    enum { BYTES = 1000000, TIMES = 9 };
    struct learner *l;
    struct vocabulary *v;
    struct learn_options options = defaults;
    options.threads = 2;
    char *text = malloc(BYTES);
    for (int i = 0; i < BYTES; i++)
        text[i] = "ab "[i % 3];
    assert_ok(learner_new(&l, options, &err), err);
    for (int i = 0; i < TIMES; i++)
        assert_ok(learner_add(l, text, BYTES, &err), err);
    for (int i = 0; i < 100000; i++)
        assert_ok(learner_add(l, "", 0, &err), err);
    assert_ok(learner_finish(l, &v, &err), err);
    ck_assert_int_ge(vocabulary_find(v, "▁ab", 5), 0);
    vocabulary_free(v);
    learner_free(l);
    free(text);
}
END_TEST

START_TEST(long_runs_without_spaces_are_learnt_from)
{
    enum { BYTES = 1 << 20 };
    struct learner *l;
    struct vocabulary *v;
    char *text = malloc(BYTES);
    memset(text, 'a', BYTES);
    assert_ok(learner_new(&l, defaults, &err), err);
    assert_ok(learner_add(l, text, BYTES, &err), err);
    assert_status(learner_add(l, text, BYTES + 1, &err), STATUS_TOO_LARGE);
    assert_ok(learner_finish(l, &v, &err), err);
    for (int id = FIXED_PIECES; id < vocabulary_size(v); id++)
        ck_assert_int_le(vocabulary_piece(v, id)->len, 18);
    vocabulary_free(v);
    learner_free(l);
    free(text);
}
END_TEST

START_TEST(invalid_utf8_is_refused_and_not_counted)
{
    struct learner *l;
    struct vocabulary *v;
    assert_ok(learner_new(&l, defaults, &err), err);
    assert_ok(learner_add(l, "ab ab", 5, &err), err);
    assert_status(learner_add(l, "cd cd \xFF", 7, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "byte 6"));
    assert_ok(learner_finish(l, &v, &err), err);
    ck_assert_int_eq(vocabulary_find(v, "c", 1), -1);
    ck_assert_int_ge(vocabulary_find(v, "ab", 2), 0);
    vocabulary_free(v);
    learner_free(l);
}
END_TEST

START_TEST(an_empty_corpus_is_refused)
{
    struct learner *l;
    struct vocabulary *v;
    assert_ok(learner_new(&l, defaults, &err), err);
    assert_ok(learner_add(l, " \n", 2, &err), err);
    assert_status(learner_finish(l, &v, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_null(v);
    learner_free(l);
}
END_TEST

START_TEST(too_few_pieces_for_the_characters_are_refused)
{
    struct learner *l;
    struct vocabulary *v;
    struct learn_options options = defaults;
    options.size = 263;
    assert_ok(learner_new(&l, options, &err), err);
    assert_ok(learner_add(l, "abc", 3, &err), err);
    assert_status(learner_finish(l, &v, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "264")); // says what would be enough
    learner_free(l);
}
END_TEST

START_TEST(senseless_options_are_refused)
{
    struct learner *l;
    static const struct learn_options bad[] = {
        { .size = 260, .coverage = 1, .threads = 1 },
        { .size = VOCABULARY_PIECES_MAX + 1, .coverage = 1, .threads = 1 },
        { .size = 300, .coverage = 0, .threads = 1 },
        { .size = 300, .coverage = 1.01, .threads = 1 },
        { .size = 300, .coverage = (double)NAN, .threads = 1 },
        { .size = 300, .coverage = 1, .threads = 0 },
        { .size = 300, .coverage = 1, .threads = 65 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(learner_new(&l, bad[i], &err), STATUS_BAD_INPUT);
        ck_assert_ptr_null(l);
    }
}
END_TEST

static void count_calls(void *context, int done, int wanted)
{
    int *last = context;
    ck_assert_int_ge(done, *last);
    ck_assert_int_le(done, wanted);
    *last = done;
}

START_TEST(progress_ends_at_the_size)
{
    int last = 0;
    make_corpus(7);
    struct learn_options options = defaults;
    options.size = 420;
    options.on_progress = count_calls;
    options.context = &last;
    struct vocabulary *v = learn(options, corpus_lines, LINES);
    ck_assert_int_eq(last, vocabulary_size(v));
    vocabulary_free(v);
}
END_TEST

static enum status learn_whole(struct vocabulary **v)
{
    struct learner *l;
    *v = NULL;
    struct learn_options options = defaults;
    options.threads = 2;
    enum status status = learner_new(&l, options, &err);
    for (int i = 0; i < 20 && status == STATUS_OK; i++)
        status = learner_add(l, corpus[i], strlen(corpus[i]), &err);
    if (status == STATUS_OK)
        status = learner_finish(l, v, &err);
    learner_free(l);
    return status;
}

START_TEST(each_failing_allocation_is_survived)
{
    make_corpus(7);
    long live = memory_live();
    for (long nth = 1;; nth++) {
        struct vocabulary *v;
        memory_fail_at(nth);
        enum status status = learn_whole(&v);
        bool failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        vocabulary_free(v);
        ck_assert_int_eq(memory_live(), live);
        if (!failed)
            break;
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST(frequent_pairs_come_first_then_characters_by_frequency),
    TEST(an_alphabet_has_no_merged_pieces),
    TEST(pairs_that_occur_once_teach_nothing),
    TEST(overlapping_pairs_are_merged_from_the_left),
    TEST(words_end_at_spaces_digits_and_punctuation),
    TEST(coverage_decides_which_characters_are_pieces),
    TEST(text_is_normalised_before_it_is_counted),
    TEST(a_space_mark_in_the_text_is_never_learnt),
    TEST(order_and_threads_change_nothing),
    TEST_LOOP(kept_counts_agree_with_counting_anew, 5),
    TEST(encoding_uses_the_pieces_as_they_were_learnt),
    TEST(more_text_than_the_buffer_holds_is_counted),
    TEST(long_runs_without_spaces_are_learnt_from),
    TEST(invalid_utf8_is_refused_and_not_counted),
    TEST(an_empty_corpus_is_refused),
    TEST(too_few_pieces_for_the_characters_are_refused),
    TEST(senseless_options_are_refused),
    TEST(progress_ends_at_the_size),
    TEST(each_failing_allocation_is_survived),
};
TEST_MAIN("tokenizer/learn", cases)
