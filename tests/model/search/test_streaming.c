/*
 * test_streaming.c - pieces told as they become certain: each once, in order, and never taken back.
 */
#include "tests/model/search/search_cases.h"

enum { TOLD_MAX = 200, CASES = 60 };

struct listener {
    int32_t ids[TOLD_MAX];
    int count, calls;
    int calls_after[TOLD_MAX]; // how many pieces each call told
    const struct search *search;
    bool told_late; // after it was said to be done
};

static void listen(void *context, const int32_t *ids, int known, int count)
{
    struct listener *l = context;
    ck_assert_int_eq(known, l->count);
    ck_assert_int_gt(count, known);
    ck_assert_int_le(count, TOLD_MAX);
    ck_assert_mem_eq(ids, l->ids, (size_t)known * sizeof *ids);
    memcpy(l->ids + known, ids + known, (size_t)(count - known) * sizeof *ids);
    l->count = count;
    l->calls_after[l->calls++] = count;
    l->told_late |= l->search->done;
}

static struct listener listeners[CASES];
static struct search searches[CASES];

/* As many at once as the translator takes; returns the steps. */
static int search_all(struct translator *tr, const struct search_options *options,
                      struct arena *results, int from, int count)
{
    struct error err;
    int next = from, steps = 0;
    while (next < from + count || translator_in_flight(tr) > 0) {
        for (; next < from + count; next++) {
            struct listener *l = &listeners[next];
            *l = (struct listener){ .search = &searches[next] };
            searches[next] = (struct search){ .source = sources[next],
                                              .options = *options,
                                              .results = results,
                                              .on_pieces = listen,
                                              .context = l };
            const enum status status = translator_add(tr, &searches[next], &err);
            if (status == STATUS_BUSY)
                break;
            assert_ok(status, err);
        }
        translator_step(tr);
        steps++;
    }
    return steps;
}

static void assert_told_all(const struct listener *l)
{
    const struct hypothesis *best = l->search->translation.best;
    ck_assert(l->search->done && !l->told_late);
    ck_assert_int_eq(l->count, best->T);
    ck_assert_mem_eq(l->ids, best->ids, (size_t)best->T * sizeof *best->ids);
}

static const struct search_options of_beam[] = {
    { .beam = 1, .n_best = 1, .length_ratio = 2 },
    { .beam = 2, .n_best = 1, .length_power = 0.8f, .length_ratio = 2 },
    { .beam = 4, .n_best = 4, .length_power = 1, .length_ratio = 2, .coverage_penalty = 1 },
};

START_TEST(what_was_told_is_the_best_translation)
{
    const struct random_model r = {
        .V = 30, .width = 12, .seed = 40 + (uint64_t)_i, .sharpness = 3, .ending = 1.5f
    };
    struct arena results;
    struct model *model = random_model_load(&r);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(r.V, 50 + (uint64_t)_i);
    for (int k = 0; k < 3; k++) {
        int early = 0;
        search_all(tr, &of_beam[k], &results, 0, CASES);
        for (int i = 0; i < CASES; i++) {
            assert_told_all(&listeners[i]);
            early += listeners[i].calls > 1;
        }
        ck_assert_int_gt(early, 0);
    }
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(greedy_search_tells_a_piece_a_step)
{
    struct arena results;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 51);
    for (int i = 0; i < 10; i++) {
        const int steps = search_all(tr, &of_beam[0], &results, i, 1);
        const struct hypothesis *best = searches[i].translation.best;
        ck_assert_int_eq(listeners[i].calls, best->T);
        ck_assert_int_eq(steps, best->T + best->finished);
    }
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(company_changes_nothing)
{
    static struct listener alone[CASES];
    struct arena results;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 52);
    for (int i = 0; i < CASES; i++) {
        search_all(tr, &four, &results, i, 1);
        alone[i] = listeners[i];
    }
    search_all(tr, &four, &results, 0, CASES);
    for (int i = 0; i < CASES; i++) {
        ck_assert_int_eq(listeners[i].calls, alone[i].calls);
        ck_assert_mem_eq(listeners[i].calls_after, alone[i].calls_after,
                         sizeof alone[i].calls_after);
        ck_assert_mem_eq(listeners[i].ids, alone[i].ids, sizeof alone[i].ids);
    }
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

/* A forced beginning is certain at once, and told as it is stepped through. */
START_TEST(a_forced_target_is_told_piece_by_piece)
{
    static const int32_t target[] = { 7, 9, 7, 11, EOS };
    struct arena results;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 53);
    sources[0].forced = target;
    sources[0].forced_count = 5;
    search_all(tr, &four, &results, 0, 1);
    assert_told_all(&listeners[0]);
    ck_assert_int_eq(listeners[0].calls, 4);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(what_was_told_is_the_best_translation, 6),
    TEST(greedy_search_tells_a_piece_a_step),
    TEST(company_changes_nothing),
    TEST(a_forced_target_is_told_piece_by_piece),
};

TEST_MAIN("model/search/streaming", cases)
