/*
 * align.c - "verso align": what a model makes of translations that are given.
 *
 *     pairs of a file -> block of pairs -> all threads, many in flight -> standard output, in order
 *
 * A line for each line: word links, or a table below the translation; on request
 * the log-probability in front. A line that is no pair, or too long, is said on
 * standard error, has an empty one in its place, and makes the exit code 3.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/threads.h"
#include "server/cmd/commands.h"
#include "server/cmd/precision.h"
#include "server/cmd/translate_format.h"
#include "server/engine/align.h"
#include "server/engine/corpus.h"

#define THREADS_MAX 256
#define BLOCK_PAIRS 1000
#define BLOCK_TEXT_BYTES ((size_t)4 << 20) // of pairs behind which one more may come
#define OUT_BYTES_MAX ((size_t)256 << 20)  // of a pair
#define SHARE_PAIRS 64
#define PIECES_A_SENTENCE 1024
#define ARENA_BYTES ((size_t)1 << 30) // address space a thread; what is not used costs nothing

struct aligned_pair {
    size_t at, source_len, target_len; // in texts: the source, the target behind it
    long number;                       // of its line
    long bad_before;                   // bad lines right in front of it
    struct bytes out;
    struct error err; // status is not OK: nothing to print, and why
};

struct member { // what one thread has
    struct aligner *aligner;
    struct arena arena;
};

struct aligning {
    struct engine *engine;
    enum answer_form form;
    bool scores;
    int threads;
    struct team *team;
    struct member *members; // (threads)

    struct bytes texts;
    struct aligned_pair pairs[BLOCK_PAIRS];
    int count;
    atomic_int next; // pair that no thread has taken

    long lines, bad_lines, bad_behind; // so far; right behind the last pair
};

/* ---- life cycle ---- */

static enum status start_members(struct aligning *a, struct error *err)
{
    const struct aligner_limits limits = { .pairs = SHARE_PAIRS, .pieces = PIECES_A_SENTENCE };
    a->members = memory_zeroed((size_t)a->threads, sizeof *a->members);
    a->team = team_new(a->threads);
    if (!a->members || !a->team)
        return error_set(err, STATUS_NO_MEMORY, "cannot start %d threads: ask for fewer",
                         a->threads);
    for (int i = 0; i < a->threads; i++) {
        enum status status = aligner_new(&a->members[i].aligner, a->engine, &limits, err);
        if (status != STATUS_OK)
            return status;
        if (!arena_init(&a->members[i].arena, ARENA_BYTES))
            return error_set(err, STATUS_NO_MEMORY, "no memory for %d threads: ask for fewer",
                             a->threads);
    }
    return STATUS_OK;
}

static void release(struct aligning *a)
{
    team_free(a->team);
    for (int i = 0; a->members && i < a->threads; i++) {
        aligner_free(a->members[i].aligner);
        arena_release(&a->members[i].arena);
    }
    memory_free(a->members);
    for (int i = 0; i < BLOCK_PAIRS; i++)
        bytes_release(&a->pairs[i].out);
    bytes_release(&a->texts);
    engine_free(a->engine);
}

/* ---- a share of a block ---- */

static struct engine_pair pair_of(const struct aligning *a, const struct aligned_pair *p)
{
    const char *source = a->texts.data ? a->texts.data + p->at : "";
    return (
        struct engine_pair){ .source = { .text = source, .len = p->source_len },
                             .target = { .text = source + p->source_len, .len = p->target_len } };
}

/* A failure of one is a failure of all. */
static enum status align_pairs(struct aligning *a, struct member *m, struct aligned_pair *pairs,
                               int count, struct error *err)
{
    struct engine_pair texts[SHARE_PAIRS];
    struct engine_answer answers[SHARE_PAIRS];
    for (int i = 0; i < count; i++)
        texts[i] = pair_of(a, &pairs[i]);
    arena_reset(&m->arena);
    enum status status = aligner_run(m->aligner, texts, count, &m->arena, answers, err);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        struct bytes *out = &pairs[i].out;
        bytes_reset(out);
        if (a->scores)
            bytes_printf(out, "%.4f\t", (double)answers[i].score);
        status = translate_format(out, a->form, pairs[i].number, engine_vocabulary(a->engine),
                                  texts[i].source.text, texts[i].source.len, &answers[i], &m->arena,
                                  err);
    }
    return status;
}

static void work(void *job, int member)
{
    struct aligning *a = job;
    struct error err;
    int from;
    while ((from = atomic_fetch_add(&a->next, SHARE_PAIRS)) < a->count) {
        const int rest = a->count - from, count = rest < SHARE_PAIRS ? rest : SHARE_PAIRS;
        struct member *m = &a->members[member];
        if (align_pairs(a, m, &a->pairs[from], count, &err) == STATUS_OK)
            continue;
        for (int i = from; i < from + count; i++) // only those fail that have to
            if (align_pairs(a, m, &a->pairs[i], 1, &err) != STATUS_OK)
                a->pairs[i].err = err;
    }
}

/* ---- a block ---- */

static enum status write_out(const char *bytes, size_t len, struct error *err)
{
    if (len == 0 || fwrite(bytes, 1, len, stdout) == len)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "writing the links: %s", strerror(errno));
}

/* In place of lines that are no pairs, so that lines still pair up. */
static enum status write_empty(long count, struct error *err)
{
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && count > 0; count--)
        status = write_out("\n", 1, err);
    return status;
}

static enum status write_pair(struct aligning *a, const struct aligned_pair *p, const char *name,
                              struct error *err)
{
    enum status status = write_empty(p->bad_before, err);
    if (status != STATUS_OK || p->err.status == STATUS_OK)
        return status == STATUS_OK ? write_out(p->out.data, p->out.len, err) : status;
    fprintf(stderr, "verso align: %s:%ld: %s\n", name, p->number, p->err.text);
    a->bad_lines++;
    return write_empty(1, err);
}

static enum status align_block(struct aligning *a, const char *name, struct error *err)
{
    enum status status = STATUS_OK;
    atomic_store(&a->next, 0);
    team_run(a->team, work, a);
    for (int i = 0; status == STATUS_OK && i < a->count; i++)
        status = write_pair(a, &a->pairs[i], name, err);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(err, STATUS_IO, "writing the links: %s", strerror(errno));
    bytes_reset(&a->texts);
    a->count = 0;
    return status;
}

static enum status add_pair(struct aligning *a, const struct corpus_pair *pair, struct error *err)
{
    struct aligned_pair *p = &a->pairs[a->count];
    p->at = a->texts.len;
    p->source_len = pair->source_len;
    p->target_len = pair->target_len;
    p->number = ++a->lines;
    p->bad_before = a->bad_behind;
    p->err = (struct error){ .status = STATUS_OK };
    a->bad_behind = 0;
    a->count++;
    bytes_append(&a->texts, pair->source, pair->source_len);
    bytes_append(&a->texts, pair->target, pair->target_len);
    return bytes_check(&a->texts, "a block of pairs", err);
}

/* ---- pairs ---- */

static void say_bad_line(void *context, const char *what)
{
    struct aligning *a = context;
    fprintf(stderr, "verso align: %s\n", what);
    a->lines++;
    a->bad_lines++;
    a->bad_behind++;
}

static enum status align_file(struct aligning *a, const char *path, struct error *err)
{
    const struct corpus_options options = { .skip_bad_lines = true,
                                            .on_bad_line = say_bad_line,
                                            .context = a };
    struct corpus *corpus;
    struct corpus_pair pair;
    struct error why;
    enum status read = STATUS_OK, status = corpus_open(&corpus, &path, 1, &options, err);
    while (status == STATUS_OK) {
        read = corpus_next(corpus, &pair, &why);
        const bool ended = read != STATUS_OK || !pair.source;
        if (!ended)
            status = add_pair(a, &pair, err);
        if (status == STATUS_OK &&
            (ended || a->count == BLOCK_PAIRS || a->texts.len >= BLOCK_TEXT_BYTES))
            status = align_block(a, path, err);
        if (ended)
            break;
    }
    corpus_close(corpus);
    if (status == STATUS_OK)
        status = write_empty(a->bad_behind, err);
    if (status == STATUS_OK && read != STATUS_OK)
        status = error_set(err, read, "%s", why.text);
    return status;
}

/* A pair on the command line: what is wrong with it is the command's failure. */
static enum status align_words(struct aligning *a, const char *source, const char *target,
                               struct error *err)
{
    const struct corpus_pair pair = { source, strlen(source), target, strlen(target) };
    enum status status = add_pair(a, &pair, err);
    if (status != STATUS_OK)
        return status;
    work(a, 0);
    if (a->pairs[0].err.status == STATUS_OK)
        return write_out(a->pairs[0].out.data, a->pairs[0].out.len, err);
    return error_set(err, a->pairs[0].err.status, "%s", a->pairs[0].err.text);
}

/* ---- the command ---- */

static enum status prepare(struct aligning *a, const struct options *o, struct error *err)
{
    static const char *const forms[] = { "pharaoh", "matrix", NULL };
    const char *model = options_text(o, "model");
    enum weight_type type;
    int form;
    enum status status = options_need(o, err, "model", NULL);
    if (status == STATUS_OK)
        status = option_choice(o, "alignment", forms, &form, err);
    if (status == STATUS_OK)
        status = precision_from_options(&type, o, err);
    if (status == STATUS_OK)
        status = engine_load(&a->engine, model, type, err);
    if (status != STATUS_OK)
        return status;
    a->form = form == 0 ? ANSWER_LINKS : ANSWER_MATRIX;
    a->scores = options_flag(o, "scores");
    a->threads = options_given(o, "threads") ? options_int(o, "threads") : threads_available();
    if (a->threads > THREADS_MAX)
        a->threads = THREADS_MAX;
    bytes_init(&a->texts, BLOCK_TEXT_BYTES + 2 * (CORPUS_SIDE_BYTES_MAX + 1));
    for (int i = 0; i < BLOCK_PAIRS; i++)
        bytes_init(&a->pairs[i].out, OUT_BYTES_MAX);
    return start_members(a, err);
}

static enum status align(struct aligning *a, const struct options *o, struct error *err)
{
    const int count = options_operand_count(o);
    enum status status = prepare(a, o, err);
    if (status != STATUS_OK)
        return status;
    if (count == 2)
        return align_words(a, options_operand(o, 0), options_operand(o, 1), err);
    return align_file(a, count == 1 ? options_operand(o, 0) : "-", err);
}

static int run(const struct options *o)
{
    struct error err;
    struct aligning *a = memory_zeroed(1, sizeof *a);
    if (!a)
        return options_finish(o, error_set(&err, STATUS_NO_MEMORY, "no memory to align"), &err);
    const enum status status = align(a, o, &err);
    const long bad_lines = a->bad_lines;
    release(a);
    memory_free(a);
    if (status == STATUS_OK && bad_lines > 0)
        return EXIT_BAD_INPUT;
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "model", OPTION_TEXT, .letter = 'm', .environment = true, .value = "FILE",
      .help = "model file to ask" },
    { "alignment", OPTION_TEXT, .value = "FORM", .fallback = "pharaoh",
      .help = "pharaoh (\"0-0 1-2\", source-target) or matrix (the translation and a table below "
              "it)" },
    { "scores", OPTION_FLAG,
      .help = "the log-probability of each translation in front, and a tab" },
    PRECISION_OPTION,
    { "threads", OPTION_INT, .letter = 't', .environment = true, .value = "N", .min = 1,
      .max = THREADS_MAX, .help = "threads; by default one a core" },
    { 0 },
};

const struct command command_align = {
    .name = "align",
    .summary = "show which words of given translations belong together",
    .usage = "--model FILE [OPTION...] [FILE | SOURCE TARGET]",
    .description =
        "Follows each given translation with the model and writes a line for each line\n"
        "of a file of pairs (source, tab, translation; plain or gzipped; or two parallel\n"
        "files as \"a.en,a.fr\"), or of standard input: which source word each word of "
        "the\n"
        "translation looks at most, words counted from 0. A line that is no pair is said\n"
        "on standard error, has an empty one in its place, and makes the exit code 3.\n",
    .examples = "  verso align --model en-fr.safetensors 'a house' 'une maison'\n"
                "  verso align -m en-fr.safetensors --scores pairs.tsv.gz > links\n",
    .options = specs,
    .operands_max = 2,
    .run = run,
};
