/*
 * test_wanted.c - phrases named by text: which sentence must have them, where they ended up, and
 * that company changes nothing.
 */
#include "tests/helpers.h"

#include "server/engine/engine.h"
#include "tests/tiny_model.h"

#define ARENA_BYTES ((size_t)1 << 28)

static struct error err;
static struct engine *engine;
static struct arena arena;
static char folder[64], path[512];

static void setup(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/en-fr.safetensors", folder);
    write_tiny_model(path, "en", "fr", 1);
    assert_ok(engine_load(&engine, path, WEIGHT_F32, &err), err);
    ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
    arena_release(&arena);
    engine_free(engine);
    remove_folder(folder);
}

static void translate(struct engine_text *texts, int count, int in_flight, int n_best,
                      struct engine_answer *answers)
{
    const struct engine_limits limits = {
        .sentences = in_flight, .beam = 5, .pieces = 48, .text_sentences = 100
    };
    struct search_options options = search_options_default();
    struct engine_worker *worker;
    options.n_best = n_best;
    assert_ok(engine_worker_new(&worker, engine, &limits, &err), err);
    assert_ok(engine_translate(worker, texts, count, &options, &arena, answers, &err), err);
    engine_worker_free(worker);
}

/* What texts[k] has in the place of the j-th phrase, without the space in front. */
static const char *place(const struct engine_sentence *sentence, int k, int j)
{
    static char text[64];
    struct span s = sentence->phrase_places[k * sentence->phrase_count + j];
    const char *from = sentence->texts[k].text + s.from;
    if (s.to > s.from && *from == ' ') {
        from++;
        s.from++;
    }
    snprintf(text, sizeof text, "%.*s", (int)(s.to - s.from), from);
    return text;
}

#define TWO "The old house here. Another house there."

START_TEST(the_sentence_that_holds_the_span_gets_its_phrase)
{
    const struct engine_phrase phrases[] = { { { 8, 13 }, "maison", 6 }, { { 28, 33 }, "X1", 2 } };
    struct engine_text text = {
        .text = TWO, .len = strlen(TWO), .phrases = phrases, .phrase_count = 2
    };
    struct engine_answer answer;
    setup();
    translate(&text, 1, 8, 3, &answer);
    ck_assert_int_eq(answer.sentence_count, 2);
    for (int i = 0; i < 2; i++) {
        const struct engine_sentence *s = &answer.sentences[i];
        ck_assert_int_eq(s->phrase_count, 1);
        ck_assert_int_eq(s->phrases[0], i);
        for (int k = 0; k < s->translation.count; k++)
            if (k == 0 || s->translation.best[k].finished)
                ck_assert_str_eq(place(s, k, 0), phrases[i].target);
    }
    teardown();
}
END_TEST

START_TEST(a_phrase_that_is_wanted_twice_has_two_places)
{
    const struct engine_phrase phrases[] = { { { 0, 3 }, "7", 1 },
                                             { { 4, 7 }, "X1", 2 },
                                             { { 8, 13 }, "7", 1 } };
    struct engine_text text = {
        .text = "One and other.", .len = 14, .phrases = phrases, .phrase_count = 3
    };
    struct engine_answer answer;
    setup();
    translate(&text, 1, 1, 1, &answer);
    const struct engine_sentence *s = answer.sentences;
    ck_assert_int_eq(s->phrase_count, 3);
    ck_assert_str_eq(place(s, 0, 0), "7");
    ck_assert_str_eq(place(s, 0, 2), "7");
    ck_assert_uint_ge(s->phrase_places[2].from, s->phrase_places[0].to);
    teardown();
}
END_TEST

START_TEST(what_is_over_the_limits_is_not_asked_for)
{
    static char longer[4 * PHRASE_PIECES_MAX];
    static struct engine_phrase phrases[PHRASES_MAX + 3];
    struct engine_answer answer;
    memset(longer, 'q', sizeof longer);
    phrases[0] = (struct engine_phrase){ { 0, 1 }, longer, sizeof longer };
    phrases[1] = (struct engine_phrase){ { 0, 1 }, "  ", 2 }; // no piece at all
    for (int i = 2; i < PHRASES_MAX + 3; i++)
        phrases[i] = (struct engine_phrase){ { 4, 5 }, "a", 1 };
    struct engine_text text = {
        .text = "The house.", .len = 10, .phrases = phrases, .phrase_count = PHRASES_MAX + 3
    };
    setup();
    translate(&text, 1, 1, 1, &answer);
    const struct engine_sentence *s = answer.sentences;
    ck_assert_int_eq(s->phrase_count, PHRASES_MAX);
    for (int j = 0; j < PHRASES_MAX; j++) {
        ck_assert_int_eq(s->phrases[j], j + 2);
        ck_assert_str_eq(place(s, 0, j), "a");
    }
    teardown();
}
END_TEST

/* Texts with phrases and without, which have a shortlist, in any company: the same bits. */
START_TEST(company_changes_no_bit_of_a_text_with_phrases)
{
    enum { TEXTS = 12 };
    static const char *const words[] = { "house", "file", "X1", "maison", "12", "fichier" };
    static char sentences[TEXTS][64];
    struct engine_phrase phrases[TEXTS];
    struct engine_text texts[TEXTS];
    struct engine_answer together[TEXTS], alone;
    char shipped[512];
    snprintf(shipped, sizeof shipped, "%s/../deploy/models/en-fr.safetensors", TESTS_DIR);
    assert_ok(engine_load(&engine, shipped, WEIGHT_F32, &err), err);
    ck_assert(arena_init(&arena, ARENA_BYTES));
    for (int i = 0; i < TEXTS; i++) {
        const char *word = words[i % 6];
        snprintf(sentences[i], sizeof sentences[i], "The %s is %s.", word,
                 i % 4 ? "open" : "never found in the old house");
        phrases[i] =
            (struct engine_phrase){ { 4, 5 }, words[(i + 2) % 6], strlen(words[(i + 2) % 6]) };
        texts[i] = (struct engine_text){ .text = sentences[i],
                                         .len = strlen(sentences[i]),
                                         .phrases = &phrases[i],
                                         .phrase_count = i % 3 != 0 };
    }
    translate(texts, TEXTS, 5, 1, together);
    for (int i = 0; i < TEXTS; i++) {
        translate(&texts[i], 1, 1, 1, &alone);
        const struct hypothesis *a = alone.sentences->translation.best;
        const struct hypothesis *b = together[i].sentences->translation.best;
        ck_assert_str_eq(alone.text, together[i].text);
        ck_assert_int_eq(a->T, b->T);
        ck_assert_mem_eq(a->log_probs, b->log_probs, (size_t)a->T * sizeof(float));
        ck_assert_mem_eq(a->alignment, b->alignment, (size_t)(a->T * a->S) * sizeof(float));
    }
    arena_release(&arena);
    engine_free(engine);
}
END_TEST

static const struct test_case cases[] = {
    TEST(the_sentence_that_holds_the_span_gets_its_phrase),
    TEST(a_phrase_that_is_wanted_twice_has_two_places),
    TEST(what_is_over_the_limits_is_not_asked_for),
    TEST(company_changes_no_bit_of_a_text_with_phrases),
};

TEST_MAIN("server/engine/wanted", cases)
