/*
 * test_lexicon.c - a lexicon that was planted into a corpus is found.
 */
#include "model/train/lexicon.h"

#include "base/rng.h"
#include "tests/helpers.h"

#define V 200
#define FIRST 4
#define WORDS 90   // source pieces 4..93, each with one translation
#define COMMON 194 // in every target sentence, and </s>
#define PAIRS 3000 // one block
#define LEN_MAX 8
#define EVER 0.01 // probability: now and then

static struct error err;
static char folder[64], path[96];
static const uint8_t made_of[SHA256_BYTES];

static int32_t translation_of(int32_t word)
{
    return FIRST + WORDS + (word * 7) % WORDS;
}

/* Each source piece is translated, in any order, and COMMON is put behind. */
static void write_pairs(int pairs)
{
    struct shard_writer *w;
    struct rng rng = rng_make(1, 1);
    make_folder(folder);
    snprintf(path, sizeof path, "%s/toy.pairs", folder);
    assert_ok(shard_writer_open(&w, path, made_of, &err), err);
    for (int i = 0; i < pairs; i++) {
        const int len = 2 + (int)rng_below(&rng, LEN_MAX - 2);
        int32_t source[LEN_MAX], target[LEN_MAX + 1];
        for (int k = 0; k < len; k++) {
            source[k] = FIRST + (int32_t)rng_below(&rng, WORDS);
            target[len - 1 - k] = translation_of(source[k]);
        }
        target[len] = COMMON;
        assert_ok(shard_writer_add(w, source, len, target, len + 1, &err), err);
    }
    assert_ok(shard_writer_commit(w, 0, 0, &err), err);
    shard_writer_close(w);
}

static const int32_t together[] = { 196, 197, 198 };

static struct lexicon_options options_of(int row, double least)
{
    struct lexicon_options options = lexicon_options_default();
    options.row = row;
    options.least = least;
    options.together = together;
    options.together_count = 3;
    return options;
}

static enum status learn(struct shortlist **out, int vocabulary,
                         const struct lexicon_options *options)
{
    struct shard *shard;
    *out = NULL;
    enum status status = shard_open(&shard, path, &err);
    if (status == STATUS_OK)
        status = lexicon_learn(out, shard, vocabulary, options, &err);
    shard_close(shard);
    return status;
}

static int row_length(const struct shortlist *s, int32_t piece)
{
    return s->offsets[piece + 1] - s->offsets[piece];
}

START_TEST(a_planted_lexicon_is_found)
{
    struct shortlist *s;
    const struct lexicon_options options = options_of(3, EVER);
    write_pairs(PAIRS);
    assert_ok(learn(&s, V, &options), err);
    for (int32_t word = FIRST; word < FIRST + WORDS; word++) {
        ck_assert_int_le(row_length(s, word), 3);
        ck_assert_int_eq(s->pieces[s->offsets[word]], translation_of(word));
    }
    shortlist_free(s);
    remove_folder(folder);
}
END_TEST

START_TEST(a_row_has_what_is_probable_enough_the_best_first)
{
    struct shortlist *s;
    const struct lexicon_options options = options_of(60, 0.5);
    write_pairs(PAIRS);
    assert_ok(learn(&s, V, &options), err);
    for (int32_t word = FIRST; word < FIRST + WORDS; word++) {
        ck_assert_int_eq(row_length(s, word), 1);
        ck_assert_int_eq(s->pieces[s->offsets[word]], translation_of(word));
    }
    shortlist_free(s);
    remove_folder(folder);
}
END_TEST

START_TEST(what_is_always_allowed_is_the_end_and_what_comes_of_no_piece)
{
    struct shortlist *s;
    const struct lexicon_options options = options_of(60, EVER);
    write_pairs(PAIRS);
    assert_ok(learn(&s, V, &options), err);
    const int32_t at = s->offsets[SHORTLIST_ALWAYS];
    ck_assert_int_eq(row_length(s, SHORTLIST_ALWAYS), 2);
    ck_assert_int_eq(s->pieces[at], 3);
    ck_assert_int_eq(s->pieces[at + 1], COMMON);
    for (int32_t i = s->offsets[FIRST]; i < s->offsets[V]; i++) // and so in no other row
        ck_assert(s->pieces[i] != 3 && s->pieces[i] != COMMON);
    shortlist_free(s);
    remove_folder(folder);
}
END_TEST

START_TEST(pieces_that_go_together_are_kept_and_unseen_ones_have_no_row)
{
    struct shortlist *s;
    const struct lexicon_options options = options_of(60, EVER);
    write_pairs(PAIRS);
    assert_ok(learn(&s, V, &options), err);
    ck_assert_int_eq(row_length(s, SHORTLIST_TOGETHER), 3);
    ck_assert_mem_eq(s->pieces + s->offsets[SHORTLIST_TOGETHER], together, sizeof together);
    for (int32_t piece = FIRST + WORDS; piece < V; piece++)
        ck_assert_int_eq(row_length(s, piece), 0);
    ck_assert_int_le(row_length(s, FIRST), 60);
    shortlist_free(s);
    remove_folder(folder);
}
END_TEST

/* 91 sources with 91 targets each do not fit: the translation is what is left of them. */
START_TEST(a_table_that_is_too_small_forgets_the_rare_and_keeps_the_translations)
{
    struct shortlist *s;
    struct lexicon_options options = options_of(3, EVER);
    options.cells_max = 8192;
    write_pairs(PAIRS);
    assert_ok(learn(&s, V, &options), err);
    for (int32_t word = FIRST; word < FIRST + WORDS; word++)
        ck_assert_int_eq(s->pieces[s->offsets[word]], translation_of(word));
    shortlist_free(s);
    remove_folder(folder);
}
END_TEST

START_TEST(two_runs_learn_the_same)
{
    struct shortlist *one, *two;
    const struct lexicon_options options = options_of(20, EVER);
    write_pairs(2 * SHARD_BLOCK_PAIRS + 10);
    assert_ok(learn(&one, V, &options), err);
    assert_ok(learn(&two, V, &options), err);
    ck_assert_mem_eq(one->offsets, two->offsets, (V + 1) * sizeof *one->offsets);
    ck_assert_mem_eq(one->pieces, two->pieces, (size_t)one->offsets[V] * sizeof *one->pieces);
    shortlist_free(one);
    shortlist_free(two);
    remove_folder(folder);
}
END_TEST

START_TEST(pairs_of_a_larger_vocabulary_are_refused)
{
    struct shortlist *s;
    const struct lexicon_options options = options_of(20, EVER);
    write_pairs(10);
    assert_status(learn(&s, FIRST + WORDS, &options), STATUS_BAD_FILE);
    ck_assert_ptr_null(s);
    ck_assert_msg(strstr(err.text, "vocabulary"), "%s", err.text);
    remove_folder(folder);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    const struct lexicon_options options = options_of(20, EVER);
    bool failed = true;
    write_pairs(20);
    const long live = memory_live();
    for (long n = 1; failed; n++) {
        struct shortlist *s;
        memory_fail_at(n);
        const enum status status = learn(&s, V, &options);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        shortlist_free(s);
        ck_assert_int_eq(memory_live(), live);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_planted_lexicon_is_found),
    TEST(a_row_has_what_is_probable_enough_the_best_first),
    TEST(what_is_always_allowed_is_the_end_and_what_comes_of_no_piece),
    TEST(pieces_that_go_together_are_kept_and_unseen_ones_have_no_row),
    TEST(a_table_that_is_too_small_forgets_the_rare_and_keeps_the_translations),
    TEST(two_runs_learn_the_same),
    TEST(pairs_of_a_larger_vocabulary_are_refused),
    TEST(every_failing_allocation_is_survived),
};

TEST_MAIN("model/train/lexicon", cases)
