/*
 * test_word2vec.c - vectors of a made-up text of two topics.
 */
#include "model/train/word2vec.h"

#include "base/rng.h"
#include "tests/helpers.h"

#define WORDS 20 // the even ones are of one topic, the odd ones of another
#define SIZE 18  // no whole number of vectors
#define SENTENCES 400
#define SENTENCE_WORDS 8

static int32_t ids[SENTENCES * (SENTENCE_WORDS + 1)];
static int64_t counts[WORDS];
static const struct word2vec_text text = { ids, sizeof ids / sizeof ids[0], counts, WORDS };

static void make_text(void)
{
    struct rng rng = rng_make(3, 3);
    size_t at = 0;
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < SENTENCES; i++) {
        for (int k = 0; k < SENTENCE_WORDS; k++) {
            ids[at] = (int32_t)(2 * rng_below(&rng, WORDS / 2)) + i % 2;
            counts[ids[at++]]++;
        }
        ids[at++] = WORD2VEC_END;
    }
}

static struct word2vec_options options_of(enum context_use use)
{
    return (struct word2vec_options){ .use = use,
                                      .size = SIZE,
                                      .window = 3,
                                      .negative = 4,
                                      .epochs = 6,
                                      .rate = use == CONTEXT_MEAN ? 0.3 : 0.1,
                                      .seed = 5 };
}

static double cosine(const float *a, const float *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < SIZE; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/* Loop 0: skip-gram; 1: CBOW. */
START_TEST(words_of_a_topic_come_together)
{
    struct error err;
    float v[WORDS][SIZE];
    make_text();
    const struct word2vec_options options = options_of(_i ? CONTEXT_MEAN : CONTEXT_EACH);
    assert_ok(word2vec_train(v[0], &text, &options, &err), err);
    for (int a = 0; a < WORDS; a++)
        for (int b = 0; b < a; b++)
            ck_assert_msg((cosine(v[a], v[b]) > 0.5) == (a % 2 == b % 2), "%d and %d: %g", a, b,
                          cosine(v[a], v[b]));
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits_and_another_others)
{
    struct error err;
    float a[WORDS * SIZE], b[WORDS * SIZE];
    make_text();
    struct word2vec_options options = options_of(CONTEXT_EACH);
    options.sample = 0.01;
    assert_ok(word2vec_train(a, &text, &options, &err), err);
    assert_ok(word2vec_train(b, &text, &options, &err), err);
    ck_assert_mem_eq(a, b, sizeof a);
    options.seed++;
    assert_ok(word2vec_train(b, &text, &options, &err), err);
    ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

static struct word2vec_progress reports[100];
static int report_count;

static void note(void *context, const struct word2vec_progress *progress)
{
    ck_assert_ptr_eq(context, reports);
    ck_assert_int_lt(report_count, 100);
    reports[report_count++] = *progress;
}

START_TEST(the_rate_falls_in_a_line_and_the_loss_with_it)
{
    struct error err;
    float v[WORDS * SIZE];
    make_text();
    struct word2vec_options options = options_of(CONTEXT_EACH);
    options.on_progress = note;
    options.context = reports;
    report_count = 0;
    assert_ok(word2vec_train(v, &text, &options, &err), err);
    ck_assert_int_gt(report_count, 10);
    for (int i = 0; i < report_count; i++) {
        ck_assert_double_eq_tol(reports[i].rate, 0.1 * (1 - 0.9999 * reports[i].done), 1e-9);
        ck_assert(i == 0 || reports[i].done > reports[i - 1].done);
    }
    ck_assert(reports[0].done == 0 && reports[report_count - 1].done == 1);
    // before anything is learnt every score is 0, and its loss ln 2
    ck_assert_double_le(reports[1].loss, 5 * log(2) + 0.01);
    ck_assert_double_lt(reports[report_count - 1].loss, 0.9 * reports[1].loss);
}
END_TEST

START_TEST(words_that_are_dropped_teach_nothing)
{
    enum { FREQUENT = 1000, RARE = 10 };
    static int32_t many[FREQUENT + RARE + 1];
    const int64_t many_counts[] = { FREQUENT, RARE };
    const struct word2vec_text two = { many, FREQUENT + RARE + 1, many_counts, 2 };
    struct error err;
    float v[2][SIZE], start[2][SIZE];
    for (int i = 0; i < RARE; i++)
        many[FREQUENT / RARE * i] = 1;
    many[FREQUENT + RARE] = WORD2VEC_END;
    struct word2vec_options options = options_of(CONTEXT_EACH);
    options.epochs = 1;
    options.rate = 1e-30; // what it starts from, in effect
    assert_ok(word2vec_train(start[0], &two, &options, &err), err);
    options.rate = 0.1;
    options.sample = 1e-12; // nothing is left, so nothing is learnt
    assert_ok(word2vec_train(v[0], &two, &options, &err), err);
    ck_assert_mem_eq(v, start, sizeof v);
    options.sample = 0; // all is left
    assert_ok(word2vec_train(v[0], &two, &options, &err), err);
    ck_assert_mem_ne(v, start, sizeof v);
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_said)
{
    struct error err;
    float v[WORDS * SIZE];
    make_text();
    struct word2vec_options options = options_of(CONTEXT_EACH);
    options.rate = 1e30;
    assert_status(word2vec_train(v, &text, &options, &err), STATUS_DIVERGED);
    ck_assert_ptr_nonnull(strstr(err.text, "too high"));
}
END_TEST

START_TEST(without_memory_it_says_so_and_leaves_nothing)
{
    struct error err;
    float v[WORDS * SIZE];
    const long live = memory_live();
    make_text();
    const struct word2vec_options options = options_of(CONTEXT_MEAN);
    for (long n = 1;; n++) {
        memory_fail_at(n);
        const enum status status = word2vec_train(v, &text, &options, &err);
        const bool happened = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(memory_live(), live);
        ck_assert_int_eq(status, happened ? STATUS_NO_MEMORY : STATUS_OK);
        if (!happened)
            break;
    }
}
END_TEST

/* A window at the ends of sentences, a sentence of one word, one that is longer than the buffer. */
START_TEST(sentences_of_any_length_are_taken)
{
    enum { LONG = 2500 };
    static int32_t any[LONG + 4];
    const int64_t any_counts[] = { LONG / 2 + 1, LONG / 2 + 1 };
    const struct word2vec_text uneven = { any, LONG + 4, any_counts, 2 };
    struct error err;
    float v[2 * SIZE];
    any[0] = WORD2VEC_END;
    any[1] = 0;
    any[2] = WORD2VEC_END;
    for (int i = 3; i < LONG + 4; i++)
        any[i] = i % 2; // and no end behind it
    const struct word2vec_options options = options_of(CONTEXT_MEAN);
    assert_ok(word2vec_train(v, &uneven, &options, &err), err);
    for (int i = 0; i < 2 * SIZE; i++)
        ck_assert(isfinite(v[i]));
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(words_of_a_topic_come_together, 2),
    TEST(the_same_seed_gives_the_same_bits_and_another_others),
    TEST(the_rate_falls_in_a_line_and_the_loss_with_it),
    TEST(words_that_are_dropped_teach_nothing),
    TEST(numbers_that_are_not_finite_are_said),
    TEST(without_memory_it_says_so_and_leaves_nothing),
    TEST(sentences_of_any_length_are_taken),
};
TEST_MAIN("model/train/word2vec", cases)
