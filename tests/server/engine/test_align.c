/*
 * test_align.c - given pairs: the answer is about the given target, and says what its search says.
 */
#include "tests/helpers.h"

#include "server/engine/align.h"
#include "server/engine/word_links.h"
#include "tests/tiny_model.h"

enum { PAIRS = 5, PIECES = 40 };

static struct error err;
static char folder[64], path[128];
static struct engine *engine;
static struct aligner *aligner;
static struct arena arena;

static void setup(void)
{
    const struct aligner_limits limits = { .pairs = 3, .pieces = PIECES };
    make_folder(folder);
    snprintf(path, sizeof path, "%s/en-fr.safetensors", folder);
    write_tiny_model(path, "en", "fr", 1);
    assert_ok(engine_load(&engine, path, WEIGHT_F32, &err), err);
    assert_ok(aligner_new(&aligner, engine, &limits, &err), err);
    ck_assert(arena_init(&arena, (size_t)1 << 26));
}

static void teardown(void)
{
    arena_release(&arena);
    aligner_free(aligner);
    engine_free(engine);
    remove_folder(folder);
}

static struct engine_pair pair_of(const char *source, const char *target)
{
    return (struct engine_pair){ .source = { .text = source, .len = strlen(source) },
                                 .target = { .text = target, .len = strlen(target) } };
}

static const char *const texts[PAIRS][2] = {
    { "The cat sat.", "Le chat  dort." }, { "1984", "1984 !" },
    { "  in the end ", " à la fin " },    { "One. Two. Three.", "Un. Deux." },
    { "a", "the inner thing" },
};

static void align_all(struct engine_answer *out)
{
    struct engine_pair pairs[PAIRS];
    for (int i = 0; i < PAIRS; i++)
        pairs[i] = pair_of(texts[i][0], texts[i][1]);
    assert_ok(aligner_run(aligner, pairs, PAIRS, &arena, out, &err), err);
}

START_TEST(the_target_is_the_answer_and_one_sentence)
{
    struct engine_answer out[PAIRS];
    setup();
    align_all(out);
    for (int i = 0; i < PAIRS; i++) {
        struct tokens target;
        const char *text = texts[i][1];
        assert_ok(
            tokenizer_encode(engine_vocabulary(engine), text, strlen(text), &arena, &target, &err),
            err);
        ck_assert_str_eq(out[i].text, text);
        ck_assert_int_eq(out[i].sentence_count, 1);
        ck_assert_int_eq(out[i].sentences[0].translation.count, 1);
        const struct hypothesis *h = out[i].sentences[0].translation.best;
        ck_assert_int_eq(h->T, target.count);
        ck_assert_mem_eq(h->ids, target.ids, (size_t)target.count * sizeof(int32_t));
        ck_assert_float_eq(out[i].score, h->log_prob);
        ck_assert_float_lt(out[i].score, 0);
    }
    teardown();
}
END_TEST

/* Words are where they stand in the given texts. */
START_TEST(words_have_their_bytes_in_the_given_texts)
{
    struct engine_answer out[PAIRS];
    struct word_alignment words;
    setup();
    align_all(out);
    assert_ok(
        word_alignment(engine_vocabulary(engine), &out[2].sentences[0], 0, &arena, &words, &err),
        err);
    ck_assert_int_eq(words.S, 3);
    ck_assert_int_eq(words.T, 3);
    ck_assert_int_eq(words.source[0].from, 2);
    ck_assert_int_eq(words.source[2].to, 12);
    ck_assert_int_eq(words.target[0].from, 1);
    ck_assert_int_eq(words.target[0].to, 3); // à has two bytes
    ck_assert_int_eq(words.target[2].to, 10);
    teardown();
}
END_TEST

START_TEST(a_pair_over_the_limit_and_one_that_is_no_text_are_refused)
{
    struct engine_answer out;
    char longer[PIECES * 8];
    setup();
    memset(longer, 0, sizeof longer);
    for (int i = 0; i < PIECES * 2; i++)
        memcpy(longer + 2 * i, " Q", 2);
    struct engine_pair pair = pair_of(longer, "a");
    assert_status(aligner_run(aligner, &pair, 1, &arena, &out, &err), STATUS_TOO_LARGE);
    pair = pair_of("a", "\xC3");
    assert_status(aligner_run(aligner, &pair, 1, &arena, &out, &err), STATUS_BAD_INPUT);
    pair = pair_of("a", "b");
    assert_ok(aligner_run(aligner, &pair, 1, &arena, &out, &err), err);
    teardown();
}
END_TEST

START_TEST(a_cancelled_pair_has_no_answer_and_others_have)
{
    static atomic_bool yes = true;
    struct engine_answer out[2];
    setup();
    struct engine_pair pairs[] = { pair_of("a", "b"), pair_of("a", "b") };
    pairs[0].source.cancelled = &yes;
    assert_ok(aligner_run(aligner, pairs, 2, &arena, out, &err), err);
    ck_assert_ptr_null(out[0].text);
    ck_assert_str_eq(out[1].text, "b");
    teardown();
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    const struct aligner_limits limits = { .pairs = 3, .pieces = PIECES };
    struct aligner *none;
    bool failed = true;
    setup();
    const long live = memory_live();
    for (long n = 1; failed; n++) {
        memory_fail_at(n);
        const enum status status = aligner_new(&none, engine, &limits, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        aligner_free(none);
        ck_assert_int_eq(memory_live(), live);
    }
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(the_target_is_the_answer_and_one_sentence),
    TEST(words_have_their_bytes_in_the_given_texts),
    TEST(a_pair_over_the_limit_and_one_that_is_no_text_are_refused),
    TEST(a_cancelled_pair_has_no_answer_and_others_have),
    TEST(every_failing_allocation_is_survived),
};

TEST_MAIN("server/engine/align", cases)
