/* storing.c - from requests to entries of the journal. */
#include "server/jobs/storing.h"

#include "base/clock.h"
#include "server/http/metrics.h"

struct wait { // for a request to be durable
    struct queue *queue;
    struct request *request;
};

static enum status not_durable(struct error *err)
{
    return error_set(err, STATUS_BUSY,
                     "the translation cannot be stored now: try again later, or without durable");
}

static void let_go(struct queue *queue, struct request *r)
{
    if (atomic_fetch_sub(&r->holders, 1) > 1)
        return;
    if (r->status == STATUS_OK && r->stored != STATUS_OK)
        r->status = not_durable(&r->err);
    queue_give(queue, r);
}

/* On the journal's thread. */
static void on_stored(void *context, enum status status)
{
    const struct wait *wait = context;
    wait->request->stored = status;
    let_go(wait->queue, wait->request);
}

static struct journal_entry entry_of(const struct request *r, int i)
{
    const struct live_model *model = r->hops[r->hop_count - 1];
    const long long suggestion_id = r->suggested ? r->suggested[i].id : 0;
    return (struct journal_entry){
        .model_id = live_model_id(model),
        .first_model_id = r->hop_count > 1 ? live_model_id(r->hops[0]) : 0,
        .suggestion_id = suggestion_id,
        .key_id = r->key_id,
        .vocabulary = engine_vocabulary(live_model_engine(model)),
        .source_language = live_model_source(model),
        .target_language = live_model_target(model),
        .source = { r->sent[i].text, r->sent[i].len },
        .target = { r->answers[i].text, r->answers[i].len },
        .texts = &r->texts[i],
        .answers = &r->answers[i],
        .count = suggestion_id ? 0 : 1,
        .beam = r->beam_used,
        .took_us = (clock_now_ns() - r->begun_ns) / 1000,
    };
}

static enum status add(struct journal *journal, struct queue *queue, struct request *r,
                       struct error *err)
{
    const struct arena_mark mark = arena_mark(&r->arena);
    struct wait *wait = arena_array(&r->arena, struct wait, 1);
    char(*ids)[JOURNAL_ID_BYTES] = arena_alloc_array(&r->arena, (size_t)r->text_count, sizeof *ids);
    const struct arena_mark kept = arena_mark(&r->arena);
    struct journal_entry *entries = arena_array(&r->arena, struct journal_entry, r->text_count);
    if (!wait || !ids || !entries) {
        arena_rewind(&r->arena, mark);
        return error_set(err, STATUS_NO_MEMORY, "the request is too large to be stored");
    }
    *wait = (struct wait){ queue, r };
    const struct journal_stored stored = { on_stored, wait };
    for (int i = 0; i < r->text_count; i++)
        entries[i] = entry_of(r, i);
    if (r->durable)
        atomic_fetch_add(&r->holders, 1);
    enum status status = journal_add(journal, entries, r->text_count, &r->arena, ids,
                                     r->durable ? &stored : NULL, err);
    if (r->durable && status != STATUS_OK)
        atomic_fetch_sub(&r->holders, 1);
    if (status == STATUS_OK)
        r->ids = ids;
    arena_rewind(&r->arena, kept);
    return status;
}

enum status storing_add(struct journal *journal, struct queue *queue, struct request *r,
                        struct error *err)
{
    if (!r->store)
        return STATUS_OK;
    struct error ignored;
    if (journal) {
        const int64_t since_ns = clock_now_ns();
        r->not_stored = add(journal, queue, r, &ignored) != STATUS_OK;
        metric_observe(STAGE_JOURNAL, clock_now_ns() - since_ns);
        if (!r->not_stored)
            return STATUS_OK;
    }
    return r->durable ? not_durable(err) : STATUS_OK;
}

void storing_give(struct queue *queue, struct request *r)
{
    let_go(queue, r);
}
