/*
 * test_quality.c - every figure against sacreBLEU's (tests/reference/scores.json).
 */
#include "server/quality/quality.h"

#include "base/gzip.h"
#include "base/json.h"
#include "tests/helpers.h"

#define SAME_FIGURE 1e-6

static json_t *read_json(const char *path)
{
    struct bytes text;
    struct error err;
    json_t *root;
    bytes_init(&text, 1 << 20);
    assert_ok(bytes_read_file(&text, path, &err), err);
    assert_ok(json_parse(&root, text.data, text.len, &err), err);
    bytes_release(&text);
    return root;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(json_is_number(value), "no number %s", key);
    return json_number_value(value);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    ck_assert_msg(text != NULL, "no text %s", key);
    return text;
}

#define assert_same(got, object, key)                                                              \
    ck_assert_msg(fabs((got)-number(object, key)) < SAME_FIGURE, "%s: %.9f, expected %.9f", key,   \
                  (got), number(object, key))

static void assert_corpus(const struct quality_scores *got, const json_t *wanted)
{
    assert_same(got->bleu, wanted, "bleu");
    assert_same(got->bleu_lower, wanted, "bleu_lower");
    assert_same(got->brevity, wanted, "brevity");
    assert_same(got->chrf, wanted, "chrf");
    assert_same(got->chrfpp, wanted, "chrfpp");
    assert_same(got->ter, wanted, "ter");
    ck_assert_int_eq(got->hypothesis_words, (long)number(wanted, "hypothesis_words"));
    ck_assert_int_eq(got->reference_words, (long)number(wanted, "reference_words"));
    for (size_t n = 0; n < QUALITY_BLEU_ORDERS; n++) {
        double wanted_n =
            json_number_value(json_array_get(json_object_get(wanted, "precisions"), n));
        ck_assert_double_eq_tol(got->precisions[n], wanted_n, SAME_FIGURE);
    }
}

static int references_of(const json_t *sentence, const char *references[QUALITY_REFERENCES_MAX])
{
    const json_t *array = json_object_get(sentence, "references");
    int count = (int)json_array_size(array);
    for (int i = 0; i < count; i++)
        references[i] = json_string_value(json_array_get(array, (size_t)i));
    return count;
}

static const char *const groups[] = { "one_reference", "many_references" };

START_TEST(a_corpus_has_the_published_figures)
{
    json_t *root = read_json(TESTS_DIR "/reference/scores.json");
    const json_t *group = json_object_get(root, groups[_i]), *sentence;
    struct quality *q;
    struct quality_scores scores;
    struct error err;
    size_t at;
    assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
    json_array_foreach (json_object_get(group, "sentences"), at, sentence) {
        const char *references[QUALITY_REFERENCES_MAX];
        int count = references_of(sentence, references);
        assert_ok(quality_add(q, text_of(sentence, "hypothesis"), references, count, &err), err);
    }
    quality_scores(q, &scores);
    assert_corpus(&scores, json_object_get(group, "corpus"));
    quality_free(q);
    json_decref(root);
}
END_TEST

START_TEST(each_sentence_has_the_published_figures)
{
    json_t *root = read_json(TESTS_DIR "/reference/scores.json");
    const json_t *sentence;
    struct quality *q;
    struct quality_scores scores;
    struct error err;
    size_t at;
    assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
    json_array_foreach (json_object_get(json_object_get(root, groups[_i]), "sentences"), at,
                        sentence) {
        const char *references[QUALITY_REFERENCES_MAX],
            *hypothesis = text_of(sentence, "hypothesis");
        int count = references_of(sentence, references);
        quality_reset(q);
        assert_ok(quality_add(q, hypothesis, references, count, &err), err);
        quality_scores(q, &scores);
        assert_same(scores.bleu_lower, sentence, "bleu_lower");
        assert_same(scores.chrf, sentence, "chrf");
        assert_same(scores.chrfpp, sentence, "chrfpp");
        assert_same(scores.ter, sentence, "ter");
        if (scores.hypothesis_words >= QUALITY_BLEU_ORDERS)
            assert_same(scores.bleu, sentence, "sentence_bleu");
    }
    quality_free(q);
    json_decref(root);
}
END_TEST

START_TEST(the_shared_pairs_have_their_figures)
{
    if (access(SHARED_DIR "/reference/scores.json", R_OK) != 0) {
        puts("skipped: there is no shared folder beside the checkout");
        return;
    }
    json_t *root = read_json(SHARED_DIR "/reference/scores.json");
    const json_t *hypotheses = json_object_get(root, "hyp"),
                 *references = json_object_get(root, "ref");
    struct quality *all, *one;
    struct quality_scores scores;
    struct error err;
    assert_ok(quality_new(&all, QUALITY_ALL, &err), err);
    assert_ok(quality_new(&one, QUALITY_BLEU, &err), err);
    for (size_t i = 0; i < json_array_size(hypotheses); i++) {
        const char *hypothesis = json_string_value(json_array_get(hypotheses, i));
        const char *reference = json_string_value(json_array_get(references, i));
        const json_t *wanted = json_array_get(json_object_get(root, "per_sentence"), i);
        assert_ok(quality_add(all, hypothesis, &reference, 1, &err), err);
        quality_reset(one);
        assert_ok(quality_add(one, hypothesis, &reference, 1, &err), err);
        quality_scores(one, &scores);
        if (scores.hypothesis_words >= QUALITY_BLEU_ORDERS)
            ck_assert_double_eq_tol(scores.bleu, json_number_value(wanted), SAME_FIGURE);
    }
    quality_scores(all, &scores);
    quality_free(all);
    quality_free(one);
    assert_same(scores.bleu, root, "bleu");
    assert_same(scores.bleu_lower, root, "bleu_lc");
    assert_same(scores.brevity, root, "bp");
    assert_same(scores.chrf, root, "chrf");
    assert_same(scores.chrfpp, root, "chrfpp");
    assert_same(scores.ter, root, "ter");
    json_decref(root);
}
END_TEST

/* Real translations: stored are figures, the texts are in the shared folder. */
START_TEST(real_translations_have_the_published_figures)
{
    json_t *root = read_json(TESTS_DIR "/reference/scores.json"), *json;
    const json_t *wanted = json_array_get(json_object_get(root, "greedy"), (size_t)_i);
    char path[512];
    struct line_reader *in;
    struct line line;
    struct quality *q;
    struct quality_scores scores;
    struct error err;
    snprintf(path, sizeof path, "%s/models/%s.greedy.jsonl.gz", SHARED_DIR,
             text_of(wanted, "pair"));
    if (access(path, R_OK) != 0) {
        puts("skipped: there is no shared folder beside the checkout");
        json_decref(root);
        return;
    }
    assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
    assert_ok(line_reader_open(&in, path, &err), err);
    for (int i = 0; i < (int)number(wanted, "lines"); i++) {
        assert_ok(line_reader_next(in, &line, &err), err);
        assert_ok(json_parse(&json, line.text, line.len, &err), err);
        const char *reference = text_of(json, "reference");
        assert_ok(quality_add(q, text_of(json, "greedy"), &reference, 1, &err), err);
        json_decref(json);
    }
    quality_scores(q, &scores);
    assert_corpus(&scores, wanted);
    line_reader_close(in);
    quality_free(q);
    json_decref(root);
}
END_TEST

START_TEST(what_was_not_asked_for_is_zero)
{
    struct quality *q;
    struct quality_scores scores;
    struct error err;
    const char *reference = "a house by the sea";
    assert_ok(quality_new(&q, QUALITY_CHRF, &err), err);
    assert_ok(quality_add(q, reference, &reference, 1, &err), err);
    quality_scores(q, &scores);
    ck_assert_double_eq_tol(scores.chrf, 100, SAME_FIGURE);
    ck_assert_double_eq_tol(scores.chrfpp, 100, SAME_FIGURE);
    ck_assert_double_eq(scores.bleu, 0);
    ck_assert_double_eq(scores.brevity, 0);
    ck_assert_double_eq(scores.ter, 0);
    ck_assert_int_eq(scores.sentences, 1);
    quality_free(q);
}
END_TEST

START_TEST(nothing_at_all_scores_zero)
{
    struct quality *q;
    struct quality_scores scores;
    struct error err;
    assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
    quality_scores(q, &scores);
    ck_assert_int_eq(scores.sentences, 0);
    ck_assert_double_eq(scores.bleu, 0);
    ck_assert_double_eq(scores.chrf, 0);
    ck_assert_double_eq(scores.ter, 0);
    quality_free(q);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused)
{
    struct quality *q;
    struct error err;
    const char *good = "gut", *bad = "sch\xF6n";
    assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
    assert_status(quality_add(q, bad, &good, 1, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "hypothesis"));
    assert_status(quality_add(q, good, &bad, 1, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "reference"));
    quality_free(q);
}
END_TEST

START_TEST(limits_are_kept)
{
    static char longest[QUALITY_SENTENCE_BYTES_MAX + 2];
    static const char *many[QUALITY_REFERENCES_MAX + 1];
    const char *text = longest;
    struct quality *q;
    struct error err;
    for (size_t i = 0; i < sizeof longest - 1; i++)
        longest[i] = i % 2 ? ' ' : '.';
    for (int i = 0; i <= QUALITY_REFERENCES_MAX; i++)
        many[i] = "x";
    assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
    assert_status(quality_add(q, text, many, 1, &err), STATUS_TOO_LARGE);
    assert_status(quality_add(q, "x", many, QUALITY_REFERENCES_MAX + 1, &err), STATUS_TOO_LARGE);
    assert_status(quality_add(q, "x", many, 0, &err), STATUS_BAD_INPUT);
    longest[QUALITY_SENTENCE_BYTES_MAX] = '\0';
    assert_ok(quality_add(q, text, &text, 1, &err), err);
    assert_ok(quality_add(q, "x", many, QUALITY_REFERENCES_MAX, &err), err);
    quality_free(q);
}
END_TEST

/* At each allocation in turn: reported, nothing counted, nothing left behind. */
START_TEST(a_sentence_without_memory_is_not_counted)
{
    const char *reference = "the reference, a little longer than the first few bytes of any buffer";
    for (long nth = 1;; nth++) {
        struct quality *q;
        struct quality_scores scores;
        struct error err;
        assert_ok(quality_new(&q, QUALITY_ALL, &err), err);
        memory_fail_at(nth);
        enum status status = quality_add(q, "the hypothesis", &reference, 1, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        quality_scores(q, &scores);
        ck_assert_int_eq(scores.sentences, failed ? 0 : 1);
        assert_status(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert(scores.ter == 0 || !failed);
        assert_ok(quality_add(q, "the hypothesis", &reference, 1, &err), err);
        quality_free(q);
        ck_assert_int_eq(memory_live(), 0);
        if (!failed)
            break;
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(a_corpus_has_the_published_figures, 2),
    TEST_LOOP(each_sentence_has_the_published_figures, 2),
    TEST(the_shared_pairs_have_their_figures),
    TEST_LOOP(real_translations_have_the_published_figures, 4),
    TEST(what_was_not_asked_for_is_zero),
    TEST(nothing_at_all_scores_zero),
    TEST(text_that_is_not_utf8_is_refused),
    TEST(limits_are_kept),
    TEST(a_sentence_without_memory_is_not_counted),
};
TEST_MAIN("server/quality", cases)
