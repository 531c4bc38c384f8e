/*
 * translate_block.c - lines sorted by length, cut into shares, each share taken by a free thread.
 */
#include "server/cmd/translate_block.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/gzip.h"
#include "base/memory.h"
#include "base/threads.h"
#include "tokenizer/utf8.h"

#define BLOCK_LINES 1000
#define BLOCK_TEXT_BYTES ((size_t)4 << 20) // of lines behind which one more may come
#define LINE_OUT_BYTES_MAX ((size_t)256 << 20)
#define SHARE_LINES_MAX 64
#define SHARE_BYTES_MAX ((size_t)64 << 10)
#define ROWS_MAX 512 // hypotheses that step together in one thread
#define SENTENCES_MAX_IN_FLIGHT 64
#define PIECES_A_SENTENCE 256
#define SENTENCES_A_LINE 1000000      // more than a line can have
#define ARENA_BYTES ((size_t)1 << 30) // address space a thread; what is not used costs nothing

struct text_span {
    size_t at, len; // in block->texts
};

struct member { // what one thread has
    struct engine_worker *worker;
    struct arena arena;
};

struct block {
    const struct engine *engine;
    struct block_setup setup;
    struct team *team;
    struct member *members; // (threads)

    struct bytes texts; // of all lines, one behind the other
    struct block_line lines[BLOCK_LINES];
    struct text_span spans[BLOCK_LINES];
    int count;

    int order[BLOCK_LINES]; // (ordered) lines to translate, the longest first
    int ordered, share_lines;
    atomic_int next; // in order: the first that no thread has taken
};

/* ---- life cycle ---- */

static enum status start_members(struct block *b, struct error *err)
{
    const int beam = b->setup.search.beam;
    const int fit = ROWS_MAX / beam;
    const struct engine_limits limits = {
        .sentences = fit < 1                         ? 1
                     : fit < SENTENCES_MAX_IN_FLIGHT ? fit
                                                     : SENTENCES_MAX_IN_FLIGHT,
        .beam = beam,
        .pieces = PIECES_A_SENTENCE,
        .text_sentences = SENTENCES_A_LINE,
    };
    for (int i = 0; i < b->setup.threads; i++) {
        enum status status = engine_worker_new(&b->members[i].worker, b->engine, &limits, err);
        if (status != STATUS_OK)
            return status;
        if (!arena_init(&b->members[i].arena, ARENA_BYTES))
            return error_set(err, STATUS_NO_MEMORY, "no memory for %d threads: ask for fewer",
                             b->setup.threads);
    }
    return STATUS_OK;
}

enum status block_new(struct block **out, const struct engine *engine,
                      const struct block_setup *setup, struct error *err)
{
    *out = NULL;
    struct block *b = memory_zeroed(1, sizeof *b);
    if (!b)
        return error_set(err, STATUS_NO_MEMORY, "no memory to translate");
    b->engine = engine;
    b->setup = *setup;
    bytes_init(&b->texts, BLOCK_TEXT_BYTES + LINE_BYTES_MAX);
    for (int i = 0; i < BLOCK_LINES; i++)
        bytes_init(&b->lines[i].out, LINE_OUT_BYTES_MAX);
    b->members = memory_zeroed((size_t)setup->threads, sizeof *b->members);
    b->team = team_new(setup->threads);
    enum status status = b->members && b->team
                             ? start_members(b, err)
                             : error_set(err, STATUS_NO_MEMORY,
                                         "cannot start %d threads: ask for fewer", setup->threads);
    if (status != STATUS_OK) {
        block_free(b);
        return status;
    }
    *out = b;
    return STATUS_OK;
}

void block_free(struct block *block)
{
    if (!block)
        return;
    team_free(block->team);
    for (int i = 0; block->members && i < block->setup.threads; i++) {
        engine_worker_free(block->members[i].worker);
        arena_release(&block->members[i].arena);
    }
    for (int i = 0; i < BLOCK_LINES; i++)
        bytes_release(&block->lines[i].out);
    bytes_release(&block->texts);
    memory_free(block->members);
    memory_free(block);
}

/* ---- gathering ---- */

bool block_is_full(const struct block *block)
{
    return block->count == BLOCK_LINES || block->texts.len >= BLOCK_TEXT_BYTES;
}

enum status block_add(struct block *block, long number, const char *text, size_t len,
                      struct error *err)
{
    assert(!block_is_full(block));
    size_t at = block->texts.len;
    bytes_append(&block->texts, text, len);
    enum status status = bytes_check(&block->texts, "a block of lines", err);
    if (status != STATUS_OK)
        return status;
    block->lines[block->count].number = number;
    block->lines[block->count].err = (struct error){ .status = STATUS_OK };
    block->spans[block->count++] = (struct text_span){ at, len };
    return STATUS_OK;
}

void block_add_failed(struct block *block, long number, const struct error *why)
{
    assert(!block_is_full(block));
    block->lines[block->count].number = number;
    block->lines[block->count].err = *why;
    block->spans[block->count++] = (struct text_span){ 0, 0 };
}

int block_count(const struct block *block)
{
    return block->count;
}

const struct block_line *block_line(const struct block *block, int i)
{
    return &block->lines[i];
}

void block_reset(struct block *block)
{
    for (int i = 0; i < block->count; i++)
        bytes_reset(&block->lines[i].out);
    bytes_reset(&block->texts);
    block->count = 0;
}

/* ---- translating ---- */

static const char *text_of(const struct block *b, int line)
{
    return b->texts.data ? b->texts.data + b->spans[line].at : "";
}

static enum status translate_documents(const struct block *b, struct member *m,
                                       const struct engine_text *texts, int count,
                                       struct engine_answer *answers, struct error *err)
{
    const struct document_options options = { .glossary = b->setup.glossary };
    struct document *documents;
    struct engine_text *plain;
    enum status status = documents_open(&options, texts, count, &m->arena, &documents, &plain, err);
    if (status == STATUS_OK)
        status =
            engine_translate(m->worker, plain, count, &b->setup.search, &m->arena, answers, err);
    if (status == STATUS_OK)
        status = documents_answer(documents, count, engine_vocabulary(b->engine), answers,
                                  &m->arena, answers, err);
    return status;
}

/* Translate and format the lines together; a failure of one is a failure of all. */
static enum status translate_lines(struct block *b, struct member *m, const int *lines, int count,
                                   struct error *err)
{
    struct engine_text texts[SHARE_LINES_MAX];
    struct engine_answer answers[SHARE_LINES_MAX];
    for (int i = 0; i < count; i++)
        texts[i] =
            (struct engine_text){ .text = text_of(b, lines[i]), .len = b->spans[lines[i]].len };
    arena_reset(&m->arena);
    enum status status = translate_documents(b, m, texts, count, answers, err);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        struct block_line *line = &b->lines[lines[i]];
        bytes_reset(&line->out);
        if (b->setup.look)
            status = b->setup.look(b->setup.context, line->number, texts[i].text, &answers[i],
                                   &m->arena, err);
        if (status != STATUS_OK)
            break;
        status =
            translate_format(&line->out, b->setup.form, line->number, engine_vocabulary(b->engine),
                             texts[i].text, texts[i].len, &answers[i], &m->arena, err);
    }
    return status;
}

/* If they fail together, one by one, so that only those fail that have to. */
static void translate_share(struct block *b, struct member *m, const int *lines, int count)
{
    struct error err;
    if (translate_lines(b, m, lines, count, &err) == STATUS_OK)
        return;
    for (int i = 0; i < count; i++)
        if (translate_lines(b, m, &lines[i], 1, &err) != STATUS_OK)
            b->lines[lines[i]].err = err;
}

/* The next lines that nobody has taken: as many as a share has, fewer where they are long. */
static int take_share(struct block *b, int *from)
{
    int count, at = atomic_load(&b->next);
    do {
        size_t bytes = 0;
        for (count = 0; count < b->share_lines && at + count < b->ordered; count++) {
            bytes += b->spans[b->order[at + count]].len;
            if (count > 0 && bytes > SHARE_BYTES_MAX)
                break;
        }
    } while (!atomic_compare_exchange_weak(&b->next, &at, at + count));
    *from = at;
    return count;
}

static void work(void *block, int member)
{
    struct block *b = block;
    int from, count;
    while ((count = take_share(b, &from)) > 0)
        translate_share(b, &b->members[member], &b->order[from], count);
}

static int longest_first(const void *left, const void *right, void *block)
{
    const struct block *b = block;
    int a = *(const int *)left, c = *(const int *)right;
    if (b->spans[a].len != b->spans[c].len)
        return b->spans[a].len < b->spans[c].len ? 1 : -1;
    return a < c ? -1 : 1;
}

void block_translate(struct block *block)
{
    block->ordered = 0;
    for (int i = 0; i < block->count; i++) {
        struct block_line *line = &block->lines[i];
        if (line->err.status == STATUS_OK)
            line->err.status = utf8_check(text_of(block, i), block->spans[i].len, &line->err);
        if (line->err.status == STATUS_OK)
            block->order[block->ordered++] = i;
    }
    qsort_r(block->order, (size_t)block->ordered, sizeof block->order[0], longest_first, block);
    const int shares = 2 * block->setup.threads; // two a thread even out the last ones
    int lines = (block->ordered + shares - 1) / shares;
    block->share_lines = lines < SHARE_LINES_MAX ? lines : SHARE_LINES_MAX;
    atomic_store(&block->next, 0);
    team_run(block->team, work, block);
}
