/*
 * bench_train.c - "verso bench train": how fast training is, and where its time goes.
 *
 *     corpus or made-up pairs -> a file of ids
 *     every round: each precision, one thread and all, in a process of its own ->
 *         the machine's fastest product, some updates -> a sample
 *     medians -> a table, or JSON
 *
 * Processes of their own, so that each has its own peak memory and none finds
 * another's caches; rounds, so that a noisy machine hits all alike.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/threads.h"
#include "model/parts.h"
#include "model/train/gemm.h"
#include "model/train/trainer.h"
#include "model/train/translation.h"
#include "server/cmd/commands.h"
#include "server/cmd/corpora.h"
#include "server/cmd/model_options.h"
#include "server/cmd/train_data.h"

#define ROUNDS_MAX 99
#define VARIANTS_MAX 4
#define PATH_BYTES 4096
#define TEXT_BYTES_MAX (64u << 20)
#define JSON_BYTES_MAX ((size_t)1 << 20)
#define MADE_UP_PAIRS 20000
#define BATCH_PIECES_MAX (1 << 24) // the batches are as many sentences as asked for
#define PEAK_NS 300000000          // for each product whose speed is measured
#define FORWARD_AND_BACK 3         // products of a weight: one forward, two back

struct sample { // of one process
    int64_t ns, pieces;
    double loss; // of the last update, to see that it trains
    double peak; // flop a second of the fastest product, all threads
    struct stopwatch watches[TRAINER_THREADS_MAX + 1];
};

struct measured { // of one process, as the parent keeps it
    double pieces_per_second, flops, peak, loss;
    double share[PART_COUNT + 1]; // of the threads' time; the last: waiting
    long memory_kb;
};

struct variant {
    enum precision precision;
    int threads;
    struct measured rounds[ROUNDS_MAX];
};

struct bench {
    struct config config;
    struct batch_options batches;
    int threads, updates, warmup, rounds;
    double flop_per_piece; // of the products, for one target piece
    double dropout;
    struct shard *shard;
    struct pairs valid; // the trainer wants some
    struct variant variants[VARIANTS_MAX];
    int variant_count;
    char folder[32];
    char shard_path[64];
    const char *data; // what it is, for the report
};

static const char *const part_names[PART_COUNT + 1] = {
    [PART_OTHER] = "other",           [PART_INPUT] = "input",
    [PART_ENCODER] = "encoder",       [PART_ATTENTION] = "attention",
    [PART_RECURRENCE] = "recurrence", [PART_OUTPUT] = "output layer",
    [PART_OPTIMIZER] = "optimiser",   [PART_COUNT] = "waiting",
};

static const char *const precision_names[] = { [PRECISION_F32] = "f32", [PRECISION_BF16] = "bf16" };

/* ---- data ---- */

/* Lengths as those of image captions: a bell around 14 pieces, the target near its source. Which
 * ids is of no weight for the speed. */
static int made_up_length(struct rng *rng, double mean, double deviation)
{
    const double length = mean + deviation * rng_normal(rng);
    return length < 4 ? 4 : length > 60 ? 60 : (int)length;
}

static enum status make_up_pairs(const struct bench *b, struct error *err)
{
    const uint8_t made_of[SHA256_BYTES] = { 0 };
    struct shard_writer *w = NULL;
    struct rng rng = rng_make(1, 0);
    int32_t ids[2][64];
    enum status status = shard_writer_open(&w, b->shard_path, made_of, err);
    for (int i = 0; i < MADE_UP_PAIRS && status == STATUS_OK; i++) {
        const int source = made_up_length(&rng, 14, 4.5);
        const int target = made_up_length(&rng, source, 2.5);
        for (int k = 0; k < 128; k++)
            ids[k / 64][k % 64] = 4 + (int32_t)rng_below(&rng, (uint64_t)b->config.vocabulary - 4);
        status = shard_writer_add(w, ids[0], source, ids[1], target, err);
    }
    if (status == STATUS_OK)
        status = shard_writer_commit(w, 0, 0, err);
    shard_writer_close(w);
    return status;
}

/* The user's corpus with the user's vocabulary. */
static enum status read_corpus(struct bench *b, const struct options *o, struct error *err)
{
    struct bytes text;
    struct corpora corpora;
    struct vocabulary *vocabulary = NULL;
    struct shard *shard = NULL;
    bytes_init(&text, TEXT_BYTES_MAX);
    enum status status = options_need(o, err, "vocab", NULL);
    if (status == STATUS_OK)
        status = corpora_from_options(&corpora, o, "train", false, err);
    if (status == STATUS_OK)
        status = bytes_read_file(&text, options_text(o, "vocab"), err);
    if (status == STATUS_OK)
        status = vocabulary_parse_tsv(&vocabulary, text.data, text.len, err);
    if (status == STATUS_OK) {
        const struct train_data_options options = { .vocabulary = vocabulary,
                                                    .vocabulary_text = text.data,
                                                    .pieces_max = PAIR_LENGTH_MAX - 1 };
        b->config.vocabulary = vocabulary_size(vocabulary);
        status = train_data_open(&shard, b->shard_path, &corpora, &options, err);
    }
    shard_close(shard);
    vocabulary_free(vocabulary);
    bytes_release(&text);
    return status;
}

static enum status open_data(struct bench *b, const struct options *o, struct error *err)
{
    enum status status;
    snprintf(b->folder, sizeof b->folder, "/tmp/verso-bench-XXXXXX");
    if (!mkdtemp(b->folder))
        return error_set(err, STATUS_IO, "no folder can be made below /tmp");
    snprintf(b->shard_path, sizeof b->shard_path, "%s/pairs", b->folder);
    b->data = options_given(o, "train") ? "corpus" : "made-up pairs";
    if (options_given(o, "train"))
        status = read_corpus(b, o, err);
    else
        status = make_up_pairs(b, err);
    const int32_t piece = 4;
    if (status == STATUS_OK)
        status = pairs_add(&b->valid, &piece, 1, &piece, 1, err);
    if (status == STATUS_OK)
        status = shard_open(&b->shard, b->shard_path, err);
    return status;
}

/* ---- arithmetic ---- */

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Products of what is read once a source piece; the folded context is one of them. */
static bool is_of_source(const char *name)
{
    return starts_with(name, "encoder.") || starts_with(name, "attention.key") ||
           strcmp(name, "decoder.0.context") == 0;
}

/* Multiplications and additions of all products with weights, padding left out. */
static double flop_per_target_piece(const struct config *config, const struct shard *shard)
{
    static struct seq2seq shape;
    const struct shard_facts *facts = shard_facts(shard);
    const double source_pieces =
        (double)(facts->ids - facts->target_pieces) / (double)facts->target_pieces;
    double flop = 0;
    seq2seq_init(&shape, config);
    for (int i = 0; i < shape.params.count; i++) {
        const struct param *p = &shape.params.entries[i];
        const double weights = (double)p->tensor.rows * p->tensor.cols;
        if (p->tensor.cols > 1 && !starts_with(p->name, "bridge"))
            flop += 2 * FORWARD_AND_BACK * weights * (is_of_source(p->name) ? source_pieces : 1);
    }
    return flop;
}

struct peak_job {
    const struct kernels *kernels;
    int M, N, K;
    double flops[TRAINER_THREADS_MAX];
};

/* Everybody at once, as in a training. */
static void measure_product(void *context, int member)
{
    struct peak_job *job = context;
    const size_t M = (size_t)job->M, N = (size_t)job->N, K = (size_t)job->K;
    float *a = memory_zeroed(M * K, sizeof *a), *b = memory_zeroed(N * K, sizeof *b);
    float *c = memory_zeroed(M * N, sizeof *c);
    gemm_use_one_thread();
    if (a && b && c) {
        int64_t done = 0, from = 0, now = 0;
        for (job->kernels->gemm(GEMM_NN, job->M, job->N, job->K, a, job->K, b, job->N, false, c,
                                job->N),
             from = now = clock_now_ns();
             now - from < PEAK_NS; done++, now = clock_now_ns())
            job->kernels->gemm(GEMM_NN, job->M, job->N, job->K, a, job->K, b, job->N, false, c,
                               job->N);
        job->flops[member] =
            2.0 * (double)(M * N * K) * (double)done / ((double)(now - from) * 1e-9);
    }
    memory_free(a);
    memory_free(b);
    memory_free(c);
}

static double measure_peak(const struct variant *v)
{
    static const int sizes[][3] = { { 512, 2048, 1024 },
                                    { 1024, 1024, 1024 },
                                    { 2048, 2048, 512 } };
    const struct kernels kernels = training_kernels(kernels_best(), v->precision);
    struct team *team = team_new(v->threads);
    double best = 0;
    for (size_t s = 0; team && s < sizeof sizes / sizeof *sizes; s++) {
        struct peak_job job = { &kernels, sizes[s][0], sizes[s][1], sizes[s][2], { 0 } };
        double sum = 0;
        team_run(team, measure_product, &job);
        for (int i = 0; i < v->threads; i++)
            sum += job.flops[i];
        best = sum > best ? sum : best;
    }
    team_free(team);
    return best;
}

/* ---- one process ---- */

struct child {
    struct sample sample;
    int64_t updates, warmup, from_ns;
    int threads, pipe;
};

/* The end of the measurement is the end of the process: a training that is stopped would save. */
static void on_update(void *context, const struct training_progress *progress)
{
    struct child *c = context;
    const int64_t now = clock_now_ns(), update = progress->state->updates;
    if (update == c->warmup) {
        memset(c->sample.watches, 0, sizeof c->sample.watches);
        c->sample.pieces = 0;
        c->from_ns = now;
        return;
    }
    c->sample.pieces += progress->pieces;
    if (update < c->warmup + c->updates)
        return;
    c->sample.ns = now - c->from_ns;
    c->sample.loss = progress->loss;
    const char *bytes = (const char *)&c->sample;
    for (size_t sent = 0; sent < sizeof c->sample;) {
        const ssize_t n = write(c->pipe, bytes + sent, sizeof c->sample - sent);
        if (n <= 0)
            _exit(EXIT_FAILED);
        sent += (size_t)n;
    }
    _exit(EXIT_OK);
}

static void run_child(struct bench *b, const struct variant *v, int out)
{
    static struct child child;
    struct error err;
    struct translation_task *task = NULL;
    struct trainer *trainer = NULL;
    char checkpoint[96];
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", b->folder);
    child = (struct child){
        .updates = b->updates, .warmup = b->warmup, .threads = v->threads, .pipe = out
    };
    child.sample.peak = measure_peak(v);
    const struct translation_data data = { b->shard, groups_limits(), &b->valid };
    const struct trainer_options options = {
        .schedule = { .rate = 1e-3, .warmup = 500, .decay = 1 },
        .optimizer = optimizer_options_default(),
        .dropout = b->dropout,
        .smoothing = 0.1,
        .epochs = INT32_MAX,
        .validate_every = INT32_MAX,
        .checkpoint_path = checkpoint,
        .precision = v->precision,
        .threads = v->threads,
        .seed = 1,
        .stopwatches = child.sample.watches,
        .on_update = on_update,
        .context = &child,
    };
    enum status status = translation_task_new(&task, &b->config, &data, b->batches, &err);
    if (status == STATUS_OK)
        status = trainer_new(&trainer, &options, &task->task, &err);
    if (status == STATUS_OK)
        status = trainer_run(trainer, &err);
    fprintf(stderr, "verso bench train: %s\n",
            status == STATUS_OK ? "the training ended too early" : err.text);
    _exit(EXIT_FAILED);
}

/* ---- the parent ---- */

static bool read_sample(int in, struct sample *sample)
{
    char *bytes = (char *)sample;
    size_t got = 0;
    while (got < sizeof *sample) {
        const ssize_t n = read(in, bytes + got, sizeof *sample - got);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static struct measured summary(const struct bench *b, const struct variant *v,
                               const struct sample *s, long memory_kb)
{
    const double seconds = (double)s->ns * 1e-9, all = (double)s->ns * v->threads;
    struct measured m = { .pieces_per_second = (double)s->pieces / seconds,
                          .peak = s->peak,
                          .loss = s->loss,
                          .memory_kb = memory_kb };
    double counted = 0;
    m.flops = m.pieces_per_second * b->flop_per_piece;
    for (int part = 0; part < PART_COUNT; part++) {
        double ns = (double)s->watches[v->threads].ns[part] * v->threads;
        for (int i = 0; i < v->threads; i++)
            ns += (double)s->watches[i].ns[part];
        m.share[part] = ns / all;
        counted += m.share[part];
    }
    m.share[PART_COUNT] = counted < 1 ? 1 - counted : 0;
    return m;
}

static enum status measure(struct bench *b, struct variant *v, int round, struct error *err)
{
    static struct sample sample;
    int ends[2];
    if (pipe(ends) != 0)
        return error_set(err, STATUS_IO, "no pipe can be opened");
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_child(b, v, ends[1]);
    }
    close(ends[1]);
    const bool ok = pid > 0 && read_sample(ends[0], &sample);
    struct rusage usage = { 0 };
    int ended = 0;
    close(ends[0]);
    if (pid > 0)
        wait4(pid, &ended, 0, &usage);
    if (!ok || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        return error_set(err, STATUS_IO,
                         "a measuring process ended early: is there enough memory?");
    v->rounds[round] = summary(b, v, &sample, usage.ru_maxrss);
    return STATUS_OK;
}

static enum status measure_all(struct bench *b, struct error *err)
{
    enum status status = STATUS_OK;
    for (int round = 0; round < b->rounds && status == STATUS_OK; round++) {
        for (int i = 0; i < b->variant_count && status == STATUS_OK; i++) {
            struct variant *v = &b->variants[i];
            status = measure(b, v, round, err);
            if (status == STATUS_OK)
                fprintf(stderr, "round %d of %d: %s, %d thread%s: %.0f target pieces/s\n",
                        round + 1, b->rounds, precision_names[v->precision], v->threads,
                        v->threads == 1 ? "" : "s", v->rounds[round].pieces_per_second);
        }
    }
    return status;
}

/* ---- the report ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median over rounds of a number in struct measured. */
static double median(const struct bench *b, const struct variant *v, size_t offset)
{
    double values[ROUNDS_MAX];
    for (int i = 0; i < b->rounds; i++)
        values[i] = *(const double *)(const void *)((const char *)&v->rounds[i] + offset);
    qsort(values, (size_t)b->rounds, sizeof *values, compare_doubles);
    return (values[(b->rounds - 1) / 2] + values[b->rounds / 2]) / 2;
}

#define MEDIAN(b, v, field) median(b, v, offsetof(struct measured, field))

static double median_share(const struct bench *b, const struct variant *v, int part)
{
    return median(b, v, offsetof(struct measured, share) + (size_t)part * sizeof(double));
}

static long most_memory(const struct bench *b, const struct variant *v)
{
    long most = 0;
    for (int i = 0; i < b->rounds; i++)
        most = v->rounds[i].memory_kb > most ? v->rounds[i].memory_kb : most;
    return most;
}

static void print_table(const struct bench *b)
{
    const struct config *c = &b->config;
    printf("%s; E=%d H=%d A=%d V=%d, %s, %d + %d layers; batches of %d; medians of %d x %d "
           "updates\n\n",
           b->data, c->embedding, c->hidden, c->attention, c->vocabulary,
           config_choices("cell")[c->cell], c->encoder_layers, c->decoder_layers,
           b->batches.sentences, b->rounds, b->updates);
    printf("%-10s %7s %15s %9s %10s %8s %10s\n", "products", "threads", "target pieces/s",
           "GFLOP/s", "fastest", "share", "memory MB");
    for (int i = 0; i < b->variant_count; i++) {
        const struct variant *v = &b->variants[i];
        const double flops = MEDIAN(b, v, flops), peak = MEDIAN(b, v, peak);
        printf("%-10s %7d %15.0f %9.0f %10.0f %7.0f%% %10ld\n", precision_names[v->precision],
               v->threads, MEDIAN(b, v, pieces_per_second), flops / 1e9, peak / 1e9,
               100 * flops / peak, most_memory(b, v) / 1000);
    }
    printf("\n%-14s", "of the time, %");
    for (int i = 0; i < b->variant_count; i++)
        printf(" %5s x %d", precision_names[b->variants[i].precision], b->variants[i].threads);
    for (int part = PART_INPUT; part <= PART_COUNT; part++) {
        printf("\n%-14s", part_names[part]);
        for (int i = 0; i < b->variant_count; i++)
            printf(" %9.1f", 100 * median_share(b, &b->variants[i], part));
    }
    printf("\n\nGFLOP/s are those of products with weights, padding left out; the fastest is the "
           "fastest product\nthat this machine was seen to do, with as many threads at once.\n");
}

static json_t *variant_to_json(const struct bench *b, const struct variant *v)
{
    json_t *shares = json_object();
    for (int part = PART_INPUT; part <= PART_COUNT; part++)
        json_object_set_new(shares, part_names[part], json_rounded(median_share(b, v, part), 4));
    return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "products",
                     precision_names[v->precision], "threads", v->threads,
                     "target_pieces_per_second", json_rounded(MEDIAN(b, v, pieces_per_second), 6),
                     "flops", json_rounded(MEDIAN(b, v, flops), 6), "fastest_product_flops",
                     json_rounded(MEDIAN(b, v, peak), 6), "share_of_fastest",
                     json_rounded(MEDIAN(b, v, flops) / MEDIAN(b, v, peak), 4), "memory_kb",
                     (json_int_t)most_memory(b, v), "last_loss",
                     json_rounded(MEDIAN(b, v, loss), 6), "time", shares);
}

static enum status print_json(const struct bench *b, struct error *err)
{
    struct bytes text, config;
    json_t *variants = json_array(), *shape = NULL;
    bytes_init(&text, JSON_BYTES_MAX);
    bytes_init(&config, JSON_BYTES_MAX);
    enum status status = config_write(&b->config, &config, err);
    if (status == STATUS_OK)
        status = json_parse(&shape, config.data, config.len, err);
    for (int i = 0; i < b->variant_count; i++)
        json_array_append_new(variants, variant_to_json(b, &b->variants[i]));
    json_t *root = json_pack("{s:s, s:o, s:i, s:i, s:i, s:o}", "data", b->data, "config",
                             shape ? shape : json_null(), "batch_sentences", b->batches.sentences,
                             "updates", b->updates, "rounds", b->rounds, "results", variants);
    if (status == STATUS_OK && (!root || !json_write(&text, root)))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the report");
    if (status == STATUS_OK)
        printf("%s\n", text.data);
    json_decref(root);
    bytes_release(&config);
    bytes_release(&text);
    return status;
}

/* ---- the command ---- */

static void add_variants(struct bench *b, enum precision precision)
{
    b->variants[b->variant_count++] = (struct variant){ .precision = precision, .threads = 1 };
    if (b->threads > 1)
        b->variants[b->variant_count++] =
            (struct variant){ .precision = precision, .threads = b->threads };
}

static enum status read_options(struct bench *b, const struct options *o, struct error *err)
{
    enum status status = model_config_from_options(&b->config, o, err);
    b->config.vocabulary = options_int(o, "vocab-size");
    b->batches = (struct batch_options){ options_int(o, "batch-sentences"), BATCH_PIECES_MAX, 1 };
    b->dropout = options_real(o, "dropout");
    b->updates = options_int(o, "updates");
    b->warmup = options_int(o, "warmup");
    b->rounds = options_int(o, "rounds");
    b->threads = options_threads(o, TRAINER_THREADS_MAX);
    return status;
}

/* Asked in a process of its own: whether a processor multiplies bfloat16 shows when it does, and
 * the library must not have been used when the measuring processes begin. */
static bool has_bf16(void)
{
    struct error err;
    int ended = 1;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(precision_check(PRECISION_BF16, &err) == STATUS_OK ? 0 : 1);
    return pid > 0 && waitpid(pid, &ended, 0) == pid && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

static enum status bench(void *state, const struct options *o, struct error *err)
{
    struct bench *b = state;
    enum status status = read_options(b, o, err);
    if (status == STATUS_OK)
        status = open_data(b, o, err);
    if (status == STATUS_OK)
        status = config_check(&b->config, err);
    if (status != STATUS_OK)
        return status;
    b->flop_per_piece = flop_per_target_piece(&b->config, b->shard);
    add_variants(b, PRECISION_F32);
    if (has_bf16())
        add_variants(b, PRECISION_BF16);
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
    shard_close(b->shard);
    pairs_release(&b->valid);
    if (b->shard_path[0])
        unlink(b->shard_path);
    if (b->folder[0])
        rmdir(b->folder);
}

static int run(const struct options *o)
{
    return options_run(o, sizeof(struct bench), bench, release);
}

static const struct option_spec specs[] = {
    { "train", OPTION_LIST, .value = "FILE",
      .help = "pairs to train on, as of verso train; without them they are made up" },
    { "vocab", OPTION_TEXT, .value = "FILE", .help = "vocabulary of the pairs" },
    { "vocab-size", OPTION_INT, .value = "N", .fallback = "8000", .min = 261,
      .max = CONFIG_VOCABULARY_MAX, .help = "pieces of a vocabulary that is made up" },
    ON_BAD_LINE_OPTION,
    MODEL_OPTIONS,
    { "dropout", OPTION_REAL, .value = "P", .fallback = "0.2", .min = 0, .max = 0.9,
      .help = "share of values dropped" },
    { "batch-sentences", OPTION_INT, .value = "N", .fallback = "64", .min = 1, .max = 65536,
      .help = "pairs of one update" },
    { "updates", OPTION_INT, .value = "N", .fallback = "30", .min = 1, .max = 1e6,
      .help = "updates that are timed" },
    { "warmup", OPTION_INT, .value = "N", .fallback = "5", .min = 1, .max = 1e6,
      .help = "updates before them" },
    { "rounds", OPTION_INT, .value = "N", .fallback = "3", .min = 1, .max = ROUNDS_MAX,
      .help = "times that everything is measured" },
    { "threads", OPTION_INT, .environment = true, .value = "N", .min = 1,
      .max = TRAINER_THREADS_MAX, .help = "threads beside one; by default one a core" },
    { "json", OPTION_FLAG, .help = "the report as JSON" },
    { 0 },
};

const struct command command_bench_train = {
    .name = "bench train",
    .summary = "measure how fast training is, and where its time goes",
    .usage = "[OPTION...]",
    .description = "Trains for some updates with float32 products and, where the processor has "
                   "them, bfloat16 ones, with one thread and with all, each in a process of its "
                   "own. Nothing is kept.",
    .examples = "  verso bench train\n"
                "  verso bench train --train train.tsv.gz --vocab vocab.tsv --rounds 5 --json\n",
    .options = specs,
    .run = run,
};
