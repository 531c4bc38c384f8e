/*
 * exhaustive.h - all translations of a small model up to a length, and that a wide beam finds the
 * best of them.
 *
 *     const struct exhaustive wanted = { .models = { model }, .model_count = 1, .power = 0.8f };
 *     assert_finds_everything(translator, &source, &wanted, WANTED);
 */
#ifndef TESTS_MODEL_SEARCH_EXHAUSTIVE_H
#define TESTS_MODEL_SEARCH_EXHAUSTIVE_H

#include "tests/model/search/search_cases.h"

enum { SMALL_V = 8, SMALL_WIDTH = 6, WANTED = 5, MODELS = 2 };
enum {
    SMALL_STEPS = 10,
    STEPS_MAX = SMALL_STEPS + 2
}; // as a limit without a ratio has it, and with phrases

struct exhaustive {
    const struct model *models[MODELS]; // (model_count) the mean of their probabilities counts
    int model_count;
    float power, penalty;

    int steps; // most pieces, </s> included
    struct memory memories[MODELS];
    struct arena scratch;
    const struct phrase *phrases; // (phrase_count) that must be contained
    int phrase_count;
    int32_t prefix[STEPS_MAX];
    float alignment[STEPS_MAX][SOURCE_LEN]; // of the step behind each piece of the prefix
    struct {
        int32_t ids[STEPS_MAX];
        int T;
        float score;
    } best[WANTED + 1];
    int count;
};

struct all_states {
    float of[MODELS][2 * SMALL_WIDTH];
};

/* Wu et al. 2016: source pieces that were looked at less than once, </s> left out. */
static inline float penalty_of(const struct exhaustive *x, int T)
{
    float sum = 0;
    for (int s = 0; s < x->memories[0].S - 1; s++) {
        float seen = 0;
        for (int t = T; t >= 0; t--)
            seen += x->alignment[t][s];
        sum += logf(seen < 1 ? seen : 1);
    }
    return x->penalty > 0 ? x->penalty * sum : 0;
}

static inline bool contains(const int32_t *ids, int T, const struct phrase *phrase)
{
    for (int from = 0; from + phrase->count <= T; from++)
        if (memcmp(ids + from, phrase->ids, (size_t)phrase->count * sizeof *ids) == 0)
            return true;
    return false;
}

static inline void note_ending(struct exhaustive *x, int T, float total)
{
    const float score = total / powf((float)(T + 1), x->power) + penalty_of(x, T);
    int at = x->count;
    for (int i = 0; i < x->phrase_count; i++)
        if (!contains(x->prefix, T, &x->phrases[i]))
            return;
    for (; at > 0 && x->best[at - 1].score < score; at--)
        x->best[at] = x->best[at - 1];
    memcpy(x->best[at].ids, x->prefix, sizeof x->prefix);
    x->best[at].T = T;
    x->best[at].score = score;
    if (x->count < WANTED)
        x->count++;
}

/* A step of all models: the mean of what they say, in log_probs (V). */
static inline void step_all(struct exhaustive *x, int T, const struct all_states *states,
                            struct all_states *next, float *log_probs)
{
    float alignment[SOURCE_LEN], sum[SMALL_V] = { 0 };
    memset(x->alignment[T], 0, sizeof x->alignment[T]);
    for (int m = 0; m < x->model_count; m++) {
        step_one(x->models[m], &x->memories[m], T ? x->prefix[T - 1] : 2, states->of[m],
                 next->of[m], alignment, log_probs, &x->scratch);
        for (int id = 0; id < SMALL_V; id++)
            sum[id] += expf(log_probs[id]);
        for (int s = 0; s < x->memories[m].S; s++)
            x->alignment[T][s] += alignment[s] / (float)x->model_count;
    }
    for (int id = 0; id < SMALL_V && x->model_count > 1; id++)
        log_probs[id] = logf(sum[id] / (float)x->model_count);
}

/* Every continuation of the prefix, but for those that cannot come among the wanted any more. */
static inline void look_at_everything(struct exhaustive *x, int T, const struct all_states *states,
                                      float total)
{
    struct all_states next;
    float log_probs[SMALL_V];

    if (x->count == WANTED && total / powf((float)x->steps, x->power) < x->best[WANTED - 1].score)
        return;
    step_all(x, T, states, &next, log_probs);
    note_ending(x, T, total + log_probs[EOS]);
    for (int id = FIRST_PIECE; id < SMALL_V && T + 1 < x->steps; id++) {
        x->prefix[T] = id;
        look_at_everything(x, T + 1, &next, total + log_probs[id]);
    }
}

/* That the translator, of the same models, finds the `best` best. */
static inline void assert_finds_everything(struct translator *tr, const struct source *source,
                                           const struct exhaustive *wanted, int best)
{
    const struct search_options wide = { .beam = BEAM_MAX,
                                         .n_best = WANTED,
                                         .length_power = wanted->power,
                                         .length_ratio = 0,
                                         .coverage_penalty = wanted->penalty };
    struct exhaustive x = *wanted;
    struct arena results;
    struct translation t;
    struct all_states states;

    new_results(&results);
    new_results(&x.scratch);
    x.phrases = source->phrases;
    x.phrase_count = source->phrase_count;
    x.steps = SMALL_STEPS;
    for (int i = 0; i < x.phrase_count; i++)
        x.steps += x.phrases[i].count;
    ck_assert_int_le(x.steps, STEPS_MAX);
    for (int m = 0; m < x.model_count; m++) {
        x.memories[m] = encode_one(x.models[m], source, &results, &x.scratch);
        memcpy(states.of[m], x.memories[m].start, sizeof states.of[m]);
    }
    look_at_everything(&x, 0, &states, 0);
    run(tr, source, 1, &wide, &results, &t);

    ck_assert_int_ge(t.count, best);
    for (int n = 0; n < best; n++) {
        ck_assert(t.best[n].finished);
        ck_assert_int_eq(t.best[n].T, x.best[n].T);
        for (int i = 0; i < t.best[n].T; i++)
            ck_assert_int_eq(t.best[n].ids[i], x.best[n].ids[i]);
        if (x.model_count == 1)
            ck_assert_float_eq(t.best[n].score, x.best[n].score);
        else
            ck_assert_float_eq_tol(t.best[n].score, x.best[n].score, 1e-4f);
    }
    arena_release(&x.scratch);
    arena_release(&results);
}

#endif
