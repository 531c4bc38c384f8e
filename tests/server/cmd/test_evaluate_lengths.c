/*
 * test_evaluate_lengths.c - "verso evaluate" by the length of the source, and of attention.
 */
#include "base/json.h"
#include "tests/server/cmd/program.h"

#define NEAR 1e-6

/* Three short sources, one of 15 words. */
static const char short_pairs[] = "the cat sat.\tle chat est assis ici.\n"
                                  "a hat\tun chapeau qui est rouge\n"
                                  "in it\tdedans il y en a\n";
static const char long_pair[] = "a b c d e f g h i j k l m n o\tun deux trois quatre cinq\n";

static void setup(void)
{
    program_setup();
    program_write("short.tsv", short_pairs, strlen(short_pairs));
    program_write("long.tsv", long_pair, strlen(long_pair));
    char both[512];
    snprintf(both, sizeof both, "%s%s", short_pairs, long_pair);
    program_write("both.tsv", both, strlen(both));
    char model[160];
    snprintf(model, sizeof model, "%s/other.safetensors", program_folder);
    write_tiny_model(model, "en", "fr", 9);
    snprintf(model, sizeof model, "%s/none.safetensors", program_folder);
    write_tiny_model_with(model, "en", "fr", 9, ATTENTION_NONE);
}

static json_t *scores_of(const char *options)
{
    char words[512];
    struct error err;
    json_t *json;
    snprintf(words, sizeof words, "evaluate --json --beam 1 %s", options);
    struct said said = run_verso(words, "", 0);
    ck_assert_msg(said.code == 0, "%s: %s", words, said.errors.data);
    assert_ok(json_parse(&json, said.out.data, said.out.len - 1, &err), err);
    said_release(&said);
    return json;
}

static double number(const json_t *json, const char *key)
{
    ck_assert_msg(json_is_number(json_object_get(json, key)), "no number %s", key);
    return json_number_value(json_object_get(json, key));
}

static const json_t *bin_of(const json_t *json, size_t i)
{
    const json_t *bin = json_array_get(json_object_get(json, "lengths"), i);
    ck_assert_ptr_nonnull(bin);
    return bin;
}

START_TEST(a_bin_has_the_score_of_its_sentences_alone)
{
    static const char said[] = "le chat est assis la.\nun chapeau qui est bleu\n"
                               "dedans il y en a\nun deux trois cinq quatre\n";
    setup();
    program_write("hyp", said, strlen(said));
    program_write("hyp.short", said, (size_t)(strstr(said, "un deux") - said));
    json_t *all = scores_of("--hypothesis hyp --test both.tsv --lengths");
    json_t *alone = scores_of("--hypothesis hyp.short --test short.tsv");
    ck_assert_uint_eq(json_array_size(json_object_get(all, "lengths")), 2);
    const json_t *bin = bin_of(all, 0), *last = bin_of(all, 1);
    ck_assert_double_eq_tol(number(bin, "sentences"), 3, NEAR);
    ck_assert_double_eq_tol(number(bin, "from"), 1, NEAR);
    ck_assert_double_eq_tol(number(bin, "to"), 10, NEAR);
    ck_assert_double_eq_tol(number(bin, "words"), 7.0 / 3, NEAR);
    ck_assert_double_gt(number(bin, "bleu"), 1);
    ck_assert_double_eq_tol(number(bin, "bleu"), number(alone, "bleu"), NEAR);
    ck_assert_double_eq_tol(number(last, "from"), 11, NEAR);
    ck_assert_double_eq_tol(number(last, "words"), 15, NEAR);
    ck_assert_ptr_null(json_object_get(last, "bleu_against"));
    json_decref(all);
    json_decref(alone);
    program_teardown();
}
END_TEST

static void assert_sum(const json_t *json, const char *key, const char *words)
{
    double sum = 0, count = 0;
    for (size_t i = 0; i < 2; i++) {
        const json_t *attention = json_object_get(bin_of(json, i), "attention");
        sum += number(attention, key) * number(attention, words);
        count += number(attention, words);
    }
    ck_assert_double_eq_tol(number(json_object_get(json, "attention"), key), sum / count, NEAR);
}

START_TEST(attention_of_the_corpus_is_the_mean_of_its_bins)
{
    setup();
    json_t *json = scores_of("-m en-fr.safetensors --test both.tsv --attention");
    const json_t *attention = json_object_get(json, "attention");
    ck_assert_double_eq_tol(number(attention, "source_words"), 4 + 2 + 2 + 15, NEAR);
    ck_assert_double_ge(number(attention, "entropy"), 0);
    assert_sum(json, "covered", "source_words");
    assert_sum(json, "coverage_penalty", "source_words");
    assert_sum(json, "entropy", "target_words");
    json_t *threads = scores_of("-m en-fr.safetensors --test both.tsv --attention --threads 2");
    ck_assert(json_equal(json_object_get(threads, "attention"), attention));
    json_decref(threads);
    json_decref(json);
    program_teardown();
}
END_TEST

START_TEST(two_models_stand_beside_each_other)
{
    setup();
    json_t *json =
        scores_of("-m en-fr.safetensors --against other.safetensors --test both.tsv --plot a.svg");
    json_t *other = scores_of("-m other.safetensors --test both.tsv --lengths");
    for (size_t i = 0; i < 2; i++)
        ck_assert_double_eq_tol(number(bin_of(json, i), "bleu_against"),
                                number(bin_of(other, i), "bleu"), NEAR);
    struct bytes picture;
    program_read("a.svg", &picture);
    ck_assert_ptr_nonnull(strstr(picture.data, "<svg"));
    ck_assert_ptr_nonnull(strstr(picture.data, "en-fr"));
    ck_assert_ptr_nonnull(strstr(picture.data, "other"));
    bytes_release(&picture);
    json_decref(json);
    json_decref(other);
    program_teardown();
}
END_TEST

START_TEST(the_table_is_for_people)
{
    setup();
    struct said said = run_verso("evaluate -m en-fr.safetensors --against other.safetensors "
                                 "--test both.tsv --attention --plot all.svg",
                                 "", 0);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    ck_assert_ptr_nonnull(strstr(said.out.data, "attention: covered deviation"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "\nwords   sentences   BLEU  against covered"));
    ck_assert_ptr_nonnull(strstr(said.out.data, "\n1-10            3 "));
    ck_assert_ptr_nonnull(strstr(said.out.data, "\n11-20           1 "));
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_answered_by_what_to_write_instead)
{
    static const struct mistake mistakes[] = {
        { "evaluate --hypothesis hyp --test both.tsv --attention", "need --model", 2 },
        { "evaluate --hypothesis hyp --test both.tsv --against x", "need --model", 2 },
        { "evaluate --hypothesis hyp --reference both.tsv --lengths", "--lengths needs --test", 2 },
        { "evaluate -m none.safetensors --test both.tsv --attention", "has no attention", 3 },
        { "evaluate -m en-fr.safetensors --test short.tsv --plot a.txt", "svg", 2 },
        { "evaluate -m en-fr.safetensors --test short.tsv --against nowhere", "nowhere", 5 },
    };
    setup();
    program_write("hyp", "a\nb\nc\nd\n", 8);
    assert_mistakes(mistakes, sizeof mistakes / sizeof mistakes[0], "");
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_bin_has_the_score_of_its_sentences_alone),
    TEST(attention_of_the_corpus_is_the_mean_of_its_bins),
    TEST(two_models_stand_beside_each_other),
    TEST(the_table_is_for_people),
    TEST(mistakes_are_answered_by_what_to_write_instead),
};

TEST_MAIN("server/cmd/evaluate_lengths", cases)
