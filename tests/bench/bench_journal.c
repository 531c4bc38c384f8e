/*
 * bench_journal.c - what storing costs: time beside the engine, bytes a translation, queries.
 *
 *     bench_journal DATABASE MODELS texts.en 1000000       fill, and ask (the file must be new)
 *     bench_journal DATABASE MODELS texts.en 0             only the engine with and without
 *
 * MODELS is a folder with an en-fr model, texts.en a sentence a line. Each text
 * is translated once (8-bit weights, beam 5); what came of them is stored in turn until there
 * are as many rows as asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/rng.h"
#include "server/registry/registry.h"
#include "server/store/journal_read.h"
#include "server/store/sql.h"

#define TEXTS_MAX 20000
#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define ANSWERS_BYTES ((size_t)4 << 30)
#define TOGETHER 64 // texts in flight
#define ROUNDS 6    // with and without in turn
#define QUERIES 2000

struct bench {
    struct db *db;
    struct registry *registry;
    struct live_model *model;
    struct engine_worker *worker;
    struct journal *journal;
    struct arena answers, scratch;
    struct bytes file;
    struct engine_text texts[TEXTS_MAX];
    struct engine_answer out[TEXTS_MAX];
    int count;
    size_t text_bytes; // sources and targets
};

static void check(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "bench_journal: %s\n", err->text);
    exit(1);
}

static double seconds(int64_t since_ns)
{
    return (double)(clock_now_ns() - since_ns) / 1e9;
}

static double cpu_seconds(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* ---- before ---- */

static void read_texts(struct bench *b, const char *path)
{
    struct error err;
    bytes_init(&b->file, TEXT_BYTES_MAX);
    check(bytes_read_file(&b->file, path, &err), &err);
    for (char *at = b->file.data, *end; b->count < TEXTS_MAX && (end = strchr(at, '\n'));
         at = end + 1)
        if (end > at)
            b->texts[b->count++] = (struct engine_text){ .text = at, .len = (size_t)(end - at) };
}

static void open_all(struct bench *b, const char *database, const char *models)
{
    struct error err;
    const struct engine_limits engine = {
        .sentences = TOGETHER, .beam = 5, .pieces = 256, .text_sentences = 1000000
    };
    const struct journal_limits limits = { .replica = "a1",
                                           .keep_text = true,
                                           .queue_rows = JOURNAL_QUEUE_ROWS,
                                           .queue_bytes = JOURNAL_QUEUE_BYTES };
    log_set_level(LOG_WARNING);
    check(db_open(&b->db, database, &err), &err);
    check(registry_open(&b->registry, models, WEIGHT_I8, SHORTLIST_WHOLE, b->db, &err), &err);
    struct live_models *live = registry_models(b->registry);
    b->model = live_model_take(live_models_find(live, "en", "fr"));
    live_models_release(live);
    check(engine_worker_new(&b->worker, live_model_engine(b->model), &engine, &err), &err);
    check(journal_open(&b->journal, database, &limits, &err), &err);
    if (!arena_init(&b->answers, ANSWERS_BYTES) || !arena_init(&b->scratch, ANSWERS_BYTES))
        exit(1);
}

static struct journal_entry entry_of(const struct bench *b, int i)
{
    return (struct journal_entry){
        .model_id = live_model_id(b->model),
        .vocabulary = engine_vocabulary(live_model_engine(b->model)),
        .source_language = "en",
        .target_language = "fr",
        .source = { b->texts[i].text, b->texts[i].len },
        .target = { b->out[i].text, b->out[i].len },
        .texts = &b->texts[i],
        .answers = &b->out[i],
        .count = 1,
        .beam = 5,
        .took_us = 20000,
    };
}

static void store(struct bench *b, int i)
{
    struct error err;
    char id[1][JOURNAL_ID_BYTES];
    const struct journal_entry entry = entry_of(b, i);
    enum status status;
    do
        status = journal_add(b->journal, &entry, 1, &b->scratch, id, NULL, &err);
    while (status == STATUS_BUSY);
    check(status, &err);
}

static void translate(struct bench *b, int from, int count)
{
    struct error err;
    const struct search_options options = search_options_default();
    check(engine_translate(b->worker, b->texts + from, count, &options, &b->answers, b->out + from,
                           &err),
          &err);
}

/* ---- the engine with and without ---- */

struct cost {
    double wall, cpu;
};

static struct cost round_of(struct bench *b, bool stores)
{
    const int64_t since = clock_now_ns();
    const double cpu = cpu_seconds();
    arena_reset(&b->answers);
    for (int from = 0; from < b->count; from += TOGETHER) {
        const int count = b->count - from < TOGETHER ? b->count - from : TOGETHER;
        translate(b, from, count);
        for (int i = from; stores && i < from + count; i++)
            store(b, i);
    }
    if (stores)
        journal_flush(b->journal);
    return (struct cost){ seconds(since), cpu_seconds() - cpu };
}

static void measure_throughput(struct bench *b)
{
    struct cost without = { 1e9, 1e9 }, with = without;
    round_of(b, true);
    for (int i = 0; i < 2 * ROUNDS; i++) {
        const struct cost cost = round_of(b, i % 2);
        struct cost *best = i % 2 ? &with : &without;
        best->wall = cost.wall < best->wall ? cost.wall : best->wall;
        best->cpu = cost.cpu < best->cpu ? cost.cpu : best->cpu;
    }
    printf("engine alone   %8.0f translations/s, %.1f us of processor each\n",
           b->count / without.wall, 1e6 * without.cpu / b->count);
    printf("and stored     %8.0f translations/s, %.1f us of processor each\n", b->count / with.wall,
           1e6 * with.cpu / b->count);
    printf("slower by      %8.1f %% by the clock, %.1f %% of processor time\n",
           100 * (with.wall / without.wall - 1), 100 * (with.cpu / without.cpu - 1));
}

/* ---- size ---- */

static long long number(struct bench *b, const char *sql)
{
    struct error err;
    bool has_row;
    sqlite3_stmt *s;
    check(sql_prepare(b->db, &s, sql, &err), &err);
    check(sql_step(b->db, s, &has_row, &err), &err);
    const long long value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static long long used_bytes(struct bench *b)
{
    return (number(b, "PRAGMA page_count") - number(b, "PRAGMA freelist_count")) *
           number(b, "PRAGMA page_size");
}

static void print_size(struct bench *b, long long empty)
{
    const long long rows = number(b, "SELECT count(*) FROM translations");
    const long long texts = number(
        b, "SELECT sum(length(CAST(source_text AS BLOB)) + length(CAST(target_text AS BLOB))) "
           "FROM (SELECT * FROM translations ORDER BY id DESC LIMIT 20000)");
    const double text = (double)texts / (double)(rows < 20000 ? rows : 20000);
    const double all = (double)(used_bytes(b) - empty) / (double)rows;
    printf("%9lld rows  %6.1f bytes each, of which %.1f are text: %.1f beside it; %lld pairs of "
           "words\n",
           rows, all, text, all - text, number(b, "SELECT count(*) FROM word_pairs"));
}

/* ---- queries ---- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *what, double *ms, int count)
{
    qsort(ms, (size_t)count, sizeof *ms, by_value);
    printf("%-40s median %8.3f ms, 99th of 100 %8.3f ms, slowest %8.3f ms\n", what, ms[count / 2],
           ms[count * 99 / 100], ms[count - 1]);
}

static void measure_reads(struct bench *b)
{
    static double ms[QUERIES];
    struct error err;
    struct rng rng = rng_make(1, 1);
    const long long low = number(b, "SELECT min(id) FROM translations");
    const long long high = number(b, "SELECT max(id) FROM translations");
    for (int i = -1; i < QUERIES; i++) {
        char sql[128];
        struct stored_translation t;
        const long long near = low + (long long)(rng_uniform(&rng) * (double)(high - low));
        snprintf(sql, sizeof sql, "SELECT id FROM translations WHERE id >= %lld LIMIT 1", near);
        const long long id = number(b, sql);
        const int64_t since = clock_now_ns();
        check(journal_read(b->db, b->journal, id, ANY_KEY, &b->scratch, &t, &err), &err);
        if (i >= 0) // before that the vocabulary was read
            ms[i] = seconds(since) * 1000;
        arena_reset(&b->scratch);
    }
    print_times("by id, with its alignment", ms, QUERIES);
}

static void measure_links(struct bench *b, const char *word)
{
    static double ms[100];
    struct error err;
    char what[80];
    int count = 0;
    for (int i = 0; i < 100; i++) {
        struct stored_link *links;
        const struct links_query query = { .source = word, .limit = 20 };
        const int64_t since = clock_now_ns();
        check(links_list(b->db, &query, ANY_KEY, &b->scratch, &links, &count, &err), &err);
        ms[i] = seconds(since) * 1000;
        arena_reset(&b->scratch);
    }
    snprintf(what, sizeof what, "links of \"%s\" (%d)", word, count);
    print_times(what, ms, 100);
}

static void measure_list(struct bench *b, const char *text)
{
    static double ms[10];
    struct error err;
    char what[80];
    int count = 0;
    for (int i = 0; i < 10; i++) {
        struct stored_translation *list;
        const struct journal_query query = { .text = text, .limit = 20 };
        const int64_t since = clock_now_ns();
        check(journal_list(b->db, &query, ANY_KEY, &b->scratch, &list, &count, &err), &err);
        ms[i] = seconds(since) * 1000;
        arena_reset(&b->scratch);
    }
    snprintf(what, sizeof what, "the newest 20 with \"%s\" (%d)", text ? text : "", count);
    print_times(what, ms, 10);
}

/* ---- all ---- */

static void fill(struct bench *b, long long rows, long long empty)
{
    arena_reset(&b->answers);
    for (int from = 0; from < b->count; from += TOGETHER)
        translate(b, from, b->count - from < TOGETHER ? b->count - from : TOGETHER);
    const int64_t since = clock_now_ns();
    for (long long i = 0; i < rows; i++) {
        if (i == b->count) {
            journal_flush(b->journal);
            print_size(b, empty); // each text once
        }
        store(b, (int)(i % b->count));
    }
    journal_flush(b->journal);
    printf("%lld rows in %.1f s\n", rows, seconds(since));
    print_size(b, empty);
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc != 5) {
        fputs("usage: bench_journal DATABASE MODELS TEXTS ROWS\n", stderr);
        return 2;
    }
    const long long rows = atoll(argv[4]);
    read_texts(&b, argv[3]);
    open_all(&b, argv[1], argv[2]);
    printf("%d texts\n", b.count);
    if (rows == 0) {
        measure_throughput(&b);
    } else {
        fill(&b, rows, used_bytes(&b));
        measure_reads(&b);
        measure_links(&b, "bank");
        measure_links(&b, "the");
        measure_links(&b, "I");
        measure_list(&b, NULL);
        measure_list(&b, "bank");
        measure_list(&b, "not in any of them");
    }
    journal_close(b.journal);
    engine_worker_free(b.worker);
    live_model_release(b.model);
    registry_close(b.registry);
    db_close(b.db);
    arena_release(&b.answers);
    arena_release(&b.scratch);
    bytes_release(&b.file);
    return 0;
}
