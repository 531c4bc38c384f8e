/*
 * translate_block.c - lines sorted by length, cut into shares, each share taken by a free thread.
 */
#include "server/cmd/translate_block.h"

#include <stdlib.h>

#include "base/gzip.h"
#include "base/memory.h"
#include "tokenizer/utf8.h"

#define SHARE_LINES_MAX 64
#define SHARE_BYTES_MAX ((size_t)64 << 10)
#define ROWS_MAX 512 // hypotheses that step together in one thread
#define SENTENCES_MAX_IN_FLIGHT 64
#define PIECES_A_SENTENCE 256
#define SENTENCES_A_LINE 1000000 // more than a line can have

/* ---- life cycle ---- */

static enum status start_workers(struct translate_block *b, struct error *err)
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
    enum status status = STATUS_OK;
    b->workers = memory_zeroed((size_t)b->lines.threads, sizeof(struct engine_worker *));
    if (!b->workers)
        return error_set(err, STATUS_NO_MEMORY, "no memory to translate");
    for (int i = 0; status == STATUS_OK && i < b->lines.threads; i++)
        status = engine_worker_new(&b->workers[i], b->engine, &limits, err);
    return status;
}

enum status translate_block_new(struct translate_block **out, const struct engine *engine,
                                const struct translate_setup *setup, struct error *err)
{
    *out = NULL;
    struct translate_block *b = memory_zeroed(1, sizeof *b);
    if (!b)
        return error_set(err, STATUS_NO_MEMORY, "no memory to translate");
    b->engine = engine;
    b->setup = *setup;
    enum status status = block_init(&b->lines, setup->threads, LINE_BYTES_MAX, err);
    if (status == STATUS_OK)
        status = start_workers(b, err);
    if (status != STATUS_OK) {
        translate_block_free(b);
        return status;
    }
    *out = b;
    return STATUS_OK;
}

void translate_block_free(struct translate_block *block)
{
    if (!block)
        return;
    for (int i = 0; block->workers && i < block->lines.threads; i++)
        engine_worker_free(block->workers[i]);
    memory_free(block->workers);
    block_release(&block->lines);
    memory_free(block);
}

/* ---- translating ---- */

static enum status translate_documents(const struct translate_block *b, int member,
                                       const struct engine_text *texts, int count,
                                       struct engine_answer *answers, struct error *err)
{
    const struct document_options options = { .glossary = b->setup.glossary };
    struct arena *arena = &b->lines.arenas[member];
    struct document *documents;
    struct engine_text *plain;
    enum status status = documents_open(&options, texts, count, arena, &documents, &plain, err);
    if (status == STATUS_OK)
        status = engine_translate(b->workers[member], plain, count, &b->setup.search, arena,
                                  answers, err);
    if (status == STATUS_OK)
        status = documents_answer(documents, count, engine_vocabulary(b->engine), answers, arena,
                                  answers, err);
    return status;
}

/* Translate and format the lines together; a failure of one is a failure of all. */
static enum status translate_lines(struct translate_block *b, int member, const int *lines,
                                   int count, struct error *err)
{
    struct engine_text texts[SHARE_LINES_MAX];
    struct engine_answer answers[SHARE_LINES_MAX];
    struct arena *arena = &b->lines.arenas[member];
    for (int i = 0; i < count; i++)
        texts[i] = (struct engine_text){ .text = block_text(&b->lines, lines[i]),
                                         .len = b->lines.lines[lines[i]].len };
    arena_reset(arena);
    enum status status = translate_documents(b, member, texts, count, answers, err);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        struct block_line *line = &b->lines.lines[lines[i]];
        bytes_reset(&line->out);
        if (b->setup.look)
            status = b->setup.look(b->setup.context, line->number, texts[i].text, &answers[i],
                                   arena, err);
        if (status != STATUS_OK)
            break;
        status =
            translate_format(&line->out, b->setup.form, line->number, engine_vocabulary(b->engine),
                             texts[i].text, texts[i].len, &answers[i], arena, err);
    }
    return status;
}

/* If they fail together, one by one, so that only those fail that have to. */
static void translate_share(struct translate_block *b, int member, const int *lines, int count)
{
    struct error err;
    if (translate_lines(b, member, lines, count, &err) == STATUS_OK)
        return;
    for (int i = 0; i < count; i++)
        if (translate_lines(b, member, &lines[i], 1, &err) != STATUS_OK)
            b->lines.lines[lines[i]].err = err;
}

/* The next lines that nobody has taken: as many as a share has, fewer where they are long. */
static int take_share(struct translate_block *b, int *from)
{
    int count, at = atomic_load(&b->next);
    do {
        size_t bytes = 0;
        for (count = 0; count < b->share_lines && at + count < b->ordered; count++) {
            bytes += b->lines.lines[b->order[at + count]].len;
            if (count > 0 && bytes > SHARE_BYTES_MAX)
                break;
        }
    } while (!atomic_compare_exchange_weak(&b->next, &at, at + count));
    *from = at;
    return count;
}

static void work(void *block, int member)
{
    struct translate_block *b = block;
    int from, count;
    while ((count = take_share(b, &from)) > 0)
        translate_share(b, member, &b->order[from], count);
}

static int longest_first(const void *left, const void *right, void *block)
{
    const struct block_line *lines = ((const struct block *)block)->lines;
    int a = *(const int *)left, c = *(const int *)right;
    if (lines[a].len != lines[c].len)
        return lines[a].len < lines[c].len ? 1 : -1;
    return a < c ? -1 : 1;
}

void translate_block_run(struct translate_block *block)
{
    struct block *b = &block->lines;
    block->ordered = 0;
    for (int i = 0; i < b->count; i++) {
        struct block_line *line = &b->lines[i];
        if (line->err.status == STATUS_OK)
            line->err.status = utf8_check(block_text(b, i), line->len, &line->err);
        if (line->err.status == STATUS_OK)
            block->order[block->ordered++] = i;
    }
    qsort_r(block->order, (size_t)block->ordered, sizeof block->order[0], longest_first, b);
    const int shares = 2 * b->threads; // two a thread even out the last ones
    int lines = (block->ordered + shares - 1) / shares;
    block->share_lines = lines < SHARE_LINES_MAX ? lines : SHARE_LINES_MAX;
    atomic_store(&block->next, 0);
    team_run(b->team, work, block);
}
