/*
 * test_reference.c - two trained models and what another implementation makes
 * of 1,000 sentences each: the same words, the same attention.
 *
 * 250 sentences a direction; all of them with VERSO_LONG=1 in the environment.
 */
#include "tests/helpers.h"

#include <stdint.h>
#include "base/bytes.h"
#include "base/gzip.h"
#include "base/json.h"
#include "model/model.h"
#include "model/search/translator.h"

#define SENTENCES_TESTED 250
#define SENTENCES_ALL 1000
#define SAME_IDS_LEAST 0.995      // the rest differ where two pieces are nearly equal
#define ATTENTION_TOLERANCE 1e-3f // the reference is rounded to 4 digits
#define LOG_PROB_TOLERANCE 1e-2f  // in double precision the reference is off by up to 0.004

enum { EOS = 3 };

struct expected {
    json_t *line; // holds the rest
    int32_t source[512];
    int source_len;
    const json_t *ids;       // </s> included, unless a length limit ended it
    const json_t *attention; // NULL for most
    float log_prob;
};

static struct expected expected[SENTENCES_ALL];
static struct translation translations[SENTENCES_ALL];

static int sentence_count(void)
{
    const char *all = getenv("VERSO_LONG");
    return all && strcmp(all, "1") == 0 ? SENTENCES_ALL : SENTENCES_TESTED;
}

static void read_expected(const char *pair, int count)
{
    struct error err;
    struct line_reader *in;
    struct line line;
    char path[256];

    snprintf(path, sizeof path, "%s/models/%s.greedy.jsonl.gz", SHARED_DIR, pair);
    assert_ok(line_reader_open(&in, path, &err), err);
    for (int i = 0; i < count; i++) {
        struct expected *e = &expected[i];
        assert_ok(line_reader_next(in, &line, &err), err);
        assert_ok(json_parse(&e->line, line.text, line.len, &err), err);
        const json_t *source = json_object_get(e->line, "source_ids");
        e->source_len = (int)json_array_size(source);
        ck_assert_int_lt(e->source_len, 511);
        for (int s = 0; s < e->source_len; s++)
            e->source[s] = (int32_t)json_integer_value(json_array_get(source, (size_t)s));
        e->source[e->source_len++] = EOS;
        e->ids = json_object_get(e->line, "greedy_ids");
        e->attention = json_object_get(e->line, "attention");
        e->log_prob = (float)json_number_value(json_object_get(e->line, "log_prob"));
    }
    line_reader_close(in);
}

static struct model *import(const char *pair, const char *folder)
{
    struct error err;
    struct model *model;
    struct bytes vocabulary;
    char weights[256], text[256], path[128];

    snprintf(weights, sizeof weights, "%s/models/%s.safetensors", SHARED_DIR, pair);
    snprintf(text, sizeof text, "%s/models/%s.vocab.tsv", SHARED_DIR, pair);
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, pair);
    bytes_init(&vocabulary, 1 << 20);
    assert_ok(bytes_read_file(&vocabulary, text, &err), err);
    struct model_texts texts = { .vocabulary = vocabulary.data, .card = "{}" };
    assert_ok(model_import(weights, &texts, path, &err), err);
    bytes_release(&vocabulary);
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    return model;
}

static void translate(const struct model *model, int count, struct arena *results)
{
    struct error err;
    struct translator *tr;
    const struct search_limits limits = { .sentences = 64, .beam = 1, .source_len = 128 };
    struct search_options greedy = search_options_default();
    static struct source sources[SENTENCES_ALL];

    greedy.beam = 1;
    for (int i = 0; i < count; i++)
        sources[i] = (struct source){ .ids = expected[i].source, .len = expected[i].source_len };
    assert_ok(translator_new(&tr, model, &limits, &err), err);
    assert_ok(translator_run(tr, sources, count, &greedy, results, translations, &err), err);
    translator_free(tr);
}

/* Where the reference ended without </s> at its own length limit, only what it has is compared. */
static bool same_ids(const struct hypothesis *got, const json_t *wanted)
{
    int n = (int)json_array_size(wanted);
    bool ended = n > 0 && json_integer_value(json_array_get(wanted, (size_t)n - 1)) == EOS;
    if (ended ? !got->finished || got->T != n - 1 : got->T < n)
        return false;
    for (int t = 0; t < n - ended; t++)
        if (got->ids[t] != json_integer_value(json_array_get(wanted, (size_t)t)))
            return false;
    return true;
}

static float attention_difference(const struct hypothesis *got, const json_t *wanted)
{
    float most = 0;
    for (size_t t = 0; t < json_array_size(wanted); t++) {
        const json_t *row = json_array_get(wanted, t);
        ck_assert_uint_eq(json_array_size(row), (size_t)got->S);
        for (size_t s = 0; s < json_array_size(row); s++) {
            float weight = (float)json_number_value(json_array_get(row, s));
            most = fmaxf(most, fabsf(weight - got->alignment[t * (size_t)got->S + s]));
        }
    }
    return most;
}

static void compare(const char *pair, int count)
{
    int same = 0, with_attention = 0;
    float attention = 0, log_prob = 0;

    for (int i = 0; i < count; i++) {
        const struct hypothesis *got = &translations[i].best[0];
        if (!same_ids(got, expected[i].ids))
            continue;
        same++;
        if (got->finished)
            log_prob = fmaxf(log_prob, fabsf(got->log_prob - expected[i].log_prob));
        if (expected[i].attention) {
            with_attention++;
            attention = fmaxf(attention, attention_difference(got, expected[i].attention));
        }
    }
    printf("%s: %d of %d the same; attention of %d differs by at most %.2g, log-probability by "
           "%.2g\n",
           pair, same, count, with_attention, (double)attention, (double)log_prob);
    ck_assert_int_ge(same, (int)(SAME_IDS_LEAST * count));
    ck_assert_int_ge(with_attention, count / 25 - 2);
    ck_assert_float_lt(attention, ATTENTION_TOLERANCE);
    ck_assert_float_lt(log_prob, LOG_PROB_TOLERANCE);
}

static void check_pair(const char *pair)
{
    struct arena results;
    char folder[64];
    const int count = sentence_count();

    make_folder(folder);
    read_expected(pair, count);
    struct model *model = import(pair, folder);
    ck_assert(arena_init(&results, (size_t)256 << 20));
    translate(model, count, &results);
    compare(pair, count);
    arena_release(&results);
    model_free(model);
    for (int i = 0; i < count; i++)
        json_decref(expected[i].line);
    remove_folder(folder);
}

START_TEST(english_to_french_is_as_the_reference)
{
    check_pair("en-fr");
}
END_TEST

START_TEST(french_to_english_is_as_the_reference)
{
    check_pair("fr-en");
}
END_TEST

static const struct test_case cases[] = {
    TEST(english_to_french_is_as_the_reference),
    TEST(french_to_english_is_as_the_reference),
};

int main(void)
{
    SKIP_WITHOUT_SHARED();
    return test_run("model/search/reference", cases, sizeof cases / sizeof cases[0]);
}
