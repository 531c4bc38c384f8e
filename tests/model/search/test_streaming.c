/*
 * test_streaming.c - pieces told as they become certain: each once, in order, and never taken back.
 */
#include "tests/model/search/search_cases.h"

enum { TOLD_MAX = 200, CASES = 60 };

struct listener {
    int32_t ids[TOLD_MAX];
    int count, calls;
    int calls_after[TOLD_MAX]; // how many pieces each call told
    float alignment[TOLD_MAX]; // of each piece to the first source piece
    float log_probs[TOLD_MAX];
};

/* What is new of a search that still goes on. */
static void listen(struct listener *l, const struct translator *tr, const struct search *search)
{
    static char memory[1 << 16];
    struct arena arena = arena_over(memory, sizeof memory);
    struct hypothesis h;
    if (!translator_certain(tr, search, l->count, &arena, &h))
        return;
    ck_assert_int_gt(h.T, l->count);
    ck_assert_int_le(h.T, TOLD_MAX);
    ck_assert_mem_eq(h.ids, l->ids, (size_t)l->count * sizeof *h.ids);
    for (int t = 0; t < h.T; t++) {
        l->ids[t] = h.ids[t];
        l->log_probs[t] = h.log_probs[t];
        l->alignment[t] = h.alignment[t * h.S];
    }
    l->count = h.T;
    l->calls_after[l->calls++] = h.T;
    ck_assert(!translator_certain(tr, search, l->count, &arena, &h));
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
            listeners[next] = (struct listener){ 0 };
            searches[next] =
                (struct search){ .source = sources[next], .options = *options, .results = results };
            const enum status status = translator_add(tr, &searches[next], &err);
            if (status == STATUS_BUSY)
                break;
            assert_ok(status, err);
        }
        translator_step(tr);
        for (int i = from; i < next; i++)
            listen(&listeners[i], tr, &searches[i]);
        steps++;
    }
    return steps;
}

static void assert_told_truly(const struct listener *l, const struct search *search)
{
    const struct hypothesis *best = search->translation.best;
    ck_assert(search->done);
    ck_assert_int_le(l->count, best->T);
    ck_assert_mem_eq(l->ids, best->ids, (size_t)l->count * sizeof *best->ids);
    for (int t = 0; t < l->count; t++) {
        ck_assert_float_eq(l->log_probs[t], best->log_probs[t]);
        ck_assert_float_eq(l->alignment[t], best->alignment[t * best->S]);
    }
}

static const struct search_options of_beam[] = {
    { .beam = 1, .n_best = 1, .length_ratio = 2 },
    { .beam = 2, .n_best = 1, .length_power = 0.8f, .length_ratio = 2 },
    { .beam = 4, .n_best = 4, .length_power = 1, .length_ratio = 2, .coverage_penalty = 1 },
};

START_TEST(what_is_told_begins_the_best_translation)
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
            assert_told_truly(&listeners[i], &searches[i]);
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
        ck_assert_int_eq(listeners[i].calls, steps - 1); // after the last it is done
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
    assert_told_truly(&listeners[0], &searches[0]);
    ck_assert_int_eq(listeners[0].count, 4);
    ck_assert_int_eq(listeners[0].calls, 4);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(what_is_told_begins_the_best_translation, 6),
    TEST(greedy_search_tells_a_piece_a_step),
    TEST(company_changes_nothing),
    TEST(a_forced_target_is_told_piece_by_piece),
};

TEST_MAIN("model/search/streaming", cases)
