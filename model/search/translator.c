/*
 * translator.c - the sentences in flight: admitted, stepped together, collected.
 *
 *     waiting -> translator_add: a slot and a range of the pool -> encoded at the next step,
 *     with whoever came since -> a row a hypothesis, a step for all -> collected, slot and range free
 *
 * What the models say of the rows is in members.h.
 */
#include "model/search/translator.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "model/search/beam.h"
#include "model/search/members.h"
#include "model/search/phrases.h"
#include "model/search/pool.h"

#define TARGET_LEN_EXTRA 10 // target pieces allowed beyond length_ratio
#define ADMIT_SHARE 4 // those that wait do so for this share of the slots to be free, or, where
#define ADMIT_STEPS 4 // there are slots for all, until they are this share or for so many steps
#define USUAL_LEN 32  // pieces of a sentence, </s> included: room for as many as there are slots

struct slot {              // a sentence in flight
    struct search *search; // NULL: free
    bool encoded;
    char *room;                           // in the pool: what memory and beam point to
    struct memory memories[ENSEMBLE_MAX]; // its encoded form, of each model
    int first_row;                        // its hypotheses are these rows of the last step
    struct beam beam;
    struct phrases phrases;
};

struct translator {
    struct ensemble ensemble;
    struct search_limits limits;
    struct slot *slots; // (sentences)
    int in_flight;
    int steps_waited; // by those that there are slots for
    struct pool pool;
    struct members members;

    struct arena block;  // all of the following
    const int32_t **ids; // (sentences) to encode
    int *lens;
    struct memory **memories;

    struct arena scratch;
};

struct search_options search_options_default(void)
{
    return (struct search_options){
        .beam = 5, .n_best = 1, .length_power = 0.8f, .length_ratio = 3, .repeats = 8
    };
}

/* ---- life cycle ---- */

static enum status check_limits(const struct search_limits *limits, struct error *err)
{
    const struct {
        const char *name;
        int value, max;
    } bounds[] = {
        { "sentences", limits->sentences, SENTENCES_MAX },
        { "beam", limits->beam, BEAM_MAX },
        { "source_len", limits->source_len, SOURCE_LEN_MAX },
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (bounds[i].value < 1 || bounds[i].value > bounds[i].max)
            return error_set(err, STATUS_BAD_INPUT, "search: %s is %d; it must be 1 to %d",
                             bounds[i].name, bounds[i].value, bounds[i].max);
    return STATUS_OK;
}

/* What the room of a sentence depends on. */
struct extent {
    int S, width; // source pieces + </s>, rows
    int steps;    // most target pieces, </s> included
    int phrases, phrase_pieces;
};

static int steps_most(float length_ratio, int source_len)
{
    return (int)(length_ratio * (float)source_len) + TARGET_LEN_EXTRA;
}

static bool is_whole(const struct source *source)
{
    return source->forced_count > 0 && source->forced[source->forced_count - 1] == BEAM_EOS;
}

static int phrase_pieces(const struct source *source)
{
    int pieces = 0;
    for (int i = 0; i < source->phrase_count; i++)
        pieces += source->phrases[i].count;
    return pieces;
}

/* The pieces a sentence may use: what is given may be any. */
static const int32_t *allowed_of(const struct source *source)
{
    return source->forced_count > 0 || source->phrase_count > 0 ? NULL : source->allowed;
}

static struct extent extent_of(const struct source *source, const struct search_options *options)
{
    struct extent extent = { .S = source->len,
                             .width = options->beam,
                             .steps = steps_most(options->length_ratio, source->len),
                             .phrases = source->phrase_count,
                             .phrase_pieces = phrase_pieces(source) };
    const int given = source->forced_count + extent.phrase_pieces;
    if (is_whole(source)) {
        extent.width = 1;
        extent.steps = source->forced_count;
    } else if (given > 0 && given + TARGET_LEN_EXTRA > extent.steps) {
        extent.steps = given + TARGET_LEN_EXTRA;
    }
    return extent;
}

/* A pointer is NULL when the arena only measures. */
static void lay_out(struct translator *tr, struct arena *a)
{
    const int sentences = tr->limits.sentences;
    tr->ids = arena_array(a, const int32_t *, sentences);
    tr->lens = arena_array(a, int, sentences);
    tr->memories = arena_array(a, struct memory *, sentences);
    members_lay_out(&tr->members, &tr->ensemble, &tr->limits, a);
}

static void lay_out_room(const struct translator *tr, struct extent extent, struct arena *arena,
                         struct slot *slot)
{
    members_sentence_lay_out(&tr->members, extent.S, arena, slot->memories);
    beam_lay_out(&slot->beam, arena, extent.width, extent.S, extent.steps);
    if (extent.phrases > 0)
        phrases_lay_out(&slot->phrases, arena, extent.width, extent.phrases, extent.phrase_pieces);
}

/* What a sentence takes of the pool. */
static size_t room_bytes(const struct translator *tr, struct extent extent)
{
    struct arena measure = arena_measure();
    struct slot slot;
    lay_out_room(tr, extent, &measure, &slot);
    return measure.used;
}

/* Any one sentence fits, and usual ones in all slots. */
static size_t pool_bytes(const struct translator *tr)
{
    const struct search_limits *limits = &tr->limits;
    const int most = limits->source_len, usual = most < USUAL_LEN ? most : USUAL_LEN;
    const struct extent largest = { .S = most,
                                    .width = limits->beam,
                                    .steps = steps_most(LENGTH_RATIO_MAX, most),
                                    .phrases = PHRASES_MAX,
                                    .phrase_pieces = PHRASES_MAX * PHRASE_PIECES_MAX };
    const struct extent others = { .S = usual,
                                   .width = limits->beam,
                                   .steps = steps_most(LENGTH_RATIO_MAX, usual) };
    return room_bytes(tr, largest) + (size_t)(limits->sentences - 1) * room_bytes(tr, others);
}

static bool allocate(struct translator *tr)
{
    struct arena size = arena_measure();
    tr->slots = memory_zeroed((size_t)tr->limits.sentences, sizeof *tr->slots);
    if (!tr->slots)
        return false;
    lay_out(tr, &size);
    if (!arena_init(&tr->block, size.used) ||
        !arena_init(&tr->scratch, members_scratch_bytes(&tr->ensemble, &tr->limits)) ||
        !pool_init(&tr->pool, pool_bytes(tr)))
        return false;
    lay_out(tr, &tr->block);
    members_clear(&tr->members);
    return true;
}

static bool is_same_vocabulary(const struct model *a, const struct model *b)
{
    return model_config(a)->vocabulary == model_config(b)->vocabulary &&
           strcmp(model_texts(a).vocabulary, model_texts(b).vocabulary) == 0;
}

static enum status check_ensemble(const struct ensemble *ensemble, struct error *err)
{
    if (ensemble->count < 1 || ensemble->count > ENSEMBLE_MAX)
        return error_set(err, STATUS_BAD_INPUT, "%d models are given; it must be 1 to %d",
                         ensemble->count, ENSEMBLE_MAX);
    if (!(ensemble->lm_weight >= 0 && ensemble->lm_weight <= LM_WEIGHT_MAX))
        return error_set(err, STATUS_BAD_INPUT,
                         "the weight of the language model is %g; it must be 0 to %d",
                         (double)ensemble->lm_weight, LM_WEIGHT_MAX);
    for (int i = 1; i < ensemble->count; i++)
        if (!is_same_vocabulary(ensemble->models[0], ensemble->models[i]))
            return error_set(err, STATUS_BAD_INPUT,
                             "model %d has another vocabulary than the first: only models of one "
                             "vocabulary translate together",
                             i + 1);
    if (ensemble->lm && !is_same_vocabulary(ensemble->models[0], ensemble->lm))
        return error_set(err, STATUS_BAD_INPUT,
                         "the language model has another vocabulary than the model: train one with "
                         "the model's vocabulary");
    return STATUS_OK;
}

enum status translator_new(struct translator **out, const struct model *model,
                           const struct search_limits *limits, struct error *err)
{
    const struct ensemble one = { .models = { model }, .count = 1 };
    return translator_new_ensemble(out, &one, limits, err);
}

enum status translator_new_ensemble(struct translator **out, const struct ensemble *ensemble,
                                    const struct search_limits *limits, struct error *err)
{
    *out = NULL;
    enum status status = check_limits(limits, err);
    if (status == STATUS_OK)
        status = check_ensemble(ensemble, err);
    if (status != STATUS_OK)
        return status;
    struct translator *tr = memory_zeroed(1, sizeof *tr);
    if (tr) {
        tr->ensemble = *ensemble;
        tr->limits = *limits;
    }
    if (!tr || !allocate(tr)) {
        translator_free(tr);
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory to search %d sentences of %d pieces with a beam of %d; lower "
                         "one of them",
                         limits->sentences, limits->source_len, limits->beam);
    }
    *out = tr;
    return STATUS_OK;
}

void translator_free(struct translator *tr)
{
    if (!tr)
        return;
    pool_release(&tr->pool);
    arena_release(&tr->scratch);
    arena_release(&tr->block);
    memory_free(tr->slots);
    memory_free(tr);
}

/* ---- what is asked ---- */

static enum status check_options(const struct translator *tr, const struct search_options *options,
                                 struct error *err)
{
    if (options->beam < 1 || options->beam > tr->limits.beam)
        return error_set(err, STATUS_BAD_INPUT, "the beam is %d; it must be 1 to %d", options->beam,
                         tr->limits.beam);
    if (options->n_best < 1 || options->n_best > options->beam)
        return error_set(err, STATUS_BAD_INPUT,
                         "%d translations of a sentence are wanted; with a beam of %d it must be 1 "
                         "to %d",
                         options->n_best, options->beam, options->beam);
    if (!(options->length_power >= 0 && options->length_power <= LENGTH_POWER_MAX))
        return error_set(err, STATUS_BAD_INPUT, "the length power is %g; it must be 0 to %d",
                         (double)options->length_power, LENGTH_POWER_MAX);
    if (!(options->length_ratio >= 0 && options->length_ratio <= LENGTH_RATIO_MAX))
        return error_set(err, STATUS_BAD_INPUT, "the length ratio is %g; it must be 0 to %d",
                         (double)options->length_ratio, LENGTH_RATIO_MAX);
    if (!(options->coverage_penalty >= 0 && options->coverage_penalty <= COVERAGE_PENALTY_MAX))
        return error_set(err, STATUS_BAD_INPUT, "the coverage penalty is %g; it must be 0 to %d",
                         (double)options->coverage_penalty, COVERAGE_PENALTY_MAX);
    if (options->repeats < 0 || options->repeats > REPEATS_MAX)
        return error_set(err, STATUS_BAD_INPUT, "the repeats are %d; they must be 0 to %d",
                         options->repeats, REPEATS_MAX);
    return STATUS_OK;
}

static enum status check_pieces(const int32_t *ids, int count, int V, struct error *err)
{
    for (int i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= V)
            return error_set(err, STATUS_BAD_INPUT, "piece %d is not in the vocabulary of %d",
                             (int)ids[i], V);
    return STATUS_OK;
}

static enum status check_forced(const struct translator *tr, const struct source *source,
                                struct error *err)
{
    const int most = LENGTH_RATIO_MAX * tr->limits.source_len;
    if (source->forced_count < 0 || source->forced_count > most)
        return error_set(err, STATUS_TOO_LARGE, "a target has %d pieces; at most %d are possible",
                         source->forced_count, most);
    for (int i = 0; i < source->forced_count - 1; i++)
        if (source->forced[i] == BEAM_EOS)
            return error_set(err, STATUS_BAD_INPUT, "a target has </s> before its end");
    return check_pieces(source->forced, source->forced_count, tr->members.V, err);
}

static enum status check_phrase(const struct phrase *phrase, int V, struct error *err)
{
    if (phrase->count < 1 || phrase->count > PHRASE_PIECES_MAX)
        return error_set(err, STATUS_BAD_INPUT, "a phrase has %d pieces; it must have 1 to %d",
                         phrase->count, PHRASE_PIECES_MAX);
    for (int i = 0; i < phrase->count; i++)
        if (phrase->ids[i] <= BEAM_EOS || phrase->ids[i] >= V)
            return error_set(err, STATUS_BAD_INPUT, "piece %d cannot be in a phrase",
                             (int)phrase->ids[i]);
    return STATUS_OK;
}

static enum status check_phrases(const struct translator *tr, const struct source *source,
                                 struct error *err)
{
    const int most = LENGTH_RATIO_MAX * tr->limits.source_len;
    enum status status = STATUS_OK;
    if (source->phrase_count < 0 || source->phrase_count > PHRASES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%d phrases are wanted; at most %d are possible",
                         source->phrase_count, PHRASES_MAX);
    if (source->phrase_count > 0 && is_whole(source))
        return error_set(err, STATUS_BAD_INPUT, "a target that is given as a whole has no phrases");
    for (int i = 0; i < source->phrase_count && status == STATUS_OK; i++)
        status = check_phrase(&source->phrases[i], tr->members.V, err);
    const int given = source->forced_count + (status == STATUS_OK ? phrase_pieces(source) : 0);
    if (given > most)
        return error_set(err, STATUS_TOO_LARGE,
                         "beginning and phrases have %d pieces; at most %d are possible", given,
                         most);
    return status;
}

static enum status check_source(const struct translator *tr, const struct source *source,
                                struct error *err)
{
    const int V = tr->members.V;
    if (source->len > tr->limits.source_len)
        return error_set(err, STATUS_TOO_LARGE, "a sentence has %d pieces; at most %d are possible",
                         source->len, tr->limits.source_len);
    if (source->len < 1 || source->ids[source->len - 1] != BEAM_EOS)
        return error_set(err, STATUS_BAD_INPUT, "a sentence does not end in </s>");
    enum status status = check_pieces(source->ids, source->len, V, err);
    if (status == STATUS_OK)
        status = check_forced(tr, source, err);
    return status == STATUS_OK ? check_phrases(tr, source, err) : status;
}

/* ---- in and out ---- */

static void leave(struct translator *tr, struct slot *slot)
{
    pool_give(&tr->pool, slot->room);
    slot->search = NULL;
    tr->in_flight--;
}

static void finish(struct translator *tr, struct slot *slot, enum status status)
{
    struct search *search = slot->search;
    leave(tr, slot);
    search->status = status;
    search->done = true; // from here on it is the caller's again
}

/* The room becomes memory and beam. */
static void enter(const struct translator *tr, struct slot *slot, struct extent extent,
                  size_t bytes)
{
    const struct source *source = &slot->search->source;
    struct search_options options = slot->search->options;
    struct arena arena = arena_over(slot->room, bytes);
    lay_out_room(tr, extent, &arena, slot);
    if (is_whole(source))
        options.beam = options.n_best = 1;
    beam_start(&slot->beam, &options, extent.S, extent.steps);
    beam_force(&slot->beam, source->forced, source->forced_count);
    if (source->phrase_count > 0) {
        phrases_start(&slot->phrases, source->phrases, source->phrase_count);
        beam_require(&slot->beam, &slot->phrases);
    }
}

static struct slot *free_slot(struct translator *tr)
{
    for (int i = 0; i < tr->limits.sentences; i++)
        if (!tr->slots[i].search)
            return &tr->slots[i];
    return NULL;
}

enum status translator_add(struct translator *tr, struct search *search, struct error *err)
{
    const struct search_options *options = &search->options;
    const struct source *source = &search->source;
    enum status status = check_options(tr, options, err);
    if (status == STATUS_OK)
        status = check_source(tr, source, err);
    if (status != STATUS_OK)
        return status;
    struct slot *slot = free_slot(tr);
    const struct extent extent = extent_of(source, options);
    const size_t bytes = room_bytes(tr, extent);
    char *room = slot ? pool_take(&tr->pool, bytes) : NULL;
    if (!room)
        return error_set(err, STATUS_BUSY, "the translator is full: step first");

    *slot = (struct slot){ .search = search, .room = room };
    enter(tr, slot, extent, bytes);
    search->done = false;
    search->translation = (struct translation){ .best = NULL, .count = 0 };
    tr->in_flight++;
    return STATUS_OK;
}

int translator_in_flight(const struct translator *tr)
{
    return tr->in_flight;
}

bool translator_is_time_to_add(struct translator *tr, int waiting)
{
    const int free = tr->limits.sentences - tr->in_flight;
    if (waiting == 0 || free == 0)
        return false;
    if (waiting > free)
        return tr->in_flight == 0 || free >= tr->limits.sentences / ADMIT_SHARE;
    if (waiting < tr->in_flight / ADMIT_SHARE && tr->steps_waited++ < ADMIT_STEPS)
        return false;
    tr->steps_waited = 0;
    return true;
}

/* ---- a step ---- */

static bool is_cancelled(const struct source *source)
{
    return source->cancelled && atomic_load(source->cancelled);
}

static void drop_cancelled(struct translator *tr)
{
    for (int i = 0; i < tr->limits.sentences; i++) {
        struct slot *slot = &tr->slots[i];
        if (slot->search && is_cancelled(&slot->search->source))
            finish(tr, slot, STATUS_CANCELLED);
    }
}

/* Those that came since the last step, all together. */
static void encode_new(struct translator *tr)
{
    int n = 0;
    for (int i = 0; i < tr->limits.sentences; i++) {
        struct slot *slot = &tr->slots[i];
        if (!slot->search || slot->encoded)
            continue;
        slot->encoded = true;
        tr->ids[n] = slot->search->source.ids;
        tr->lens[n] = slot->search->source.len;
        tr->memories[n++] = slot->memories;
    }
    if (n > 0)
        members_encode(&tr->members, tr->ids, tr->lens, n, tr->memories, &tr->scratch);
}

/* The hypotheses of all slots become rows; returns how many. */
static int gather_rows(struct translator *tr)
{
    int N = 0;
    for (int i = 0; i < tr->limits.sentences; i++) {
        struct slot *slot = &tr->slots[i];
        if (!slot->search)
            continue;
        const int first = N;
        for (int row = 0; row < slot->beam.live; row++, N++) {
            const int parent =
                slot->beam.depth ? slot->first_row + beam_parent(&slot->beam, row) : -1;
            members_row(&tr->members, N, slot->memories, beam_previous(&slot->beam, row), parent);
        }
        slot->first_row = first;
    }
    return N;
}

/* The output layer of the rows that use all of it: of neighbours at once. */
static void multiply_whole(struct translator *tr)
{
    int first = 0, rows = 0;
    for (int i = 0; i < tr->limits.sentences; i++) {
        const struct slot *slot = &tr->slots[i];
        if (!slot->search)
            continue;
        if (!allowed_of(&slot->search->source)) {
            first = rows == 0 ? slot->first_row : first;
            rows += slot->beam.live;
        } else if (rows > 0) {
            members_products(&tr->members, first, rows);
            rows = 0;
        }
    }
    if (rows > 0)
        members_products(&tr->members, first, rows);
}

static void advance(struct translator *tr, struct slot *slot)
{
    const int32_t *allowed = allowed_of(&slot->search->source);
    const int count = allowed ? slot->search->source.allowed_count : tr->members.V;
    const real *log_probs =
        members_log_probs(&tr->members, slot->first_row, slot->beam.live, allowed, count);
    const struct kernels *kernels = tr->members.list[0].weights->kernels;
    if (beam_advance(&slot->beam, kernels, log_probs, allowed, count,
                     members_alignment(&tr->members, slot->first_row), tr->limits.source_len))
        return;
    struct search *search = slot->search;
    const struct arena_mark mark = arena_mark(search->results);
    const bool fits = beam_collect(&slot->beam, search->results, &search->translation);
    if (!fits) {
        arena_rewind(search->results, mark);
        search->translation = (struct translation){ .best = NULL, .count = 0 };
    }
    finish(tr, slot, fits ? STATUS_OK : STATUS_NO_MEMORY);
}

void translator_step(struct translator *tr)
{
    drop_cancelled(tr);
    encode_new(tr);
    const int N = gather_rows(tr);
    if (N == 0)
        return;
    members_step(&tr->members, N, &tr->scratch);
    multiply_whole(tr);
    for (int i = 0; i < tr->limits.sentences; i++)
        if (tr->slots[i].search)
            advance(tr, &tr->slots[i]);
}

bool translator_certain(const struct translator *tr, const struct search *search, int known,
                        struct arena *arena, struct hypothesis *out)
{
    const struct arena_mark mark = arena_mark(arena);
    for (int i = 0; i < tr->limits.sentences; i++)
        if (tr->slots[i].search == search) {
            if (beam_certain(&tr->slots[i].beam, known, arena, out))
                return true;
            arena_rewind(arena, mark);
        }
    return false;
}

/* ---- many at once ---- */

/* As many of the searches from *next on as there is room for. */
static enum status admit(struct translator *tr, struct search *searches, int count, int *next,
                         struct error *err)
{
    enum status status = STATUS_OK;
    while (*next < count && status == STATUS_OK) {
        struct search *search = &searches[*next];
        if (is_cancelled(&search->source))
            search->status = STATUS_CANCELLED;
        else
            status = translator_add(tr, search, err);
        if (status == STATUS_OK)
            ++*next;
    }
    return status == STATUS_BUSY ? STATUS_OK : status;
}

static enum status run_all(struct translator *tr, struct search *searches, int count,
                           struct error *err)
{
    int next = 0;
    while (tr->in_flight > 0 || next < count) {
        if (translator_is_time_to_add(tr, count - next)) {
            enum status status = admit(tr, searches, count, &next, err);
            if (status != STATUS_OK)
                return status;
        }
        translator_step(tr);
    }
    for (int i = 0; i < count; i++)
        if (searches[i].status == STATUS_NO_MEMORY)
            return error_set(err, STATUS_NO_MEMORY, "the translations need more than %zu bytes",
                             searches[i].results->size);
    return STATUS_OK;
}

/* Forgets all in flight: none of them will be done. */
static void abandon(struct translator *tr)
{
    for (int i = 0; i < tr->limits.sentences; i++)
        if (tr->slots[i].search)
            leave(tr, &tr->slots[i]);
}

enum status translator_run(struct translator *tr, const struct source *sources, int count,
                           const struct search_options *options, struct arena *results,
                           struct translation *out, struct error *err)
{
    const struct arena_mark mark = arena_mark(results);
    enum status status = check_options(tr, options, err);
    for (int i = 0; i < count; i++)
        out[i] = (struct translation){ .best = NULL, .count = 0 };
    if (status != STATUS_OK || count == 0)
        return status;
    struct search *searches = arena_array(results, struct search, count);
    if (!searches)
        status = error_set(err, STATUS_NO_MEMORY, "no room for %d translations", count);
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        searches[i] =
            (struct search){ .source = sources[i], .options = *options, .results = results };
        status = check_source(tr, &sources[i], err);
    }
    if (status == STATUS_OK)
        status = run_all(tr, searches, count, err);
    for (int i = 0; i < count && status == STATUS_OK; i++)
        out[i] = searches[i].translation;
    if (status != STATUS_OK) {
        abandon(tr);
        arena_rewind(results, mark);
    }
    return status;
}
