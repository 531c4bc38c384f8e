/*
 * word2vec.c - sentence by sentence: drop, draw, gather rows, step, put them back.
 *
 * Rows are padded with zeros to a whole number of vectors; their gradients are
 * zeros too, so they stay so.
 */
#include "model/train/word2vec.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/rng.h"

#define SENTENCE_WORDS_MAX 1000 // a longer one is cut
#define ROW_FLOATS 16           // rows are padded to a multiple of it
#define CACHE_LINE 64           // bytes
#define LEAST_RATE 1e-4         // of the first rate
#define LOSS_EVERY 64           // places: the loss is only looked at
#define LOSS_WEIGHT 0.005       // of a look in the running mean
#define REPORT_EVERY 64         // sentences
#define INIT_STREAM 0           // of random numbers; epoch e has 1 + e

/* Draws word i with probability share[i] from one number (Walker 1977, Vose 1991): a column is
 * chosen evenly, and is itself below its threshold and its alias above. */
struct column {
    uint32_t threshold; // of 2^32
    int32_t alias;
};

struct targets {
    int32_t *ids; // (1 + negative) the word itself, then what was drawn
    int count;
};

struct trainer {
    const struct word2vec_text *text;
    const struct word2vec_options *options;
    const struct kernels *kernels;
    struct arena arena;
    int width;    // of a padded row
    real *inputs; // (words, width) the vectors
    real *outputs;
    struct column *columns;    // (words)
    uint32_t *keep;            // (words) kept if a number below 2^32 is not above it
    int32_t *sentence;         // (SENTENCE_WORDS_MAX) what was kept
    int32_t *context;          // (2 window) ids of the place
    struct targets targets[2]; // of this place and, already under way from memory, the next
    struct negative_sampling place;
    struct rng rng;
    size_t places;
    double loss; // running mean; 0 before the first
};

/* ---- what is drawn ---- */

/* Columns whose share is under and over the mean, ids in the order they are found. */
static void make_columns(struct column *columns, double *shares, int32_t *stack, int words)
{
    int under = 0, over = words; // stack[0..under) and stack[over..words)
    for (int i = 0; i < words; i++)
        stack[shares[i] < 1 ? under++ : --over] = i;
    while (under > 0 && over < words) {
        const int32_t small = stack[--under], large = stack[over];
        columns[small] = (struct column){ (uint32_t)(shares[small] * 4294967295.0), large };
        shares[large] -= 1 - shares[small];
        if (shares[large] < 1) {
            over++;
            stack[under++] = large;
        }
    }
    while (under > 0) // only by rounding
        columns[stack[--under]].threshold = UINT32_MAX;
    while (over < words)
        columns[stack[over++]].threshold = UINT32_MAX;
}

static enum status prepare_draws(struct trainer *t, struct error *err)
{
    const int words = t->text->words;
    double *shares = memory_alloc((size_t)words, sizeof *shares);
    int32_t *stack = memory_alloc((size_t)words, sizeof *stack);
    if (shares && stack) {
        double sum = 0;
        for (int i = 0; i < words; i++)
            sum += shares[i] = pow((double)t->text->counts[i], 0.75);
        for (int i = 0; i < words; i++)
            shares[i] *= words / sum;
        make_columns(t->columns, shares, stack, words);
    }
    const bool ok = shares && stack;
    memory_free(shares);
    memory_free(stack);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for %d words", words);
}

static void prepare_keep(struct trainer *t)
{
    double total = 0;
    for (int i = 0; i < t->text->words; i++)
        total += (double)t->text->counts[i];
    for (int i = 0; i < t->text->words; i++) {
        const double f = (double)t->text->counts[i] / total, s = t->options->sample;
        const double p = s > 0 ? sqrt(s / f) + s / f : 1;
        t->keep[i] = p < 1 ? (uint32_t)(p * 4294967295.0) : UINT32_MAX;
    }
}

/* The upper half of a number chooses among `count`; the bias is below count/2^32. */
static int32_t upper_below(uint64_t bits, int count)
{
    return (int32_t)(((bits >> 32) * (uint64_t)count) >> 32);
}

static int32_t draw_word(struct trainer *t)
{
    const uint64_t bits = rng_next(&t->rng);
    const int32_t i = upper_below(bits, t->text->words);
    return (uint32_t)bits <= t->columns[i].threshold ? i : t->columns[i].alias;
}

/* ---- one place ---- */

static void gather(real *to, const real *matrix, const int32_t *ids, int count, int width)
{
    for (int i = 0; i < count; i++)
        memcpy(to + (size_t)i * (size_t)width, matrix + (size_t)ids[i] * (size_t)width,
               (size_t)width * sizeof *to);
}

static void step(const struct trainer *t, real *matrix, const real *gradients, const int32_t *ids,
                 int count, real rate)
{
    const real factor = -rate;
    for (int i = 0; i < count; i++)
        t->kernels->weighted_sums(1, 1, t->width, &factor, 0,
                                  gradients + (size_t)i * (size_t)t->width, t->width,
                                  matrix + (size_t)ids[i] * (size_t)t->width, 0);
}

/* The loss of an input, now and then. */
static void look_at_loss(struct trainer *t)
{
    const double loss = (double)negative_sampling_loss(&t->place) / t->place.inputs;
    t->loss += (loss - t->loss) * (t->places == 0 ? 1 : LOSS_WEIGHT);
}

/* What stands at a place and what is drawn for it; the word itself, if drawn, is left out. */
static void draw_targets(struct trainer *t, int at)
{
    struct targets *targets = &t->targets[at % 2];
    targets->ids[0] = t->sentence[at];
    targets->count = 1;
    for (int k = 0; k < t->options->negative; k++) {
        const int32_t id = draw_word(t);
        if (id == t->sentence[at])
            continue;
        targets->ids[targets->count++] = id;
        const char *row = (const char *)(t->outputs + (size_t)id * (size_t)t->width);
        for (size_t i = 0; i < (size_t)t->width * sizeof(real); i += CACHE_LINE)
            __builtin_prefetch(row + i);
    }
}

/* The words around a place, as many on each side as the draw says. */
static int take_context(struct trainer *t, int at, int len)
{
    const int reach = 1 + upper_below(rng_next(&t->rng), t->options->window);
    const int from = at > reach ? at - reach : 0, to = at + reach < len ? at + reach : len - 1;
    int count = 0;
    for (int i = from; i <= to; i++)
        if (i != at)
            t->context[count++] = t->sentence[i];
    return count;
}

static void train_place(struct trainer *t, int at, int len, real rate)
{
    const struct targets *targets = &t->targets[at % 2];
    const int count = take_context(t, at, len);
    gather(t->place.context, t->inputs, t->context, count, t->width);
    gather(t->place.targets, t->outputs, targets->ids, targets->count, t->width);
    negative_sampling_gradients(&t->place, t->kernels, count, targets->count);
    if (t->places % LOSS_EVERY == 0)
        look_at_loss(t);
    step(t, t->inputs, t->place.d_context, t->context, count, rate);
    step(t, t->outputs, t->place.d_targets, targets->ids, targets->count, rate);
    t->places++;
}

static void train_sentence(struct trainer *t, int len, real rate)
{
    if (len < 2)
        return;
    draw_targets(t, 0);
    for (int at = 0; at < len; at++) {
        if (at + 1 < len)
            draw_targets(t, at + 1); // one ahead: memory answers while the place is computed
        train_place(t, at, len, rate);
    }
}

/* ---- all of the text ---- */

/* The next sentence, or as much of it as there is room for, without what was dropped; *len may be
 * 0. Returns where the text goes on. */
static size_t read_sentence(struct trainer *t, size_t at, int *len)
{
    const int32_t *ids = t->text->ids;
    *len = 0;
    for (; at < t->text->count && *len < SENTENCE_WORDS_MAX; at++) {
        if (ids[at] == WORD2VEC_END)
            return at + 1;
        const uint32_t keep = t->keep[ids[at]];
        if (keep == UINT32_MAX || (uint32_t)(rng_next(&t->rng) >> 32) <= keep)
            t->sentence[(*len)++] = ids[at];
    }
    return at;
}

static void report(const struct trainer *t, double done, double rate)
{
    const struct word2vec_progress progress = { done, rate, t->loss };
    if (t->options->on_progress)
        t->options->on_progress(t->options->context, &progress);
}

static enum status train_epoch(struct trainer *t, int64_t epoch, struct error *err)
{
    const struct word2vec_options *o = t->options;
    int len, sentences = 0;
    t->rng = rng_make(o->seed, 1 + (uint64_t)epoch);
    for (size_t at = 0; at < t->text->count;) {
        const double done =
            ((double)epoch + (double)at / (double)t->text->count) / (double)o->epochs;
        const double rate = o->rate * (1 - (1 - LEAST_RATE) * done);
        at = read_sentence(t, at, &len);
        train_sentence(t, len, (real)rate);
        if (sentences++ % REPORT_EVERY == 0)
            report(t, done, rate);
        if (!isfinite(t->loss))
            return error_set(err, STATUS_DIVERGED,
                             "the vectors are not finite any more: a rate of %g is too high for "
                             "this text",
                             o->rate);
    }
    return STATUS_OK;
}

/* ---- the trainer ---- */

static void place_memory(struct trainer *t, struct arena *arena)
{
    const struct word2vec_options *o = t->options;
    const size_t words = (size_t)t->text->words;
    t->inputs = arena_array(arena, real, words * (size_t)t->width);
    t->outputs = arena_array(arena, real, words * (size_t)t->width);
    t->columns = arena_array(arena, struct column, words);
    t->keep = arena_array(arena, uint32_t, words);
    t->sentence = arena_array(arena, int32_t, SENTENCE_WORDS_MAX);
    t->context = arena_array(arena, int32_t, 2 * o->window);
    for (int i = 0; i < 2; i++)
        t->targets[i].ids = arena_array(arena, int32_t, 1 + o->negative);
    negative_sampling_init(&t->place, arena, o->use, 2 * o->window, 1 + o->negative, t->width);
}

/* Vectors even in ±0.5/size, what they are multiplied with zero. */
static void init_rows(struct trainer *t)
{
    const int size = t->options->size;
    struct rng rng = rng_make(t->options->seed, INIT_STREAM);
    const size_t all = (size_t)t->text->words * (size_t)t->width;
    memset(t->inputs, 0, all * sizeof(real));
    memset(t->outputs, 0, all * sizeof(real));
    for (int w = 0; w < t->text->words; w++)
        for (int i = 0; i < size; i++)
            t->inputs[(size_t)w * (size_t)t->width + (size_t)i] =
                (real)((rng_uniform(&rng) - 0.5) / size);
}

static enum status trainer_init(struct trainer *t, struct error *err)
{
    struct arena measure = arena_measure();
    t->kernels = kernels_best();
    if (!t->kernels)
        return error_set(err, STATUS_BAD_USAGE,
                         "VERSO_ISA names no instruction set that this processor has");
    t->width = (t->options->size + ROW_FLOATS - 1) / ROW_FLOATS * ROW_FLOATS;
    place_memory(t, &measure);
    if (!arena_init(&t->arena, measure.used))
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for %d words of %d numbers: ask for smaller vectors, or for "
                         "words that are more frequent",
                         t->text->words, t->options->size);
    place_memory(t, &t->arena);
    init_rows(t);
    prepare_keep(t);
    return prepare_draws(t, err);
}

enum status word2vec_train(float *vectors, const struct word2vec_text *text,
                           const struct word2vec_options *options, struct error *err)
{
    struct trainer t = { .text = text, .options = options };
    assert(text->words >= 2 && text->words <= WORD2VEC_WORDS_MAX);
    assert(options->size >= 1 && options->window >= 1 && options->negative >= 1);
    enum status status = trainer_init(&t, err);
    for (int64_t epoch = 0; epoch < options->epochs && status == STATUS_OK; epoch++)
        status = train_epoch(&t, epoch, err);
    for (int w = 0; w < text->words && status == STATUS_OK; w++)
        memcpy(vectors + (size_t)w * (size_t)options->size, t.inputs + (size_t)w * (size_t)t.width,
               (size_t)options->size * sizeof *vectors);
    if (status == STATUS_OK)
        report(&t, 1, options->rate * LEAST_RATE);
    arena_release(&t.arena);
    return status;
}
