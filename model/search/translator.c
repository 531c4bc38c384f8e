/*
 * translator.c - many sentences at once: every one in flight has a slot, and
 * the hypotheses of all slots are the rows of one decoder step.
 *
 *     waiting sources -> admit (encode together) -> slots -> step -> collect
 *                             ^                                |
 *                             +----- a free slot --------------+
 */
#include "model/search/translator.h"

#include <math.h>
#include <string.h>
#include "base/memory.h"
#include "model/search/beam.h"

#define TARGET_LEN_EXTRA 10 // target pieces allowed beyond length_ratio * source length
#define ADMIT_SHARE 4       // sentences join the others when 1/4 of the slots are free

struct slot {
    int source;           // the sentence in it, -1: free
    struct memory memory; // its encoded form
    int first_row;        // its hypotheses are these rows of the last step
    struct beam beam;
};

struct translator {
    const struct model *model;
    struct search_limits limits;
    struct slot *slots; // (sentences)
    int in_flight;

    struct arena block;  // all of the following, and what the slots point to
    const int32_t **ids; // (sentences) to encode
    int *lens;
    struct memory **memories;
    const struct memory **row_memory; // (N) rows of a step, N = sentences * beam
    int32_t *row_previous;            // (N)
    real *state, *next_state;         // (N,state width)
    real *alignment;                  // (N,source_len)
    real *log_probs;                  // (N,V)

    struct arena scratch;
};

struct search_options search_options_default(void)
{
    return (
        struct search_options){ .beam = 5, .n_best = 1, .length_power = 0.8f, .length_ratio = 3 };
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

static int steps_most(float length_ratio, int source_len)
{
    return (int)(length_ratio * (float)source_len) + TARGET_LEN_EXTRA;
}

/* A pointer is NULL when the arena only measures; the slots themselves exist already. */
static void lay_out(struct translator *tr, struct arena *a)
{
    const struct config *config = model_config(tr->model);
    const size_t sentences = (size_t)tr->limits.sentences, S = (size_t)tr->limits.source_len;
    const size_t N = sentences * (size_t)tr->limits.beam;
    const size_t width = (size_t)seq2seq_state_width(model_seq2seq(tr->model));

    for (size_t i = 0; i < sentences; i++) {
        struct slot *slot = &tr->slots[i];
        seq2seq_memory_lay_out(model_seq2seq(tr->model), tr->limits.source_len, a, &slot->memory);
        beam_lay_out(&slot->beam, a, tr->limits.beam, tr->limits.source_len,
                     steps_most(LENGTH_RATIO_MAX, tr->limits.source_len));
    }
    tr->ids = arena_array(a, const int32_t *, sentences);
    tr->lens = arena_array(a, int, sentences);
    tr->memories = arena_array(a, struct memory *, sentences);
    tr->row_memory = arena_array(a, const struct memory *, N);
    tr->row_previous = arena_array(a, int32_t, N);
    tr->state = arena_array(a, real, N * width);
    tr->next_state = arena_array(a, real, N * width);
    tr->alignment = arena_array(a, real, N * S);
    tr->log_probs = arena_array(a, real, N * (size_t)config->vocabulary);
}

static size_t scratch_bytes(const struct translator *tr)
{
    const struct seq2seq *shape = model_seq2seq(tr->model);
    const int sentences = tr->limits.sentences;
    const size_t encode = seq2seq_encode_bytes(shape, sentences, tr->limits.source_len);
    const size_t step = seq2seq_step_bytes(shape, sentences * tr->limits.beam);
    return encode > step ? encode : step;
}

static bool allocate(struct translator *tr)
{
    struct arena size = arena_measure();

    tr->slots = memory_zeroed((size_t)tr->limits.sentences, sizeof *tr->slots);
    if (!tr->slots)
        return false;
    lay_out(tr, &size);
    if (!arena_init(&tr->block, size.used) || !arena_init(&tr->scratch, scratch_bytes(tr)))
        return false;
    lay_out(tr, &tr->block);
    for (int i = 0; i < tr->limits.sentences; i++)
        tr->slots[i].source = -1;
    return true;
}

enum status translator_new(struct translator **out, const struct model *model,
                           const struct search_limits *limits, struct error *err)
{
    *out = NULL;
    enum status status = check_limits(limits, err);
    if (status != STATUS_OK)
        return status;
    struct translator *tr = memory_zeroed(1, sizeof *tr);
    if (tr) {
        tr->model = model;
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
    return STATUS_OK;
}

static enum status check_source(const struct translator *tr, const struct source *source,
                                struct error *err)
{
    const int V = model_config(tr->model)->vocabulary;
    if (source->len > tr->limits.source_len)
        return error_set(err, STATUS_TOO_LARGE, "a sentence has %d pieces; at most %d are possible",
                         source->len, tr->limits.source_len);
    if (source->len < 1 || source->ids[source->len - 1] != BEAM_EOS)
        return error_set(err, STATUS_BAD_INPUT, "a sentence does not end in </s>");
    for (int i = 0; i < source->len; i++)
        if (source->ids[i] < 0 || source->ids[i] >= V)
            return error_set(err, STATUS_BAD_INPUT, "piece %d is not in the vocabulary of %d",
                             (int)source->ids[i], V);
    return STATUS_OK;
}

/* ---- the work ---- */

struct run {
    struct translator *tr;
    const struct source *sources;
    int count;
    int next; // the first source that still waits
    const struct search_options *options;
    struct arena *results;
    struct translation *out;
    struct error *err;
};

static bool is_cancelled(const struct source *source)
{
    return source->cancelled && atomic_load(source->cancelled);
}

static void leave(struct translator *tr, struct slot *slot)
{
    slot->source = -1;
    tr->in_flight--;
}

static void drop_cancelled(struct run *run)
{
    struct translator *tr = run->tr;
    for (int i = 0; i < tr->limits.sentences; i++) {
        struct slot *slot = &tr->slots[i];
        if (slot->source >= 0 && is_cancelled(&run->sources[slot->source]))
            leave(tr, slot);
    }
}

/* Encoding a sentence alone costs nearly what four cost together, so those that wait do so for a
 * few slots to be free; a sentence's bits do not depend on it. */
static bool is_time_to_admit(const struct run *run)
{
    const int free = run->tr->limits.sentences - run->tr->in_flight;
    const int waiting = run->count - run->next;
    return waiting > 0 && free > 0 &&
           (run->tr->in_flight == 0 || free >= waiting ||
            free >= run->tr->limits.sentences / ADMIT_SHARE);
}

static void enter(struct run *run, struct slot *slot, int source)
{
    const int S = run->sources[source].len;
    slot->source = source;
    slot->first_row = 0;
    beam_start(&slot->beam, run->options, S, steps_most(run->options->length_ratio, S));
    run->tr->in_flight++;
}

/* Sources into the free slots, all encoded together. */
static enum status admit(struct run *run)
{
    struct translator *tr = run->tr;
    int n = 0;

    for (int i = 0; i < tr->limits.sentences; i++) {
        while (run->next < run->count && is_cancelled(&run->sources[run->next]))
            run->next++;
        if (run->next == run->count)
            break;
        if (tr->slots[i].source >= 0)
            continue;
        tr->ids[n] = run->sources[run->next].ids;
        tr->lens[n] = run->sources[run->next].len;
        tr->memories[n++] = &tr->slots[i].memory;
        enter(run, &tr->slots[i], run->next++);
    }
    if (n == 0)
        return STATUS_OK;
    return seq2seq_encode(model_seq2seq(tr->model), model_weights(tr->model), tr->ids, tr->lens, n,
                          &tr->scratch, tr->memories, run->err);
}

/* The state a row starts the next step from: its parent's, or the sentence's first. */
static void fetch_state(const struct translator *tr, const struct slot *slot, int row, real *state)
{
    const size_t width = (size_t)seq2seq_state_width(model_seq2seq(tr->model));
    const real *from = slot->memory.start;
    if (slot->beam.depth > 0)
        from = tr->next_state + (size_t)(slot->first_row + beam_parent(&slot->beam, row)) * width;
    memcpy(state, from, width * sizeof *state);
}

/* The hypotheses of all slots become rows; returns how many. */
static int gather_rows(struct run *run)
{
    struct translator *tr = run->tr;
    const size_t width = (size_t)seq2seq_state_width(model_seq2seq(tr->model));
    int N = 0;
    for (int i = 0; i < tr->limits.sentences; i++) {
        struct slot *slot = &tr->slots[i];
        if (slot->source < 0)
            continue;
        const int first = N;
        for (int row = 0; row < slot->beam.live; row++, N++) {
            tr->row_memory[N] = &slot->memory;
            tr->row_previous[N] = beam_previous(&slot->beam, row);
            fetch_state(tr, slot, row, tr->state + (size_t)N * width);
        }
        slot->first_row = first;
    }
    return N;
}

static enum status advance_slots(struct run *run)
{
    struct translator *tr = run->tr;
    const int V = model_config(tr->model)->vocabulary, ld = tr->limits.source_len;

    for (int i = 0; i < tr->limits.sentences; i++) {
        struct slot *slot = &tr->slots[i];
        const size_t row = (size_t)slot->first_row;
        if (slot->source < 0 || beam_advance(&slot->beam, tr->log_probs + row * (size_t)V, V,
                                             tr->alignment + row * (size_t)ld, ld))
            continue;
        if (!beam_collect(&slot->beam, run->results, &run->out[slot->source]))
            return error_set(run->err, STATUS_NO_MEMORY,
                             "the translations need more than %zu bytes", run->results->size);
        leave(tr, slot);
    }
    return STATUS_OK;
}

static enum status step(struct run *run)
{
    struct translator *tr = run->tr;
    struct step rows = { .memory = tr->row_memory,
                         .previous = tr->row_previous,
                         .state = tr->state,
                         .next_state = tr->next_state,
                         .alignment = tr->alignment,
                         .ld_alignment = tr->limits.source_len,
                         .log_probs = tr->log_probs };
    rows.N = gather_rows(run);
    enum status status = seq2seq_step(model_seq2seq(tr->model), model_weights(tr->model), &rows,
                                      &tr->scratch, run->err);
    return status == STATUS_OK ? advance_slots(run) : status;
}

static enum status search(struct run *run)
{
    struct translator *tr = run->tr;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && (tr->in_flight > 0 || run->next < run->count)) {
        drop_cancelled(run);
        if (is_time_to_admit(run))
            status = admit(run);
        if (status == STATUS_OK && tr->in_flight > 0)
            status = step(run);
    }
    return status;
}

enum status translator_run(struct translator *tr, const struct source *sources, int count,
                           const struct search_options *options, struct arena *results,
                           struct translation *out, struct error *err)
{
    struct run run = { tr, sources, count, 0, options, results, out, err };
    const struct arena_mark mark = arena_mark(results);
    enum status status = check_options(tr, options, err);

    for (int i = 0; i < count; i++) {
        out[i] = (struct translation){ .best = NULL, .count = 0 };
        if (status == STATUS_OK)
            status = check_source(tr, &sources[i], err);
    }
    if (status == STATUS_OK)
        status = search(&run);
    if (status == STATUS_OK)
        return STATUS_OK;

    arena_rewind(results, mark);
    for (int i = 0; i < count; i++)
        out[i] = (struct translation){ .best = NULL, .count = 0 };
    for (int i = 0; i < tr->limits.sentences; i++)
        tr->slots[i].source = -1;
    tr->in_flight = 0;
    return status;
}
