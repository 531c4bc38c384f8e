/*
 * block.c - texts one behind the other, and threads with an arena each.
 */
#include "server/cmd/block.h"

#include <assert.h>

#include "base/memory.h"

#define TEXT_BYTES ((size_t)4 << 20)      // of lines behind which one more may come
#define OUT_BYTES_MAX ((size_t)256 << 20) // of a line
#define ARENA_BYTES ((size_t)1 << 30)     // address space a thread; what is not used costs nothing

enum status block_init(struct block *b, int threads, size_t line_bytes_max, struct error *err)
{
    b->threads = threads;
    bytes_init(&b->texts, TEXT_BYTES + line_bytes_max);
    for (int i = 0; i < BLOCK_LINES; i++)
        bytes_init(&b->lines[i].out, OUT_BYTES_MAX);
    b->arenas = memory_zeroed((size_t)threads, sizeof *b->arenas);
    b->team = team_new(threads);
    if (!b->arenas || !b->team)
        return error_set(err, STATUS_NO_MEMORY, "cannot start %d threads: ask for fewer", threads);
    for (int i = 0; i < threads; i++)
        if (!arena_init(&b->arenas[i], ARENA_BYTES))
            return error_set(err, STATUS_NO_MEMORY, "no memory for %d threads: ask for fewer",
                             threads);
    return STATUS_OK;
}

void block_release(struct block *b)
{
    team_free(b->team);
    for (int i = 0; b->arenas && i < b->threads; i++)
        arena_release(&b->arenas[i]);
    for (int i = 0; i < BLOCK_LINES; i++)
        bytes_release(&b->lines[i].out);
    bytes_release(&b->texts);
    memory_free(b->arenas);
}

bool block_is_full(const struct block *b)
{
    return b->count == BLOCK_LINES || b->texts.len >= TEXT_BYTES;
}

enum status block_add(struct block *b, long number, const char *text, size_t len,
                      const char *second, size_t second_len, struct error *err)
{
    assert(!block_is_full(b));
    struct block_line *line = &b->lines[b->count];
    line->number = number;
    line->at = b->texts.len;
    line->len = len;
    line->second_len = second_len;
    line->err = (struct error){ .status = STATUS_OK };
    bytes_append(&b->texts, text, len);
    bytes_append(&b->texts, second, second_len);
    enum status status = bytes_check(&b->texts, "a block of lines", err);
    if (status == STATUS_OK)
        b->count++;
    return status;
}

void block_add_failed(struct block *b, long number, const struct error *why)
{
    assert(!block_is_full(b));
    struct block_line *line = &b->lines[b->count++];
    line->number = number;
    line->at = line->len = line->second_len = 0;
    line->err = *why;
}

const char *block_text(const struct block *b, int line)
{
    return b->texts.data ? b->texts.data + b->lines[line].at : "";
}

void block_reset(struct block *b)
{
    for (int i = 0; i < b->count; i++)
        bytes_reset(&b->lines[i].out);
    bytes_reset(&b->texts);
    b->count = 0;
}
