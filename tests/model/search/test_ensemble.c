/*
 * test_ensemble.c - several models, and a language model, in one search: the numbers are those of
 * each put together by hand, and company changes none.
 */
#include "tests/model/search/exhaustive.h"

enum { CASES = 40, LM_WIDTH = 10, TARGET = 8 };

static struct arena results, scratch;

static void setup(void)
{
    new_results(&results);
    new_results(&scratch);
    make_sources(usual.V, 71);
}

static void teardown(void)
{
    arena_release(&scratch);
    arena_release(&results);
}

static struct model *random_lm(int V, uint64_t seed)
{
    static struct lm shape;
    const struct model_texts texts = { .vocabulary = RANDOM_VOCABULARY };
    struct error err;
    struct model *model;
    char folder[64], path[96];
    struct config config = config_default(KIND_LM);
    config.vocabulary = V;
    config.embedding = config.hidden = LM_WIDTH;
    lm_init(&shape, &config);
    float *values = memory_zeroed(shape.params.total, sizeof *values);
    ck_assert_ptr_nonnull(values);
    ck_assert(params_initialise(&shape.params, values, seed));
    const struct tensor embedding = params_find(&shape.params, "embedding")->tensor;
    for (int i = 0; i < embedding.rows * embedding.cols; i++)
        values[embedding.offset + (size_t)i] *= 3;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/lm.safetensors", folder);
    assert_ok(model_save(path, &shape.config, &shape.params, values, DTYPE_F32, &texts, &err), err);
    assert_ok(model_load(&model, path, KIND_LM, &err), err);
    memory_free(values);
    remove_folder(folder);
    return model;
}

static struct translator *translator_of(const struct ensemble *ensemble,
                                        const struct search_limits *sized)
{
    struct error err;
    struct translator *tr;
    assert_ok(translator_new_ensemble(&tr, ensemble, sized, &err), err);
    return tr;
}

static struct model *random_of(uint64_t seed)
{
    struct random_model r = usual;
    r.seed = seed;
    return random_model_load(&r);
}

/* ---- several models ---- */

START_TEST(a_model_and_itself_say_what_it_says_alone)
{
    static struct translation alone[CASES], twice[CASES];
    setup();
    struct model *model = random_of(5);
    const struct ensemble two = { .models = { model, model }, .count = 2 };
    struct translator *one = new_translator(model, &limits), *tr = translator_of(&two, &limits);
    run(one, sources, CASES, &four, &results, alone);
    run(tr, sources, CASES, &four, &results, twice);
    for (int i = 0; i < CASES; i++) {
        const struct hypothesis *x = alone[i].best, *y = twice[i].best;
        ck_assert_int_eq(x->T, y->T);
        ck_assert_mem_eq(x->ids, y->ids, (size_t)x->T * sizeof *x->ids);
        ck_assert_float_eq_tol(x->score, y->score, 1e-4f);
        for (int k = 0; k < rows_of(x) * x->S; k++)
            ck_assert_float_eq(x->alignment[k], y->alignment[k]);
    }
    translator_free(tr);
    translator_free(one);
    model_free(model);
    teardown();
}
END_TEST

START_TEST(a_wide_beam_finds_the_best_by_the_mean_of_two_models)
{
    struct random_model small = {
        .V = SMALL_V, .width = SMALL_WIDTH, .seed = 200 + (uint64_t)_i, .sharpness = 2, .ending = 2
    };
    const struct search_limits wide = { .sentences = 1,
                                        .beam = BEAM_MAX,
                                        .source_len = SOURCE_LEN };
    setup();
    struct model *first = random_model_load(&small);
    small.seed += 1000;
    struct model *second = random_model_load(&small);
    const struct ensemble two = { .models = { first, second }, .count = 2 };
    const struct exhaustive wanted = {
        .models = { first, second }, .model_count = 2, .power = 0.8f, .penalty = 0.1f
    };
    struct translator *tr = translator_of(&two, &wide);
    make_sources(small.V, 4 + (uint64_t)_i);
    for (int i = 0; i < 2; i++)
        assert_finds_everything(tr, &sources[i], &wanted, 1);
    translator_free(tr);
    model_free(second);
    model_free(first);
    teardown();
}
END_TEST

/* ---- a language model ---- */

/* Log-probabilities (V) of what comes behind each piece of a target, by the language model. */
static void step_lm(const struct model *model, const int32_t *target, int T, float *log_probs)
{
    const struct lm *lm = model_lm(model);
    float state[2][4 * LM_WIDTH] = { 0 };
    struct error err;
    ck_assert_int_le(lm_state_width(lm), 4 * LM_WIDTH);
    for (int t = 0; t < T; t++) {
        const int32_t id = t ? target[t - 1] : EOS;
        const struct lm_step step = { .N = 1,
                                      .ids = &id,
                                      .state = state[t % 2],
                                      .next_state = state[1 - t % 2],
                                      .log_probs = log_probs + t * usual.V };
        assert_ok(lm_step(lm, model_weights(model), &step, &scratch, &err), err);
    }
}

START_TEST(a_language_model_adds_its_weighted_share)
{
    static const int32_t target[TARGET] = { 7, 40, 12, 12, 9, 33, 21, EOS };
    struct translation without, with;
    float log_probs[TARGET * 60];
    setup();
    struct model *model = random_of(5), *lm = random_lm(usual.V, 3);
    const struct ensemble fused = { .models = { model }, .count = 1, .lm = lm, .lm_weight = 0.3f };
    struct translator *one = new_translator(model, &limits), *tr = translator_of(&fused, &limits);
    step_lm(lm, target, TARGET, log_probs);
    for (int i = 0; i < 10; i++) {
        sources[i].forced = target;
        sources[i].forced_count = TARGET;
        run(one, &sources[i], 1, &four, &results, &without);
        run(tr, &sources[i], 1, &four, &results, &with);
        for (int t = 0; t < TARGET; t++)
            ck_assert_float_eq_tol(
                with.best->log_probs[t],
                without.best->log_probs[t] + 0.3f * log_probs[t * usual.V + target[t]], 1e-5f);
    }
    translator_free(tr);
    translator_free(one);
    model_free(lm);
    model_free(model);
    teardown();
}
END_TEST

/* Rows that change places take the language model's states with them. */
START_TEST(what_was_found_with_a_language_model_is_worth_the_same_when_forced)
{
    static struct translation found[CASES], again;
    int32_t target[4 * SOURCE_LEN];
    setup();
    struct model *model = random_of(5), *other = random_of(6), *lm = random_lm(usual.V, 3);
    const struct ensemble fused = {
        .models = { model, other }, .count = 2, .lm = lm, .lm_weight = 0.5f
    };
    struct translator *tr = translator_of(&fused, &limits);
    int finished = 0;
    run(tr, sources, CASES, &four, &results, found);
    for (int i = 0; i < CASES; i++) {
        const struct hypothesis *h = found[i].best;
        if (!h->finished)
            continue;
        memcpy(target, h->ids, (size_t)h->T * sizeof *target);
        target[h->T] = EOS;
        sources[i].forced = target;
        sources[i].forced_count = h->T + 1;
        run(tr, &sources[i], 1, &four, &results, &again);
        found[i].count = 1;
        assert_same(&again, &found[i]);
        finished++;
    }
    ck_assert_int_gt(finished, CASES / 4);
    translator_free(tr);
    model_free(lm);
    model_free(other);
    model_free(model);
    teardown();
}
END_TEST

START_TEST(a_language_model_without_weight_changes_nothing)
{
    static struct translation without[CASES], with[CASES];
    setup();
    struct model *model = random_of(5), *lm = random_lm(usual.V, 3);
    const struct ensemble fused = { .models = { model }, .count = 1, .lm = lm };
    struct translator *one = new_translator(model, &limits), *tr = translator_of(&fused, &limits);
    run(one, sources, CASES, &four, &results, without);
    run(tr, sources, CASES, &four, &results, with);
    for (int i = 0; i < CASES; i++)
        assert_same(&with[i], &without[i]);
    translator_free(tr);
    translator_free(one);
    model_free(lm);
    model_free(model);
    teardown();
}
END_TEST

/* ---- both ---- */

START_TEST(company_changes_nothing)
{
    static struct translation alone[CASES], together[CASES];
    static const int32_t list[] = { 3, 5, 9, 20, 31, 44 }, piece[] = { 33 };
    static const struct phrase phrase = { piece, 1 };
    setup();
    struct model *model = random_of(5), *other = random_of(6), *lm = random_lm(usual.V, 3);
    const struct ensemble all = {
        .models = { model, other }, .count = 2, .lm = lm, .lm_weight = 0.2f
    };
    struct translator *tr = translator_of(&all, &limits);
    for (int i = 0; i < CASES; i++) {
        if (_i == 1 || i % 2) {
            sources[i].allowed = list;
            sources[i].allowed_count = 6;
        }
        sources[i].phrases = &phrase;
        sources[i].phrase_count = _i == 0 && i % 5 == 0;
    }
    for (int i = 0; i < CASES; i++)
        run(tr, &sources[i], 1, &four, &results, &alone[i]);
    run(tr, sources, CASES, &four, &results, together);
    for (int i = 0; i < CASES; i++)
        assert_same(&together[i], &alone[i]);
    translator_free(tr);
    model_free(lm);
    model_free(other);
    model_free(model);
    teardown();
}
END_TEST

START_TEST(models_of_other_vocabularies_are_refused)
{
    const struct random_model larger = { .V = 70, .width = 16, .seed = 1, .sharpness = 1 };
    struct error err;
    struct translator *none;
    setup();
    struct model *model = random_of(5), *other = random_model_load(&larger), *lm = random_lm(70, 1);
    const struct {
        struct ensemble ensemble;
        const char *reason;
    } refused[] = {
        { { .models = { model, model, other }, .count = 3 }, "model 3 has another vocabulary" },
        { { .models = { model }, .count = 1, .lm = lm, .lm_weight = 1 }, "language model has" },
        { { .models = { model }, .count = 0 }, "0 models" },
        { { .models = { model }, .count = ENSEMBLE_MAX + 1 }, "9 models" },
        { { .models = { model }, .count = 1, .lm_weight = -1 }, "weight" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_status(translator_new_ensemble(&none, &refused[i].ensemble, &limits, &err),
                      STATUS_BAD_INPUT);
        ck_assert_msg(strstr(err.text, refused[i].reason), "%s", err.text);
        ck_assert_ptr_null(none);
    }
    model_free(lm);
    model_free(other);
    model_free(model);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_model_and_itself_say_what_it_says_alone),
    TEST_LOOP(a_wide_beam_finds_the_best_by_the_mean_of_two_models, 3),
    TEST(a_language_model_adds_its_weighted_share),
    TEST(what_was_found_with_a_language_model_is_worth_the_same_when_forced),
    TEST(a_language_model_without_weight_changes_nothing),
    TEST_LOOP(company_changes_nothing, 2),
    TEST(models_of_other_vocabularies_are_refused),
};

TEST_MAIN("model/search/ensemble", cases)
