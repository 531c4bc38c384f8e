/*
 * test_translator.c - many sentences at once give what each gives alone, to
 * the bit, and the search finds what looking at everything finds.
 */
#include "tests/model/search/exhaustive.h"

#include <stdatomic.h>

/* ---- one sentence ---- */

START_TEST(greedy_search_takes_the_best_piece_at_each_step)
{
    enum { MODEL_STATE = 2 * 16 };
    const struct search_options greedy = { .beam = 1, .n_best = 1, .length_ratio = 2 };
    struct arena results, scratch;
    struct translation t;
    float state[2][MODEL_STATE], alignment[SOURCE_LEN], log_probs[60];

    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    new_results(&scratch);
    make_sources(usual.V, 1);
    for (int i = 0; i < 20; i++) {
        run(tr, &sources[i], 1, &greedy, &results, &t);
        const struct memory memory = encode_one(model, &sources[i], &results, &scratch);
        memcpy(state[0], memory.start, sizeof state[0]);
        int32_t piece = 2;
        for (int row = 0; row < rows_of(t.best); row++) {
            step_one(model, &memory, piece, state[row % 2], state[1 - row % 2], alignment,
                     log_probs, &scratch);
            piece = EOS;
            for (int id = EOS; id < usual.V; id++)
                piece = log_probs[id] > log_probs[piece] ? id : piece;
            ck_assert_int_eq(piece, row < t.best->T ? t.best->ids[row] : EOS);
            ck_assert_float_eq(log_probs[piece], t.best->log_probs[row]);
            ck_assert_mem_eq(alignment, t.best->alignment + row * t.best->S,
                             (size_t)memory.S * sizeof(float));
        }
    }
    arena_release(&scratch);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(what_a_hypothesis_says_of_itself_is_consistent)
{
    static struct translation out[SENTENCES];
    struct arena results;
    int finished = 0;

    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 2);
    run(tr, sources, SENTENCES, &four, &results, out);
    for (int i = 0; i < SENTENCES; i++) {
        ck_assert_int_ge(out[i].count, 1);
        for (int n = 0; n < out[i].count; n++) {
            const struct hypothesis *h = &out[i].best[n];
            float sum = 0;
            for (int t = 0; t < rows_of(h); t++) {
                float row = 0;
                for (int s = 0; s < h->S; s++)
                    row += h->alignment[t * h->S + s];
                ck_assert_float_le(fabsf(row - 1), 1e-5f);
                sum += h->log_probs[t];
            }
            for (int t = 0; t < h->T; t++)
                ck_assert(h->ids[t] > EOS && h->ids[t] < usual.V);
            ck_assert_int_eq(h->S, sources[i].len);
            ck_assert_int_le(rows_of(h), sources[i].len + 10);
            ck_assert_float_eq(sum, h->log_prob);
            ck_assert_float_eq(h->score, h->log_prob / powf((float)rows_of(h), four.length_power));
            if (n > 0 && h->finished)
                ck_assert_float_le(h->score, h[-1].score);
            finished += h->finished;
        }
    }
    ck_assert_int_gt(finished, SENTENCES);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(a_sentence_that_does_not_end_stops_at_its_limit)
{
    const struct random_model endless = {
        .V = 20, .width = 8, .seed = 1, .sharpness = 3, .ending = -100
    };
    struct arena results;
    struct translation t;

    struct model *model = random_model_load(&endless);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(endless.V, 3);
    for (int ratio = 0; ratio < 3; ratio++) {
        struct search_options options = four;
        options.length_ratio = (float)ratio;
        run(tr, &sources[0], 1, &options, &results, &t);
        ck_assert_int_eq(t.count, options.n_best);
        for (int n = 0; n < t.count; n++) {
            ck_assert(!t.best[n].finished);
            ck_assert_int_eq(t.best[n].T, ratio * sources[0].len + 10);
        }
    }
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

/* How often the pieces before `end` that are `n` long come in a row there. */
static int repeats_at(const struct hypothesis *h, int end, int n)
{
    int times = 1;
    for (int from = end - 2 * n; from >= 0; from -= n, times++)
        if (memcmp(h->ids + from, h->ids + end - n, (size_t)n * sizeof *h->ids) != 0)
            break;
    return times;
}

static int most_repeats(const struct hypothesis *h)
{
    int most = 0;
    for (int end = 1; end <= h->T; end++)
        for (int n = 1; n <= REPEATED_PIECES_MAX && n <= end; n++)
            if (repeats_at(h, end, n) > most)
                most = repeats_at(h, end, n);
    return most;
}

/* A model that does not end goes round in circles, unless it may not. */
START_TEST(nothing_comes_more_often_in_a_row_than_it_may)
{
    const struct random_model endless = {
        .V = 20, .width = 8, .seed = 1, .sharpness = 3, .ending = -100
    };
    struct arena results;
    struct translation t;
    int most = 0;

    struct model *model = random_model_load(&endless);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(endless.V, 3);
    for (int i = 0; i < 12; i++) {
        struct search_options options = four;
        options.beam = i % 2 ? 4 : 1;
        options.n_best = 1;
        options.length_ratio = 4;
        run(tr, &sources[i], 1, &options, &results, &t);
        most = most_repeats(t.best) > most ? most_repeats(t.best) : most;
        for (options.repeats = 1; options.repeats < 5; options.repeats++) {
            run(tr, &sources[i], 1, &options, &results, &t);
            ck_assert_int_gt(t.best->T, 0);
            ck_assert_int_le(most_repeats(t.best), options.repeats);
        }
    }
    ck_assert_int_gt(most, 5);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

/* ---- against looking at everything ---- */

/* No beam can promise this of every model, and of one in a hundred even 64 rows are too few: where
 * the best translation is a long one whose beginning looked bad. These are among the others. */
START_TEST(a_wide_beam_finds_what_looking_at_everything_finds)
{
    static const float powers[] = { 0, 0.8f, 1 };
    const struct random_model small = {
        .V = SMALL_V, .width = SMALL_WIDTH, .seed = 200 + (uint64_t)_i, .sharpness = 2, .ending = 2
    };
    const struct search_limits wide = { .sentences = 1,
                                        .beam = BEAM_MAX,
                                        .source_len = SOURCE_LEN };
    struct model *model = random_model_load(&small);
    struct translator *tr = new_translator(model, &wide);
    make_sources(small.V, 4 + (uint64_t)_i);
    for (int i = 0; i < 3; i++) {
        for (int penalty = 0; penalty < (i == 1 ? 2 : 1); penalty++) {
            const struct exhaustive wanted = { .models = { model },
                                               .model_count = 1,
                                               .power = powers[i],
                                               .penalty = 0.2f * (float)penalty };
            assert_finds_everything(tr, &sources[i], &wanted, WANTED);
        }
    }
    translator_free(tr);
    model_free(model);
}
END_TEST

/* ---- many sentences ---- */

/* Each alone, then beside other companions: neighbours in another order. */
static void assert_company_changes_nothing(const struct search_options *options)
{
    static const int sizes[] = { 2, 7, 64 };
    static struct translation alone[SENTENCES], together[SENTENCES];
    static struct source shuffled[SENTENCES];
    struct arena results;

    struct model *model = random_model_load(&usual);
    new_results(&results);
    make_sources(usual.V, 6);
    const struct search_limits one = { 1, limits.beam, limits.source_len };
    struct translator *tr = new_translator(model, &one);
    for (int i = 0; i < SENTENCES; i++)
        run(tr, &sources[i], 1, options, &results, &alone[i]);
    translator_free(tr);

    for (int k = 0; k < 3; k++) {
        const struct search_limits some = { sizes[k], limits.beam, limits.source_len };
        const int stride = 3 + 4 * k; // has no factor in common with SENTENCES
        tr = new_translator(model, &some);
        for (int i = 0; i < SENTENCES; i++)
            shuffled[i] = sources[i * stride % SENTENCES];
        run(tr, shuffled, SENTENCES, options, &results, together);
        for (int i = 0; i < SENTENCES; i++)
            assert_same(&together[i], &alone[i * stride % SENTENCES]);
        for (int from = 0; from < SENTENCES; from += sizes[k]) { // and in closed batches
            const int count = SENTENCES - from < sizes[k] ? SENTENCES - from : sizes[k];
            run(tr, sources + from, count, options, &results, together + from);
        }
        for (int i = 0; i < SENTENCES; i++)
            assert_same(&together[i], &alone[i]);
        translator_free(tr);
    }
    arena_release(&results);
    model_free(model);
}

/* On every instruction set of this machine; what the environment said comes back. */
START_TEST(a_sentence_gets_the_same_bits_alone_and_beside_others)
{
    static const char *const sets[] = { "portable", "avx2", "avx512" };
    const char *before = getenv("VERSO_ISA");
    char *kept = before ? strdup(before) : NULL;
    int tested = 0;

    for (int i = 0; i < 3; i++) {
        setenv("VERSO_ISA", sets[i], 1);
        if (!kernels_best())
            continue;
        const struct search_options greedy = { .beam = 1, .n_best = 1, .length_ratio = 1 };
        struct search_options covered = four;
        covered.coverage_penalty = 0.3f;
        covered.repeats = 1;
        assert_company_changes_nothing(&greedy);
        assert_company_changes_nothing(&four);
        if (tested == 0)
            assert_company_changes_nothing(&covered);
        tested++;
    }
    ck_assert_int_ge(tested, 1);
    unsetenv("VERSO_ISA");
    if (kept)
        setenv("VERSO_ISA", kept, 1);
    free(kept);
}
END_TEST

START_TEST(no_sentences_are_no_work)
{
    struct arena results;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    run(tr, NULL, 0, &four, &results, NULL);
    ck_assert_uint_eq(results.used, 0);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(searching_allocates_nothing_but_results)
{
    static struct translation out[SENTENCES];
    struct arena results;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 7);
    memory_fail_at(1);
    run(tr, sources, SENTENCES, &four, &results, out);
    ck_assert(!memory_failed());
    memory_fail_at(0);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

/* ---- cancelling ---- */

START_TEST(cancelled_sentences_get_nothing_and_others_all)
{
    static struct translation out[SENTENCES], all[SENTENCES];
    static atomic_bool yes = true, no = false;
    struct arena results;

    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 8);
    run(tr, sources, SENTENCES, &four, &results, all);
    for (int i = 0; i < SENTENCES; i++)
        sources[i].cancelled = i % 3 ? &no : &yes;
    run(tr, sources, SENTENCES, &four, &results, out);
    for (int i = 0; i < SENTENCES; i++) {
        if (i % 3) {
            assert_same(&out[i], &all[i]);
        } else {
            ck_assert_int_eq(out[i].count, 0);
            ck_assert_ptr_null(out[i].best);
        }
    }
    for (int i = 0; i < SENTENCES; i++)
        sources[i].cancelled = &yes;
    run(tr, sources, SENTENCES, &four, &results, out);
    for (int i = 0; i < SENTENCES; i++)
        ck_assert_int_eq(out[i].count, 0);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(sources_that_are_none_are_refused)
{
    static const int32_t fine[] = { 4, 5, 3 }, no_end[] = { 4, 5 }, negative[] = { -1, 3 },
                         beyond[] = { 60, 3 };
    static int32_t too_long[SOURCE_LEN + 1];
    const struct {
        struct source source;
        enum status status;
        const char *reason;
    } refused[] = {
        { { .ids = fine, .len = 0 }, STATUS_BAD_INPUT, "</s>" },
        { { .ids = no_end, .len = 2 }, STATUS_BAD_INPUT, "</s>" },
        { { .ids = negative, .len = 2 }, STATUS_BAD_INPUT, "piece -1" },
        { { .ids = beyond, .len = 2 }, STATUS_BAD_INPUT, "piece 60" },
        { { .ids = too_long, .len = SOURCE_LEN + 1 }, STATUS_TOO_LARGE, "17 pieces; at most 16" },
    };
    struct error err;
    struct arena results;
    struct translation out[2];

    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct source two[] = { { .ids = fine, .len = 3 }, refused[i].source };
        assert_status(translator_run(tr, two, 2, &four, &results, out, &err), refused[i].status);
        ck_assert_msg(strstr(err.text, refused[i].reason), "%s", err.text);
        ck_assert(out[0].count == 0 && out[1].count == 0);
        ck_assert_uint_eq(results.used, 0);
    }
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(options_and_limits_out_of_bounds_are_refused)
{
    static const struct search_options refused[] = {
        { .beam = 0, .n_best = 1 },
        { .beam = 5, .n_best = 1 },
        { .beam = 4, .n_best = 0 },
        { .beam = 4, .n_best = 5 },
        { .beam = 4, .n_best = 1, .length_power = -1 },
        { .beam = 4, .n_best = 1, .length_power = 5 },
        { .beam = 4, .n_best = 1, .length_power = NAN },
        { .beam = 4, .n_best = 1, .length_ratio = -0.5f },
        { .beam = 4, .n_best = 1, .length_ratio = 4.1f },
        { .beam = 4, .n_best = 1, .length_ratio = NAN },
        { .beam = 4, .n_best = 1, .coverage_penalty = -0.1f },
        { .beam = 4, .n_best = 1, .coverage_penalty = 10.1f },
        { .beam = 4, .n_best = 1, .coverage_penalty = NAN },
        { .beam = 4, .n_best = 1, .repeats = -1 },
        { .beam = 4, .n_best = 1, .repeats = REPEATS_MAX + 1 },
    };
    static const struct search_limits too_much[] = {
        { 0, 1, 1 }, { SENTENCES_MAX + 1, 1, 1 },  { 1, 0, 1 }, { 1, BEAM_MAX + 1, 1 },
        { 1, 1, 0 }, { 1, 1, SOURCE_LEN_MAX + 1 },
    };
    struct error err;
    struct arena results;
    struct translation out;
    struct translator *none;

    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 9);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_status(translator_run(tr, sources, 1, &refused[i], &results, &out, &err),
                      STATUS_BAD_INPUT);
    for (size_t i = 0; i < sizeof too_much / sizeof too_much[0]; i++) {
        assert_status(translator_new(&none, model, &too_much[i], &err), STATUS_BAD_INPUT);
        ck_assert_ptr_null(none);
    }
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(full_results_are_said_and_the_translator_goes_on)
{
    static struct translation out[SENTENCES], again[SENTENCES];
    struct error err;
    struct arena small, results;

    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    ck_assert(arena_init(&small, 40000));
    new_results(&results);
    make_sources(usual.V, 10);
    run(tr, sources, SENTENCES, &four, &results, out);
    assert_status(translator_run(tr, sources, SENTENCES, &four, &small, again, &err),
                  STATUS_NO_MEMORY);
    ck_assert_uint_eq(small.used, 0);
    for (int i = 0; i < SENTENCES; i++)
        ck_assert_int_eq(again[i].count, 0);
    run(tr, sources, SENTENCES, &four, &results, again);
    for (int i = 0; i < SENTENCES; i++)
        assert_same(&again[i], &out[i]);
    arena_release(&small);
    arena_release(&results);
    translator_free(tr);
    model_free(model);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    struct error err;
    struct translator *tr;
    bool failed = true;

    struct model *model = random_model_load(&usual);
    const long live = memory_live();
    for (long n = 1; failed; n++) {
        memory_fail_at(n);
        const enum status status = translator_new(&tr, model, &limits, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        translator_free(tr);
        ck_assert_int_eq(memory_live(), live);
    }
    model_free(model);
}
END_TEST

/* ---- sentences that come while others are on their way ---- */

START_TEST(who_comes_later_changes_nothing)
{
    struct arena results, alone;
    struct translation wanted[20];
    struct search searches[20];
    struct error err;
    struct model *model = random_model_load(&usual);
    const struct search_limits few = { .sentences = 3, .beam = 4, .source_len = SOURCE_LEN };
    struct translator *tr = new_translator(model, &few);
    new_results(&results);
    new_results(&alone);
    make_sources(usual.V, 3);
    for (int i = 0; i < 20; i++)
        run(tr, &sources[i], 1, &four, &alone, &wanted[i]);
    for (int next = 0, steps = 0; next < 20 || translator_in_flight(tr) > 0; steps++) {
        while (next < 20 && steps >= next) { // one comes with each step, if there is room
            searches[next] =
                (struct search){ .source = sources[next], .options = four, .results = &results };
            const enum status status = translator_add(tr, &searches[next], &err);
            if (status == STATUS_BUSY)
                break;
            assert_ok(status, err);
            next++;
        }
        translator_step(tr);
    }
    for (int i = 0; i < 20; i++) {
        ck_assert(searches[i].done && searches[i].status == STATUS_OK);
        assert_same(&searches[i].translation, &wanted[i]);
    }
    translator_free(tr);
    model_free(model);
    arena_release(&results);
    arena_release(&alone);
}
END_TEST

/* A result that does not fit is its own search's failure. */
START_TEST(a_full_arena_costs_the_others_nothing)
{
    struct arena results, tiny;
    struct search searches[2];
    struct error err;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    ck_assert(arena_init(&tiny, 64));
    make_sources(usual.V, 3);
    for (int i = 0; i < 2; i++) {
        searches[i] = (struct search){ .source = sources[i],
                                       .options = four,
                                       .results = i ? &results : &tiny };
        assert_ok(translator_add(tr, &searches[i], &err), err);
    }
    while (translator_in_flight(tr) > 0)
        translator_step(tr);
    ck_assert_int_eq(searches[0].status, STATUS_NO_MEMORY);
    ck_assert_int_eq(searches[0].translation.count, 0);
    ck_assert_uint_eq(tiny.used, 0);
    ck_assert_int_eq(searches[1].status, STATUS_OK);
    ck_assert_int_gt(searches[1].translation.count, 0);
    translator_free(tr);
    model_free(model);
    arena_release(&results);
    arena_release(&tiny);
}
END_TEST

/* ---- some of the vocabulary ---- */

/* </s> and every step-th piece from `first` on. */
static int make_list(int32_t *list, int first, int step)
{
    int count = 0;
    list[count++] = EOS;
    for (int id = first; id < usual.V; id += step)
        list[count++] = id;
    return count;
}

/* Greedy, as probabilities are shared among the pieces of the list: control pieces are on none. */
START_TEST(a_list_of_all_pieces_is_no_list)
{
    const struct search_options greedy = { .beam = 1, .n_best = 1, .length_ratio = 2 };
    struct arena results;
    struct translation narrow, whole;
    int32_t list[60];
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 9);
    const int count = make_list(list, FIRST_PIECE, 1);
    for (int i = 0; i < 10; i++) {
        run(tr, &sources[i], 1, &greedy, &results, &whole);
        sources[i].allowed = list;
        sources[i].allowed_count = count;
        run(tr, &sources[i], 1, &greedy, &results, &narrow);
        ck_assert_int_eq(whole.best[0].T, narrow.best[0].T);
        for (int t = 0; t < whole.best[0].T; t++)
            ck_assert_int_eq(whole.best[0].ids[t], narrow.best[0].ids[t]);
    }
    translator_free(tr);
    model_free(model);
    arena_release(&results);
}
END_TEST

/* What is left out counts with the mean of the list's logits, here that of </s> itself. */
START_TEST(what_a_list_leaves_out_keeps_its_share)
{
    const struct search_options greedy = { .beam = 1, .n_best = 1, .length_ratio = 2 };
    const int32_t end[] = { EOS };
    struct arena results;
    struct translation translation;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 9);
    for (int i = 0; i < 10; i++) {
        sources[i].allowed = end;
        sources[i].allowed_count = 1;
        run(tr, &sources[i], 1, &greedy, &results, &translation);
        ck_assert_int_eq(translation.best[0].T, 0);
        ck_assert_float_eq_tol(translation.best[0].log_prob, -logf((float)usual.V), 1e-5F);
    }
    translator_free(tr);
    model_free(model);
    arena_release(&results);
}
END_TEST

/* Lists whose union is narrow, wide, or beside sentences without one: the same bits, and nothing
 * that is not on the list. */
START_TEST(a_list_is_kept_and_company_changes_nothing)
{
    struct arena results;
    struct translation alone[30], together[30];
    int32_t lists[30][60];
    const int step = _i == 0 ? 20 : 3, firsts = _i == 0 ? 2 : 3;
    struct model *model = random_model_load(&usual);
    struct translator *tr = new_translator(model, &limits);
    new_results(&results);
    make_sources(usual.V, 9);
    for (int i = 0; i < 30; i++) {
        if (_i == 2 && i % 5 == 0)
            continue;
        sources[i].allowed = lists[i];
        sources[i].allowed_count = make_list(lists[i], FIRST_PIECE + i % firsts, step);
    }
    for (int i = 0; i < 30; i++)
        run(tr, &sources[i], 1, &four, &results, &alone[i]);
    run(tr, sources, 30, &four, &results, together);
    for (int i = 0; i < 30; i++) {
        assert_same(&alone[i], &together[i]);
        for (int t = 0; sources[i].allowed && t < alone[i].best[0].T; t++) {
            bool found = false;
            for (int k = 0; k < sources[i].allowed_count; k++)
                found |= sources[i].allowed[k] == alone[i].best[0].ids[t];
            ck_assert(found);
        }
    }
    translator_free(tr);
    model_free(model);
    arena_release(&results);
}
END_TEST

static const struct test_case cases[] = {
    TEST(greedy_search_takes_the_best_piece_at_each_step),
    TEST(what_a_hypothesis_says_of_itself_is_consistent),
    TEST(a_sentence_that_does_not_end_stops_at_its_limit),
    TEST(nothing_comes_more_often_in_a_row_than_it_may),
    TEST_LOOP(a_wide_beam_finds_what_looking_at_everything_finds, 12),
    TEST(a_sentence_gets_the_same_bits_alone_and_beside_others),
    TEST(no_sentences_are_no_work),
    TEST(searching_allocates_nothing_but_results),
    TEST(cancelled_sentences_get_nothing_and_others_all),
    TEST(sources_that_are_none_are_refused),
    TEST(options_and_limits_out_of_bounds_are_refused),
    TEST(full_results_are_said_and_the_translator_goes_on),
    TEST(every_failing_allocation_is_survived),
    TEST(who_comes_later_changes_nothing),
    TEST(a_full_arena_costs_the_others_nothing),
    TEST(a_list_of_all_pieces_is_no_list),
    TEST(what_a_list_leaves_out_keeps_its_share),
    TEST_LOOP(a_list_is_kept_and_company_changes_nothing, 3),
};

TEST_MAIN("model/search/translator", cases)
