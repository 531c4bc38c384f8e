/*
 * test_phrases.c - translations that must contain phrases do, and are the best of those that do.
 */
#include "tests/model/search/exhaustive.h"

enum { CASES = 40 };

static const int32_t one[] = { 7 }, two[] = { 9, 12 }, three[] = { 12, 9, 12 },
                     same[] = { 20, 20, 20 },
                     longest[16] = { 4, 5, 6, 4, 5, 6, 4, 5, 6, 4, 5, 6, 7, 8, 9, 10 };
static const struct phrase phrases[] = {
    { one, 1 }, { two, 2 }, { three, 3 }, { same, 3 }, { longest, 16 }, { two, 2 }, { one, 1 },
};

static struct model *model;
static struct translator *tr;
static struct arena results;

static void setup(const struct random_model *r, int beam)
{
    const struct search_limits sized = { .sentences = 20, .beam = beam, .source_len = SOURCE_LEN };
    model = random_model_load(r);
    tr = new_translator(model, &sized);
    new_results(&results);
    make_sources(r->V, 61);
}

static void teardown(void)
{
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}

/* Some of the phrases, others for each sentence; many of few pieces for a narrow beam too. */
static void want_phrases(int i)
{
    sources[i].phrases = &phrases[i % 5];
    sources[i].phrase_count = i % 5 == 4 ? 1 : 1 + i / 5 % 3;
}

/* What the limit ended, too, if it is the best. */
START_TEST(every_translation_contains_its_phrases)
{
    static struct translation out[CASES];
    static const int beams[] = { 1, 2, 4, 12 };
    int finished = 0;
    setup(&usual, 12);
    for (int i = 0; i < CASES; i++)
        want_phrases(i);
    const struct search_options options = { .beam = beams[_i],
                                            .n_best = beams[_i] < 3 ? 1 : 3,
                                            .length_power = 0.8f,
                                            .length_ratio = 2,
                                            .repeats = 4 };
    run(tr, sources, CASES, &options, &results, out);
    for (int i = 0; i < CASES; i++)
        for (int n = 0; n < out[i].count; n++) {
            const struct hypothesis *h = &out[i].best[n];
            finished += n == 0 && h->finished;
            for (int k = 0; k < sources[i].phrase_count; k++)
                ck_assert((n > 0 && !h->finished) ||
                          contains(h->ids, h->T, &sources[i].phrases[k]));
            for (int t = 0; t < h->T; t++)
                ck_assert_int_gt(h->ids[t], EOS);
        }
    ck_assert_int_ge(finished, CASES / 2);
    teardown();
}
END_TEST

/* Of all that contain a phrase, the wide beam finds the best. */
START_TEST(a_wide_beam_finds_the_best_that_contains_them)
{
    static const int32_t a[] = { 5 }, b[] = { 6, 4 };
    static const struct phrase wanted[] = { { a, 1 }, { b, 2 } };
    const struct random_model small = {
        .V = SMALL_V, .width = SMALL_WIDTH, .seed = 200 + (uint64_t)_i, .sharpness = 2, .ending = 2
    };
    setup(&small, BEAM_MAX);
    const struct exhaustive all = { .models = { model }, .model_count = 1, .power = 0.8f };
    for (int i = 0; i < 2; i++) {
        sources[i].phrases = &wanted[i];
        sources[i].phrase_count = 1;
        assert_finds_everything(tr, &sources[i], &all, 1);
    }
    teardown();
}
END_TEST

START_TEST(company_changes_nothing)
{
    static struct translation alone[CASES], together[CASES];
    static const int32_t list[] = { 3, 5, 9, 20, 31, 44 }, beginning[] = { 9, 11 };
    setup(&usual, 4);
    for (int i = 0; i < CASES; i++) {
        if (i % 3)
            want_phrases(i);
        if (i % 4 == 0) {
            sources[i].forced = beginning;
            sources[i].forced_count = 2;
        }
        if (i % 5 == 0) {
            sources[i].allowed = list;
            sources[i].allowed_count = 6;
        }
    }
    for (int i = 0; i < CASES; i++)
        run(tr, &sources[i], 1, &four, &results, &alone[i]);
    run(tr, sources, CASES, &four, &results, together);
    for (int i = 0; i < CASES; i++)
        assert_same(&together[i], &alone[i]);
    teardown();
}
END_TEST

/* The beginning has "9", the phrase "9 12" may begin in it. */
START_TEST(a_phrase_may_begin_in_a_forced_beginning)
{
    static const int32_t beginning[] = { 4, 9, 12, 5 };
    struct translation with, without;
    const struct search_options greedy = { .beam = 1, .n_best = 1, .length_ratio = 2 };
    setup(&usual, 4);
    for (int i = 0; i < 10; i++) {
        sources[i].forced = beginning;
        sources[i].forced_count = 4;
        run(tr, &sources[i], 1, &greedy, &results, &without);
        sources[i].phrases = &phrases[1];
        sources[i].phrase_count = 1;
        run(tr, &sources[i], 1, &greedy, &results, &with);
        if (without.best->finished)
            assert_same(&with, &without); // it is there: nothing else is wanted
        ck_assert(contains(with.best->ids, with.best->T, &phrases[1]));
    }
    teardown();
}
END_TEST

START_TEST(phrases_that_are_none_are_refused)
{
    static const int32_t ends[] = { 5, EOS }, beyond[] = { 60 }, whole[] = { 5, EOS };
    static const struct phrase with_end[] = { { ends, 2 } }, outside[] = { { beyond, 1 } },
                               empty[] = { { ends, 0 } }, too_long[] = { { longest, 17 } },
                               many[PHRASES_MAX + 1] = { { one, 1 } };
    const struct {
        const struct phrase *phrases;
        int count;
        bool whole;
        enum status status;
        const char *reason;
    } refused[] = {
        { with_end, 1, false, STATUS_BAD_INPUT, "piece 3 cannot" },
        { outside, 1, false, STATUS_BAD_INPUT, "piece 60 cannot" },
        { empty, 1, false, STATUS_BAD_INPUT, "0 pieces" },
        { too_long, 1, false, STATUS_BAD_INPUT, "17 pieces" },
        { many, PHRASES_MAX + 1, false, STATUS_TOO_LARGE, "33 phrases" },
        { phrases, 1, true, STATUS_BAD_INPUT, "as a whole" },
    };
    struct translation t;
    struct error err;
    setup(&usual, 4);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct source source = sources[0];
        source.phrases = refused[i].phrases;
        source.phrase_count = refused[i].count;
        source.forced = whole;
        source.forced_count = refused[i].whole ? 2 : 0;
        assert_status(translator_run(tr, &source, 1, &four, &results, &t, &err), refused[i].status);
        ck_assert_msg(strstr(err.text, refused[i].reason), "%s", err.text);
    }
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(every_translation_contains_its_phrases, 4),
    TEST_LOOP(a_wide_beam_finds_the_best_that_contains_them, 6),
    TEST(company_changes_nothing),
    TEST(a_phrase_may_begin_in_a_forced_beginning),
    TEST(phrases_that_are_none_are_refused),
};

TEST_MAIN("model/search/phrases", cases)
