/*
 * test_language_model.c - scores that do not depend on company, samples that depend on their seed
 * alone, and files that are refused.
 */
#include "server/engine/language_model.h"

#include <math.h>

#include "tests/helpers.h"
#include "tests/tiny_model.h"

#define ROUNDING 1e-4 // of sums of float log-probabilities

static char folder[64], path[96];

/* Random weights; `pieces` more or fewer than its vocabulary has. */
static void begin(int pieces)
{
    struct error err;
    struct bytes tsv;
    struct lm shape;
    struct vocabulary *v = tiny_vocabulary();
    struct config config = config_default(KIND_LM);
    make_folder(folder);
    snprintf(path, sizeof path, "%s/lm.safetensors", folder);
    bytes_init(&tsv, 1 << 20);
    assert_ok(vocabulary_write_tsv(v, &tsv, &err), err);
    config.vocabulary = vocabulary_size(v) + pieces;
    config.embedding = config.hidden = TINY_WIDTH;
    config.decoder_layers = 2;
    lm_init(&shape, &config);
    float *values = memory_zeroed(shape.params.total, sizeof *values);
    ck_assert(values && params_initialise(&shape.params, values, 3));
    const struct model_texts texts = { .vocabulary = tsv.data };
    assert_ok(model_save(path, &config, &shape.params, values, DTYPE_F32, &texts, &err), err);
    memory_free(values);
    bytes_release(&tsv);
    vocabulary_free(v);
}

static struct language_model *load(void)
{
    struct language_model *lm;
    struct error err;
    assert_ok(language_model_load(&lm, path, &err), err);
    return lm;
}

static void end(struct language_model *lm)
{
    language_model_free(lm);
    remove_folder(folder);
}

static struct language_scorer *new_scorer(const struct language_model *lm)
{
    struct language_scorer *scorer;
    struct error err;
    assert_ok(language_scorer_new(&scorer, lm, &err), err);
    return scorer;
}

static const struct language_text texts[] = {
    { "the cat", 7 }, { "", 0 },  { "a somewhat longer line, then", 28 },
    { "x", 1 },       { "∞", 3 }, { "the cat", 7 },
};
#define TEXTS ((int)(sizeof texts / sizeof texts[0]))

START_TEST(a_text_has_the_same_score_alone_and_in_company)
{
    struct language_score together[TEXTS], alone;
    struct error err;
    begin(0);
    struct language_model *lm = load();
    struct language_scorer *scorer = new_scorer(lm);
    assert_ok(language_scorer_run(scorer, texts, TEXTS, false, together, &err), err);
    for (int i = TEXTS - 1; i >= 0; i--) {
        assert_ok(language_scorer_run(scorer, &texts[i], 1, false, &alone, &err), err);
        ck_assert_int_eq(memcmp(&alone, &together[i], sizeof alone), 0);
        ck_assert(alone.log_prob < 0);
    }
    ck_assert(together[0].log_prob == together[5].log_prob);
    language_scorer_free(scorer);
    end(lm);
}
END_TEST

/* "▁the", "▁c", "a", "t", </s>; an infinity sign is three bytes. */
START_TEST(pieces_words_and_characters_are_counted_with_the_end_of_the_line)
{
    struct language_score scores[TEXTS];
    struct error err;
    begin(0);
    struct language_model *lm = load();
    struct language_scorer *scorer = new_scorer(lm);
    assert_ok(language_scorer_run(scorer, texts, TEXTS, false, scores, &err), err);
    ck_assert_int_eq(scores[0].pieces, 5);
    ck_assert_int_eq(scores[0].words, 3);
    ck_assert_int_eq(scores[0].characters, 8);
    ck_assert_int_eq(scores[1].pieces, 1);
    ck_assert_int_eq(scores[1].words, 1);
    ck_assert_int_eq(scores[1].characters, 1);
    ck_assert_int_eq(scores[4].pieces, 5); // "▁", three bytes, </s>
    ck_assert_int_eq(scores[4].words, 2);
    ck_assert_int_eq(scores[4].characters, 2);
    language_scorer_free(scorer);
    end(lm);
}
END_TEST

/* Continued lines differ from lines for themselves but for the first, and not by how they are
 * dealt to calls. */
START_TEST(continued_lines_are_read_behind_each_other)
{
    struct language_score apart[TEXTS], at_once[TEXTS], one_by_one[TEXTS];
    struct error err;
    begin(0);
    struct language_model *lm = load();
    struct language_scorer *scorer = new_scorer(lm);
    assert_ok(language_scorer_run(scorer, texts, TEXTS, true, at_once, &err), err);
    language_scorer_free(scorer);
    scorer = new_scorer(lm);
    for (int i = 0; i < TEXTS; i++)
        assert_ok(language_scorer_run(scorer, &texts[i], 1, true, &one_by_one[i], &err), err);
    assert_ok(language_scorer_run(scorer, texts, TEXTS, false, apart, &err), err);
    for (int i = 0; i < TEXTS; i++) {
        ck_assert(at_once[i].log_prob == one_by_one[i].log_prob);
        ck_assert((fabs(at_once[i].log_prob - apart[i].log_prob) < ROUNDING) == (i == 0));
    }
    language_scorer_free(scorer);
    end(lm);
}
END_TEST

START_TEST(a_text_over_the_limit_is_refused)
{
    struct language_score score;
    struct error err;
    begin(0);
    struct language_model *lm = load();
    struct language_scorer *scorer = new_scorer(lm);
    char *text = malloc(LANGUAGE_TEXT_BYTES_MAX + 1);
    memset(text, 'a', LANGUAGE_TEXT_BYTES_MAX + 1);
    const struct language_text longer = { text, LANGUAGE_TEXT_BYTES_MAX + 1 };
    assert_status(language_scorer_run(scorer, &longer, 1, false, &score, &err), STATUS_TOO_LARGE);
    free(text);
    language_scorer_free(scorer);
    end(lm);
}
END_TEST

static struct bytes sample(const struct language_model *lm, struct language_sampling options,
                           uint64_t i)
{
    struct bytes text;
    struct error err;
    bytes_init(&text, 1 << 20);
    assert_ok(language_sample(lm, &options, i, &text, &err), err);
    return text;
}

START_TEST(a_sample_is_its_seed_and_its_number)
{
    const struct language_sampling options = {
        .prompt = "the", .temperature = 1, .length = 40, .lines = 1, .seed = 5
    };
    struct language_sampling other_seed = options;
    other_seed.seed = 6;
    begin(0);
    struct language_model *lm = load();
    struct bytes third = sample(lm, options, 2), again = sample(lm, options, 2);
    struct bytes fourth = sample(lm, options, 3), other = sample(lm, other_seed, 2);
    ck_assert_str_eq(third.data, again.data);
    ck_assert_str_ne(third.data, fourth.data);
    ck_assert_str_ne(third.data, other.data);
    ck_assert(strncmp(third.data, "the", 3) == 0);
    bytes_release(&third), bytes_release(&again), bytes_release(&fourth), bytes_release(&other);
    end(lm);
}
END_TEST

START_TEST(at_temperature_zero_no_seed_matters)
{
    struct language_sampling options = { .prompt = "", .length = 30, .lines = 1, .seed = 5 };
    struct language_sampling other = options;
    other.seed = 77;
    begin(0);
    struct language_model *lm = load();
    struct bytes a = sample(lm, options, 0), b = sample(lm, other, 9);
    ck_assert_str_eq(a.data, b.data);
    other.temperature = 1e-4; // next to nothing is nearly never another piece
    struct bytes cold = sample(lm, other, 0);
    ck_assert_str_eq(a.data, cold.data);
    bytes_release(&a), bytes_release(&b), bytes_release(&cold);
    end(lm);
}
END_TEST

START_TEST(length_is_counted_behind_the_prompt)
{
    struct language_sampling options = { .prompt = "xxxx", .length = 1, .lines = 1 };
    struct language_score score;
    struct error err;
    begin(0);
    struct language_model *lm = load();
    struct bytes text = sample(lm, options, 0);
    struct language_scorer *scorer = new_scorer(lm);
    const struct language_text line = { text.data, text.len - 1 };
    assert_ok(language_scorer_run(scorer, &line, 1, false, &score, &err), err);
    ck_assert_int_ge(score.pieces, 5);
    ck_assert_int_le(score.pieces, 6); // the prompt's four, at most one, and </s>
    language_scorer_free(scorer);
    bytes_release(&text);
    end(lm);
}
END_TEST

START_TEST(a_vocabulary_of_another_size_is_refused)
{
    struct language_model *lm;
    struct error err;
    begin(1);
    assert_status(language_model_load(&lm, path, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(lm);
    ck_assert_msg(strstr(err.text, path), "%s", err.text);
    remove_folder(folder);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    const struct language_sampling options = { .prompt = "a", .length = 3, .lines = 1 };
    struct language_model *lm;
    struct language_scorer *scorer;
    struct language_score score;
    struct error err;
    bool failed = true;
    begin(0);
    for (long nth = 1; failed; nth++) {
        struct bytes text;
        bytes_init(&text, 1 << 16);
        scorer = NULL;
        memory_fail_at(nth);
        enum status status = language_model_load(&lm, path, &err);
        if (status == STATUS_OK)
            status = language_scorer_new(&scorer, lm, &err);
        if (status == STATUS_OK)
            status = language_scorer_run(scorer, texts, 1, false, &score, &err);
        if (status == STATUS_OK)
            status = language_sample(lm, &options, 0, &text, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        bytes_release(&text);
        language_scorer_free(scorer);
        language_model_free(lm);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_text_has_the_same_score_alone_and_in_company),
    TEST(pieces_words_and_characters_are_counted_with_the_end_of_the_line),
    TEST(continued_lines_are_read_behind_each_other),
    TEST(a_text_over_the_limit_is_refused),
    TEST(a_sample_is_its_seed_and_its_number),
    TEST(at_temperature_zero_no_seed_matters),
    TEST(length_is_counted_behind_the_prompt),
    TEST(a_vocabulary_of_another_size_is_refused),
    TEST(every_failing_allocation_is_survived),
};
TEST_MAIN("server/engine/language_model", cases)
