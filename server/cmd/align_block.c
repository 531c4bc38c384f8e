/*
 * align_block.c - pairs cut into shares, each share taken by a free thread.
 */
#include "server/cmd/align_block.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "base/threads.h"

#define TEXT_BYTES ((size_t)4 << 20)      // of pairs behind which one more may come
#define OUT_BYTES_MAX ((size_t)256 << 20) // of a pair
#define SHARE_PAIRS 64
#define PIECES_A_SENTENCE 1024
#define ARENA_BYTES ((size_t)1 << 30) // address space a thread; what is not used costs nothing

struct pair_place {
    size_t at, source_len, target_len; // in texts: the source, the target behind it
};

struct member { // what one thread has
    struct aligner *aligners[2];
    struct arena arena;
};

struct align_block {
    struct align_setup setup;
    int model_count;
    struct team *team;
    struct member *members; // (threads)

    struct bytes texts;
    struct pair_place places[ALIGN_BLOCK_PAIRS];
    struct align_line lines[ALIGN_BLOCK_PAIRS];
    int count;
    atomic_int next; // pair that no thread has taken
};

/* ---- life cycle ---- */

static enum status start_members(struct align_block *b, struct error *err)
{
    const struct aligner_limits limits = { .pairs = SHARE_PAIRS, .pieces = PIECES_A_SENTENCE };
    for (int i = 0; i < b->setup.threads; i++) {
        struct member *m = &b->members[i];
        for (int k = 0; k < b->model_count; k++) {
            enum status status = aligner_new(&m->aligners[k], b->setup.engines[k], &limits, err);
            if (status != STATUS_OK)
                return status;
        }
        if (!arena_init(&m->arena, ARENA_BYTES))
            return error_set(err, STATUS_NO_MEMORY, "no memory for %d threads: ask for fewer",
                             b->setup.threads);
    }
    return STATUS_OK;
}

enum status align_block_new(struct align_block **out, const struct align_setup *setup,
                            struct error *err)
{
    *out = NULL;
    struct align_block *b = memory_zeroed(1, sizeof *b);
    if (!b)
        return error_set(err, STATUS_NO_MEMORY, "no memory to align");
    b->setup = *setup;
    b->model_count = setup->engines[1] ? 2 : 1;
    bytes_init(&b->texts, TEXT_BYTES + 2 * (CORPUS_SIDE_BYTES_MAX + 1));
    for (int i = 0; i < ALIGN_BLOCK_PAIRS; i++)
        bytes_init(&b->lines[i].out, OUT_BYTES_MAX);
    b->members = memory_zeroed((size_t)setup->threads, sizeof *b->members);
    b->team = team_new(setup->threads);
    enum status status = b->members && b->team
                             ? start_members(b, err)
                             : error_set(err, STATUS_NO_MEMORY,
                                         "cannot start %d threads: ask for fewer", setup->threads);
    if (status != STATUS_OK) {
        align_block_free(b);
        return status;
    }
    *out = b;
    return STATUS_OK;
}

void align_block_free(struct align_block *block)
{
    if (!block)
        return;
    team_free(block->team);
    for (int i = 0; block->members && i < block->setup.threads; i++) {
        aligner_free(block->members[i].aligners[0]);
        aligner_free(block->members[i].aligners[1]);
        arena_release(&block->members[i].arena);
    }
    for (int i = 0; i < ALIGN_BLOCK_PAIRS; i++)
        bytes_release(&block->lines[i].out);
    bytes_release(&block->texts);
    memory_free(block->members);
    memory_free(block);
}

/* ---- gathering ---- */

bool align_block_is_full(const struct align_block *block)
{
    return block->count == ALIGN_BLOCK_PAIRS || block->texts.len >= TEXT_BYTES;
}

enum status align_block_add(struct align_block *block, long number, const struct corpus_pair *pair,
                            struct error *err)
{
    assert(!align_block_is_full(block));
    const size_t at = block->texts.len;
    bytes_append(&block->texts, pair->source, pair->source_len);
    bytes_append(&block->texts, pair->target, pair->target_len);
    enum status status = bytes_check(&block->texts, "a block of pairs", err);
    if (status != STATUS_OK)
        return status;
    block->lines[block->count].number = number;
    block->lines[block->count].err = (struct error){ .status = STATUS_OK };
    block->places[block->count++] = (struct pair_place){ at, pair->source_len, pair->target_len };
    return STATUS_OK;
}

int align_block_count(const struct align_block *block)
{
    return block->count;
}

const struct align_line *align_block_line(const struct align_block *block, int i)
{
    return &block->lines[i];
}

void align_block_reset(struct align_block *block)
{
    for (int i = 0; i < block->count; i++)
        bytes_reset(&block->lines[i].out);
    bytes_reset(&block->texts);
    block->count = 0;
}

/* ---- aligning ---- */

static struct engine_pair pair_of(const struct align_block *b, int i)
{
    const struct pair_place *p = &b->places[i];
    const char *source = b->texts.data ? b->texts.data + p->at : "";
    return (
        struct engine_pair){ .source = { .text = source, .len = p->source_len },
                             .target = { .text = source + p->source_len, .len = p->target_len } };
}

static bool is_swapped(const struct align_block *b, int model)
{
    return b->setup.swapped != (model == 1);
}

/* What one model says of all the pairs. */
static enum status ask(struct align_block *b, struct member *m, int model, int from, int count,
                       struct engine_answer *answers, struct error *err)
{
    struct engine_pair pairs[SHARE_PAIRS];
    for (int i = 0; i < count; i++) {
        pairs[i] = pair_of(b, from + i);
        if (is_swapped(b, model))
            pairs[i] = (struct engine_pair){ .source = pairs[i].target, .target = pairs[i].source };
    }
    return aligner_run(m->aligners[model], pairs, count, &m->arena, answers, err);
}

static enum status explain(struct align_block *b, int member, int i,
                           const struct engine_answer *const *answers, struct error *err)
{
    struct align_line *line = &b->lines[i];
    struct align_answer models[2];
    for (int k = 0; k < b->model_count; k++)
        models[k] = (struct align_answer){ b->setup.engines[k], is_swapped(b, k), answers[k] };
    const struct align_answers found = { .number = line->number,
                                         .pair = pair_of(b, i),
                                         .models = models,
                                         .model_count = b->model_count,
                                         .member = member,
                                         .arena = &b->members[member].arena };
    bytes_reset(&line->out);
    enum status status = b->setup.explain(b->setup.context, &found, &line->out, err);
    return status == STATUS_OK ? bytes_check(&line->out, "the links of a pair", err) : status;
}

/* *done: pairs whose answers are out; a failure of the models is one of all. */
static enum status align_pairs(struct align_block *b, int member, int from, int count, int *done,
                               struct error *err)
{
    struct engine_answer answers[2][SHARE_PAIRS];
    struct member *m = &b->members[member];
    enum status status = STATUS_OK;
    *done = 0;
    arena_reset(&m->arena);
    for (int k = 0; status == STATUS_OK && k < b->model_count; k++)
        status = ask(b, m, k, from, count, answers[k], err);
    for (; status == STATUS_OK && *done < count; (*done)++) {
        const struct engine_answer *of_pair[2] = { &answers[0][*done], &answers[1][*done] };
        status = explain(b, member, from + *done, of_pair, err);
        if (status != STATUS_OK)
            break;
    }
    return status;
}

static void work(void *block, int member)
{
    struct align_block *b = block;
    struct error err;
    int from, done;
    while ((from = atomic_fetch_add(&b->next, SHARE_PAIRS)) < b->count) {
        const int rest = b->count - from, count = rest < SHARE_PAIRS ? rest : SHARE_PAIRS;
        if (align_pairs(b, member, from, count, &done, &err) == STATUS_OK)
            continue;
        for (int i = from + done; i < from + count; i++) // only those fail that have to
            if (align_pairs(b, member, i, 1, &done, &err) != STATUS_OK)
                b->lines[i].err = err;
    }
}

void align_block_run(struct align_block *block)
{
    atomic_store(&block->next, 0);
    team_run(block->team, work, block);
}
