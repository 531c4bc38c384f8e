/*
 * test_forced.c - targets that are given: their probabilities and alignment are those of taking
 * step by step, and what is free behind a prefix is searched as ever.
 */
#include "tests/model/search/search_cases.h"

enum { STATE = 2 * 16, TARGET_MAX = 40, CASES = 40 };

static struct model *model;
static struct translator *tr;
static struct arena results, scratch;
static int32_t targets[CASES][TARGET_MAX];
static int target_lens[CASES];

static void setup(void)
{
    model = random_model_load(&usual);
    tr = new_translator(model, &limits);
    new_results(&results);
    new_results(&scratch);
    make_sources(usual.V, 21);
}

static void teardown(void)
{
    arena_release(&scratch);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}

/* Random pieces and </s>, some of them alone. */
static void make_targets(void)
{
    struct rng rng = rng_make(22, 0);
    for (int i = 0; i < CASES; i++) {
        const int len = 1 + (int)rng_below(&rng, TARGET_MAX);
        for (int t = 0; t < len - 1; t++)
            targets[i][t] =
                FIRST_PIECE + (int32_t)rng_below(&rng, (uint64_t)(usual.V - FIRST_PIECE));
        targets[i][len - 1] = EOS;
        target_lens[i] = len;
    }
}

static struct source forced(int i, const int32_t *target, int count)
{
    struct source source = sources[i];
    source.forced = target;
    source.forced_count = count;
    return source;
}

START_TEST(a_forced_target_has_the_probabilities_of_its_steps)
{
    float state[2][STATE], alignment[SOURCE_LEN], log_probs[60];
    struct translation t;
    setup();
    make_targets();
    for (int i = 0; i < CASES; i++) {
        const struct source source = forced(i, targets[i], target_lens[i]);
        run(tr, &source, 1, &four, &results, &t);
        ck_assert_int_eq(t.count, 1);
        ck_assert(t.best->finished);
        ck_assert_int_eq(t.best->T, target_lens[i] - 1);
        const struct memory memory = encode_one(model, &sources[i], &results, &scratch);
        memcpy(state[0], memory.start, sizeof state[0]);
        float sum = 0;
        for (int row = 0; row < target_lens[i]; row++) {
            step_one(model, &memory, row ? targets[i][row - 1] : 2, state[row % 2],
                     state[1 - row % 2], alignment, log_probs, &scratch);
            ck_assert_float_eq(t.best->log_probs[row], log_probs[targets[i][row]]);
            ck_assert_mem_eq(alignment, t.best->alignment + row * t.best->S,
                             (size_t)memory.S * sizeof(float));
            sum += log_probs[targets[i][row]];
            if (row < t.best->T)
                ck_assert_int_eq(t.best->ids[row], targets[i][row]);
        }
        ck_assert_float_eq(t.best->log_prob, sum);
    }
    teardown();
}
END_TEST

/* What a free search found is worth what it said when it is forced. */
START_TEST(a_translation_forced_again_is_the_same)
{
    static struct translation found[SENTENCES], again;
    int32_t target[2 * TARGET_MAX];
    setup();
    run(tr, sources, SENTENCES, &four, &results, found);
    for (int i = 0; i < SENTENCES; i++) {
        const struct hypothesis *h = found[i].best;
        if (!h->finished)
            continue;
        memcpy(target, h->ids, (size_t)h->T * sizeof *target);
        target[h->T] = EOS;
        const struct source source = forced(i, target, h->T + 1);
        run(tr, &source, 1, &four, &results, &again);
        found[i].count = 1;
        assert_same(&again, &found[i]);
    }
    teardown();
}
END_TEST

START_TEST(what_is_free_behind_a_prefix_is_searched_as_ever)
{
    static struct translation free_one[SENTENCES], t;
    const struct search_options greedy = { .beam = 1, .n_best = 1, .length_ratio = 1 };
    setup();
    run(tr, sources, SENTENCES, &greedy, &results, free_one);
    for (int i = 0; i < SENTENCES; i++) {
        const struct hypothesis *h = free_one[i].best;
        // its own beginning leads to itself; a longer one would move the limit
        for (int count = 1; count <= h->T && count <= sources[i].len; count += 3) {
            const struct source source = forced(i, h->ids, count);
            run(tr, &source, 1, &greedy, &results, &t);
            assert_same(&t, &free_one[i]);
        }
    }
    teardown();
}
END_TEST

START_TEST(every_hypothesis_begins_with_the_prefix)
{
    struct translation t;
    int different = 0;
    setup();
    make_targets();
    for (int i = 0; i < CASES; i++) {
        const int count = target_lens[i] - 1;
        const struct source source = forced(i, targets[i], count);
        run(tr, &source, 1, &four, &results, &t);
        ck_assert_int_ge(t.count, 1);
        for (int n = 0; n < t.count; n++) {
            ck_assert_int_ge(t.best[n].T, count);
            ck_assert_mem_eq(t.best[n].ids, targets[i], (size_t)count * sizeof(int32_t));
            different += t.best[n].T > count;
        }
    }
    ck_assert_int_gt(different, CASES);
    teardown();
}
END_TEST

/* Whole targets, prefixes, lists and free ones among each other. */
START_TEST(company_changes_nothing)
{
    static struct translation alone[CASES], together[CASES];
    static const int32_t list[] = { 3, 5, 9, 20, 31, 44 };
    struct source mixed[CASES];
    setup();
    make_targets();
    for (int i = 0; i < CASES; i++) {
        mixed[i] = i % 4 == 3 ? sources[i] : forced(i, targets[i], target_lens[i] - i % 2);
        if (i % 3 == 0) {
            mixed[i].allowed = list;
            mixed[i].allowed_count = 6;
        }
    }
    for (int i = 0; i < CASES; i++)
        run(tr, &mixed[i], 1, &four, &results, &alone[i]);
    run(tr, mixed, CASES, &four, &results, together);
    for (int i = 0; i < CASES; i++)
        assert_same(&together[i], &alone[i]);
    teardown();
}
END_TEST

START_TEST(targets_that_are_none_are_refused)
{
    static int32_t too_long[LENGTH_RATIO_MAX * SOURCE_LEN + 1];
    static const int32_t ends_early[] = { 5, EOS, 6 }, beyond[] = { 60, EOS };
    struct translation t;
    struct error err;
    setup();
    for (size_t i = 0; i < sizeof too_long / sizeof too_long[0]; i++)
        too_long[i] = 7;
    const struct {
        struct source source;
        enum status status;
        const char *reason;
    } refused[] = {
        { forced(0, ends_early, 3), STATUS_BAD_INPUT, "before its end" },
        { forced(0, beyond, 2), STATUS_BAD_INPUT, "piece 60" },
        { forced(0, too_long, 65), STATUS_TOO_LARGE, "65 pieces; at most 64" },
        { forced(0, too_long, -1), STATUS_TOO_LARGE, "-1" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_status(translator_run(tr, &refused[i].source, 1, &four, &results, &t, &err),
                      refused[i].status);
        ck_assert_msg(strstr(err.text, refused[i].reason), "%s", err.text);
    }
    too_long[63] = EOS;
    const struct source longest = forced(1, too_long, 64);
    run(tr, &longest, 1, &four, &results, &t);
    ck_assert_int_eq(t.best->T, 63);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_forced_target_has_the_probabilities_of_its_steps),
    TEST(a_translation_forced_again_is_the_same),
    TEST(what_is_free_behind_a_prefix_is_searched_as_ever),
    TEST(every_hypothesis_begins_with_the_prefix),
    TEST(company_changes_nothing),
    TEST(targets_that_are_none_are_refused),
};

TEST_MAIN("model/search/forced", cases)
