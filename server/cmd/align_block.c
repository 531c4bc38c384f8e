/*
 * align_block.c - pairs cut into shares, each share taken by a free thread.
 */
#include "server/cmd/align_block.h"

#include "base/memory.h"

#define SHARE_PAIRS 64
#define PIECES_A_SENTENCE 1024

struct align_worker { // what one thread has
    struct aligner *aligners[2];
};

/* ---- life cycle ---- */

static enum status start_workers(struct align_block *b, struct error *err)
{
    const struct aligner_limits limits = { .pairs = SHARE_PAIRS, .pieces = PIECES_A_SENTENCE };
    enum status status = STATUS_OK;
    b->workers = memory_zeroed((size_t)b->lines.threads, sizeof *b->workers);
    if (!b->workers)
        return error_set(err, STATUS_NO_MEMORY, "no memory to align");
    for (int i = 0; i < b->lines.threads; i++)
        for (int k = 0; status == STATUS_OK && k < b->model_count; k++)
            status = aligner_new(&b->workers[i].aligners[k], b->setup.engines[k], &limits, err);
    return status;
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
    enum status status =
        block_init(&b->lines, setup->threads, 2 * (CORPUS_SIDE_BYTES_MAX + 1), err);
    if (status == STATUS_OK)
        status = start_workers(b, err);
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
    for (int i = 0; block->workers && i < block->lines.threads; i++) {
        aligner_free(block->workers[i].aligners[0]);
        aligner_free(block->workers[i].aligners[1]);
    }
    memory_free(block->workers);
    block_release(&block->lines);
    memory_free(block);
}

/* ---- aligning ---- */

static struct engine_pair pair_of(const struct align_block *b, int i)
{
    const struct block_line *line = &b->lines.lines[i];
    const char *source = block_text(&b->lines, i);
    return (
        struct engine_pair){ .source = { .text = source, .len = line->len },
                             .target = { .text = source + line->len, .len = line->second_len } };
}

static bool is_swapped(const struct align_block *b, int model)
{
    return b->setup.swapped != (model == 1);
}

/* What one model says of all the pairs. */
static enum status ask(struct align_block *b, int member, int model, int from, int count,
                       struct engine_answer *answers, struct error *err)
{
    struct engine_pair pairs[SHARE_PAIRS];
    for (int i = 0; i < count; i++) {
        pairs[i] = pair_of(b, from + i);
        if (is_swapped(b, model))
            pairs[i] = (struct engine_pair){ .source = pairs[i].target, .target = pairs[i].source };
    }
    return aligner_run(b->workers[member].aligners[model], pairs, count, &b->lines.arenas[member],
                       answers, err);
}

static enum status explain(struct align_block *b, int member, int i,
                           const struct engine_answer *const *answers, struct error *err)
{
    struct block_line *line = &b->lines.lines[i];
    struct align_answer models[2];
    for (int k = 0; k < b->model_count; k++)
        models[k] = (struct align_answer){ b->setup.engines[k], is_swapped(b, k), answers[k] };
    const struct align_answers found = { .number = line->number,
                                         .pair = pair_of(b, i),
                                         .models = models,
                                         .model_count = b->model_count,
                                         .member = member,
                                         .arena = &b->lines.arenas[member] };
    bytes_reset(&line->out);
    enum status status = b->setup.explain(b->setup.context, &found, &line->out, err);
    return status == STATUS_OK ? bytes_check(&line->out, "the links of a pair", err) : status;
}

/* *done: pairs whose answers are out; a failure of the models is one of all. */
static enum status align_pairs(struct align_block *b, int member, int from, int count, int *done,
                               struct error *err)
{
    struct engine_answer answers[2][SHARE_PAIRS];
    enum status status = STATUS_OK;
    *done = 0;
    arena_reset(&b->lines.arenas[member]);
    for (int k = 0; status == STATUS_OK && k < b->model_count; k++)
        status = ask(b, member, k, from, count, answers[k], err);
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
    while ((from = atomic_fetch_add(&b->next, SHARE_PAIRS)) < b->lines.count) {
        const int rest = b->lines.count - from, count = rest < SHARE_PAIRS ? rest : SHARE_PAIRS;
        if (align_pairs(b, member, from, count, &done, &err) == STATUS_OK)
            continue;
        for (int i = from + done; i < from + count; i++) // only those fail that have to
            if (align_pairs(b, member, i, 1, &done, &err) != STATUS_OK)
                b->lines.lines[i].err = err;
    }
}

void align_block_run(struct align_block *block)
{
    atomic_store(&block->next, 0);
    team_run(block->lines.team, work, block);
}
