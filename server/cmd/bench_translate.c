/*
 * bench_translate.c - "verso bench translate": how fast sentences are translated, and where the
 * time goes.
 *
 *     model once a precision -> every round: each precision, beam and batch, one thread and all ->
 *         sentences a second, latencies, time by part -> medians -> a table, or JSON
 *
 * A batch is how many sentences may be in flight; with a batch of 1 the time
 * of each sentence is taken too. Rounds, so that a noisy machine hits all alike.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "base/threads.h"
#include "model/parts.h"
#include "model/shortlist.h"
#include "server/cmd/commands.h"
#include "server/cmd/evaluation_set.h"
#include "server/cmd/precision.h"
#include "server/cmd/shortlist_option.h"
#include "server/engine/engine.h"

#define ROUNDS_MAX 99
#define SENTENCES_MOST 100000
#define TEXT_SENTENCES_MAX 1000000      // what those may be split into
#define RESULTS_BYTES ((size_t)1 << 30) // of a thread; untouched pages cost nothing
#define JSON_BYTES_MAX ((size_t)1 << 20)
#define SETTINGS_MAX (WEIGHT_TYPES * CHOICES_MAX * CHOICES_MAX * 2)
#define LOADS 5 // of which the median is told
#define PIECES_MAX 256
#define CHOICES_MAX 12 // beams, and batches, of one report
#define BATCH_MAX 1024

struct setting { // one combination of what is measured
    enum weight_type type;
    int beam, batch, threads;
    double per_second[ROUNDS_MAX];
    double median_ms[ROUNDS_MAX], p95_ms[ROUNDS_MAX]; // of one sentence, batch 1
    double share[PART_COUNT];                         // of the last round
};

struct bench {
    struct text_list texts;
    struct engine *engines[WEIGHT_TYPES];
    double load_ms[WEIGHT_TYPES];
    int rounds, threads;
    int beams[CHOICES_MAX], batches[CHOICES_MAX];
    int beam_count, batch_count;
    int shortlist;
    struct setting settings[SETTINGS_MAX];
    int setting_count;
};

static const char *const type_names[WEIGHT_TYPES] = {
    [WEIGHT_F32] = "f32", [WEIGHT_BF16] = "bf16", [WEIGHT_I8] = "int8"
};

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double quantile(double *values, int count, double share)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return values[(int)(share * (count - 1) + 0.5)];
}

static double median(const double *values, int count)
{
    double copy[ROUNDS_MAX];
    memcpy(copy, values, (size_t)count * sizeof *copy);
    return quantile(copy, count, 0.5);
}

/* ---- one measurement ---- */

struct share { // a thread's sentences
    const struct bench *bench;
    const struct setting *setting;
    struct engine_worker *worker;
    struct arena arena;
    struct stopwatch watch;
    double *ms; // (texts) of each sentence, batch 1
    enum status status;
    struct error err;
};

static enum status translate(struct share *s, const struct engine_text *texts, int count)
{
    struct search_options options = search_options_default();
    options.beam = s->setting->beam;
    struct engine_answer *answers = arena_array(&s->arena, struct engine_answer, count);
    if (!answers)
        return error_set(&s->err, STATUS_NO_MEMORY, "no memory for %d answers", count);
    return engine_translate(s->worker, texts, count, &options, &s->arena, answers, &s->err);
}

/* The thread's sentences: together, or one after the other. */
static enum status run_share(struct share *s, const struct engine_text *texts, int count)
{
    enum status status = STATUS_OK;
    if (s->setting->batch > 1) {
        arena_reset(&s->arena);
        return translate(s, texts, count);
    }
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        const int64_t from = clock_now_ns();
        arena_reset(&s->arena);
        status = translate(s, texts + i, 1);
        s->ms[i] = (double)(clock_now_ns() - from) * 1e-6;
    }
    return status;
}

struct job {
    struct share *shares;
    struct engine_text *texts;
    int count, threads;
};

static void work(void *context, int member)
{
    const struct job *job = context;
    struct share *s = &job->shares[member];
    const int from = job->count * member / job->threads;
    const int to = job->count * (member + 1) / job->threads;
    stopwatch_start(&s->watch);
    s->status = run_share(s, job->texts + from, to - from);
    stopwatch_stop();
}

static enum status open_shares(const struct bench *b, const struct setting *setting,
                               struct share *shares, struct error *err)
{
    const struct engine_limits limits = { .sentences = setting->batch,
                                          .beam = setting->beam,
                                          .pieces = PIECES_MAX,
                                          .text_sentences = TEXT_SENTENCES_MAX };
    enum status status = STATUS_OK;
    for (int i = 0; i < setting->threads && status == STATUS_OK; i++) {
        struct share *s = &shares[i];
        *s = (struct share){ .bench = b, .setting = setting };
        s->ms = memory_alloc((size_t)b->texts.count, sizeof *s->ms);
        if (!s->ms || !arena_init(&s->arena, RESULTS_BYTES))
            return error_set(err, STATUS_NO_MEMORY, "no memory for a thread");
        status = engine_worker_new(&s->worker, b->engines[setting->type], &limits, err);
    }
    return status;
}

static void close_shares(struct share *shares, int count)
{
    for (int i = 0; i < count; i++) {
        engine_worker_free(shares[i].worker);
        arena_release(&shares[i].arena);
        memory_free(shares[i].ms);
    }
}

static void note(const struct bench *b, struct setting *setting, struct share *shares, int round,
                 int64_t ns)
{
    const double seconds = (double)ns * 1e-9, all = (double)ns * setting->threads;
    setting->per_second[round] = b->texts.count / seconds;
    if (setting->batch == 1 && setting->threads == 1) {
        setting->median_ms[round] = quantile(shares[0].ms, b->texts.count, 0.5);
        setting->p95_ms[round] = quantile(shares[0].ms, b->texts.count, 0.95);
    }
    for (int part = 0; part < PART_COUNT; part++) {
        double of_part = 0;
        for (int i = 0; i < setting->threads; i++)
            of_part += (double)shares[i].watch.ns[part];
        setting->share[part] = of_part / all;
    }
}

/* Once without a clock, so that memory and caches are warm. */
static enum status measure(const struct bench *b, struct setting *setting, int round,
                           struct error *err)
{
    struct team *team = team_new(setting->threads);
    struct share *shares = memory_zeroed((size_t)setting->threads, sizeof *shares);
    struct engine_text *texts = memory_alloc((size_t)b->texts.count, sizeof *texts);
    enum status status = !team || !shares || !texts
                             ? error_set(err, STATUS_NO_MEMORY, "no memory to measure")
                             : open_shares(b, setting, shares, err);
    for (int i = 0; texts && i < b->texts.count; i++)
        texts[i] =
            (struct engine_text){ .text = b->texts.items[i], .len = strlen(b->texts.items[i]) };
    struct job job = { shares, texts, b->texts.count < 64 ? b->texts.count : 64, setting->threads };
    if (status == STATUS_OK)
        team_run(team, work, &job);
    for (int i = 0; shares && i < setting->threads; i++)
        shares[i].watch = (struct stopwatch){ 0 };
    job.count = b->texts.count;
    const int64_t from = clock_now_ns();
    if (status == STATUS_OK)
        team_run(team, work, &job);
    const int64_t ns = clock_now_ns() - from;
    for (int i = 0; status == STATUS_OK && i < setting->threads; i++)
        if (shares[i].status != STATUS_OK)
            status = error_set(err, shares[i].status, "%s", shares[i].err.text);
    if (status == STATUS_OK)
        note(b, setting, shares, round, ns);
    if (shares)
        close_shares(shares, setting->threads);
    memory_free(shares);
    memory_free(texts);
    team_free(team);
    return status;
}

/* ---- all of them ---- */

static enum status load(struct bench *b, const char *path, enum weight_type type, struct error *err)
{
    double ms[LOADS];
    enum status status = STATUS_OK;
    for (int i = 0; i < LOADS && status == STATUS_OK; i++) {
        engine_free(b->engines[type]);
        b->engines[type] = NULL;
        const int64_t from = clock_now_ns();
        status = engine_load(&b->engines[type], path, type, err);
        ms[i] = (double)(clock_now_ns() - from) * 1e-6;
    }
    if (status == STATUS_OK)
        engine_limit_shortlist(b->engines[type], b->shortlist);
    if (status == STATUS_OK)
        b->load_ms[type] = quantile(ms, LOADS, 0.5);
    return status;
}

static void plan_settings(struct bench *b)
{
    for (int type = 0; type < WEIGHT_TYPES; type++) {
        for (int k = 0; b->engines[type] && k < b->beam_count; k++) {
            for (int n = 0; n < b->batch_count; n++) {
                const struct setting setting = { .type = (enum weight_type)type,
                                                 .beam = b->beams[k],
                                                 .batch = b->batches[n],
                                                 .threads = 1 };
                b->settings[b->setting_count++] = setting;
                if (b->threads > 1 && b->batches[n] > 1) {
                    b->settings[b->setting_count] = setting;
                    b->settings[b->setting_count++].threads = b->threads;
                }
            }
        }
    }
}

static enum status measure_all(struct bench *b, struct error *err)
{
    enum status status = STATUS_OK;
    for (int round = 0; round < b->rounds; round++) {
        for (int i = 0; i < b->setting_count && status == STATUS_OK; i++) {
            struct setting *c = &b->settings[i];
            status = measure(b, c, round, err);
            if (status == STATUS_OK)
                fprintf(stderr, "round %d of %d: %s, beam %d, batch %d, %d thread%s: %.1f/s\n",
                        round + 1, b->rounds, type_names[c->type], c->beam, c->batch, c->threads,
                        c->threads == 1 ? "" : "s", c->per_second[round]);
        }
    }
    return status;
}

/* ---- the report ---- */

static long peak_memory_kb(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

/* What is in no part is the search: choosing among pieces, beams, text. */
static const struct {
    enum model_part part;
    const char *name;
} parts[] = {
    { PART_ENCODER, "encoder" },     { PART_INPUT, "input rows" },
    { PART_ATTENTION, "attention" }, { PART_RECURRENCE, "recurrence" },
    { PART_OUTPUT, "output layer" }, { PART_OTHER, "softmax, search, text" },
};

static const struct engine *any_engine(const struct bench *b)
{
    for (int type = 0; type < WEIGHT_TYPES - 1; type++)
        if (b->engines[type])
            return b->engines[type];
    return b->engines[WEIGHT_TYPES - 1];
}

static void print_table(const struct bench *b)
{
    const int allowed = engine_shortlist(any_engine(b));
    printf("%d sentences, medians of %d rounds, ", b->texts.count, b->rounds);
    if (allowed == 0)
        printf("the whole vocabulary\n\n");
    else if (allowed == SHORTLIST_WHOLE)
        printf("all of the model's shortlist\n\n");
    else
        printf("%d target pieces a source piece\n\n", allowed);
    printf("%-9s %5s %6s %8s %12s %11s %9s\n", "matrices", "beam", "batch", "threads",
           "sentences/s", "median ms", "p95 ms");
    for (int i = 0; i < b->setting_count; i++) {
        const struct setting *c = &b->settings[i];
        printf("%-9s %5d %6d %8d %12.1f", type_names[c->type], c->beam, c->batch, c->threads,
               median(c->per_second, b->rounds));
        if (c->batch == 1 && c->threads == 1)
            printf(" %11.2f %9.2f", median(c->median_ms, b->rounds), median(c->p95_ms, b->rounds));
        printf("\n");
    }
    printf("\nof the time, one thread, %%");
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        printf("%s %s", p ? "," : ":", parts[p].name);
    printf("\n");
    for (int i = 0; i < b->setting_count; i++) {
        const struct setting *c = &b->settings[i];
        if (c->threads > 1)
            continue;
        printf("%-9s %5d %6d ", type_names[c->type], c->beam, c->batch);
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
            printf(" %5.1f", 100 * c->share[parts[p].part]);
        printf("\n");
    }
    printf("\n");
    for (int type = 0; type < WEIGHT_TYPES; type++)
        if (b->engines[type])
            printf("%s is loaded in %.1f ms\n", type_names[type], b->load_ms[type]);
}

static json_t *setting_to_json(const struct bench *b, const struct setting *c)
{
    json_t *time = json_object();
    json_t *root =
        json_pack("{s:s, s:i, s:i, s:i, s:o}", "matrices", type_names[c->type], "beam", c->beam,
                  "batch", c->batch, "threads", c->threads, "sentences_per_second",
                  json_rounded(median(c->per_second, b->rounds), 6));
    if (c->batch == 1 && c->threads == 1) {
        json_object_set_new(root, "median_ms", json_rounded(median(c->median_ms, b->rounds), 4));
        json_object_set_new(root, "p95_ms", json_rounded(median(c->p95_ms, b->rounds), 4));
    }
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        json_object_set_new(time, parts[p].name, json_rounded(c->share[parts[p].part], 4));
    json_object_set_new(root, "time", time);
    return root;
}

static enum status print_json(const struct bench *b, struct error *err)
{
    struct bytes text;
    json_t *settings = json_array(), *loads = json_object();
    bytes_init(&text, JSON_BYTES_MAX);
    for (int i = 0; i < b->setting_count; i++)
        json_array_append_new(settings, setting_to_json(b, &b->settings[i]));
    for (int type = 0; type < WEIGHT_TYPES; type++)
        if (b->engines[type])
            json_object_set_new(loads, type_names[type], json_rounded(b->load_ms[type], 4));
    json_t *root =
        json_pack("{s:i, s:i, s:i, s:I, s:o, s:o}", "sentences", b->texts.count, "rounds",
                  b->rounds, "shortlist", engine_shortlist(any_engine(b)), "peak_memory_kb",
                  (json_int_t)peak_memory_kb(), "load_ms", loads, "results", settings);
    enum status status = STATUS_OK;
    if (!root || !json_write(&text, root))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the report");
    else
        printf("%s\n", text.data);
    json_decref(root);
    bytes_release(&text);
    return status;
}

/* ---- the command ---- */

/* The numbers of a list option, or two usual ones. */
static enum status read_choices(const struct options *o, const char *name, int usual, int max,
                                int numbers[CHOICES_MAX], int *count, struct error *err)
{
    int given;
    const char *const *list = options_list(o, name, &given);
    numbers[0] = 1;
    numbers[1] = usual;
    *count = 2;
    for (int i = 0; i < given; i++) {
        char *end;
        const long number = strtol(list[i], &end, 10);
        if (i == CHOICES_MAX || *end || end == list[i] || number < 1 || number > max)
            return error_set(err, STATUS_BAD_USAGE,
                             "--%s %s: at most %d whole numbers from 1 to %d are possible", name,
                             list[i], CHOICES_MAX, max);
        numbers[i] = (int)number;
        *count = i + 1;
    }
    return STATUS_OK;
}

static enum status bench(void *state, const struct options *o, struct error *err)
{
    struct bench *b = state;
    enum status status = options_need(o, err, "model", NULL);
    if (status == STATUS_OK)
        status = text_list_read(&b->texts, options_operand(o, 0), err);
    if (status != STATUS_OK)
        return status;
    if (b->texts.count < 1 || b->texts.count > SENTENCES_MOST)
        return error_set(err, STATUS_BAD_INPUT, "%s: it must have 1 to %d lines",
                         options_operand(o, 0), SENTENCES_MOST);
    status = read_choices(o, "beam", 6, BEAM_MAX, b->beams, &b->beam_count, err);
    if (status == STATUS_OK)
        status = read_choices(o, "batch", 64, BATCH_MAX, b->batches, &b->batch_count, err);
    if (status == STATUS_OK)
        status = shortlist_from_options(&b->shortlist, o, err);
    b->rounds = options_int(o, "rounds");
    b->threads = options_threads(o, THREADS_MAX);
    const bool one = options_given(o, "precision");
    enum weight_type only = WEIGHT_F32;
    if (status == STATUS_OK && one)
        status = precision_from_options(&only, o, err);
    for (int type = 0; type < WEIGHT_TYPES && status == STATUS_OK; type++)
        if (!one || only == (enum weight_type)type)
            status = load(b, options_text(o, "model"), (enum weight_type)type, err);
    if (status != STATUS_OK)
        return status;
    plan_settings(b);
    status = measure_all(b, err);
    if (status != STATUS_OK)
        return status;
    if (options_flag(o, "json"))
        return print_json(b, err);
    print_table(b);
    return STATUS_OK;
}

static void release(void *state)
{
    struct bench *b = state;
    for (int type = 0; type < WEIGHT_TYPES; type++)
        engine_free(b->engines[type]);
    text_list_release(&b->texts);
}

static int run(const struct options *o)
{
    return options_run(o, sizeof(struct bench), bench, release);
}

static const struct option_spec specs[] = {
    { "model", OPTION_TEXT, .letter = 'm', .environment = true, .value = "FILE",
      .help = "model file to translate with" },
    PRECISION_OPTION,
    SHORTLIST_OPTION,
    { "beam", OPTION_LIST, .value = "N", .help = "hypotheses kept at each step; 1 and 6" },
    { "batch", OPTION_LIST, .value = "N", .help = "sentences in flight at once; 1 and 64" },
    { "rounds", OPTION_INT, .value = "N", .fallback = "3", .min = 1, .max = ROUNDS_MAX,
      .help = "times that everything is measured" },
    { "threads", OPTION_INT, .environment = true, .value = "N", .min = 1, .max = THREADS_MAX,
      .help = "threads beside one; by default one a core" },
    { "json", OPTION_FLAG, .help = "the report as JSON" },
    { 0 },
};

const struct command command_bench_translate = {
    .name = "bench translate",
    .summary = "measure how fast sentences are translated, and where the time goes",
    .usage = "--model FILE [OPTION...] SENTENCES",
    .description = "Translates the lines of a file with a beam of 1 and of 6, one sentence at a "
                   "time and 64 at once, or what is asked for, with matrices of each precision "
                   "or of the one that is asked for.",
    .examples = "  verso bench translate --model en-fr.safetensors sentences.en\n"
                "  verso bench translate -m en-fr.safetensors --precision int8 --json "
                "sentences.en\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
