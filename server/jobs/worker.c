/* worker.c - one inference thread. */
#include "server/jobs/worker.h"

#include <assert.h>

#include "base/memory.h"

struct flight { // a request on its way through the engine
    struct request *request;
    struct engine_worker *engine;
    struct engine_task *task;
};

struct worker {
    pthread_t thread;
    struct queue *queue;
    const struct registry *registry;
    struct worker_limits limits;
    struct engine_worker **engines; // (model_count) in the registry's order
    int model_count;
    struct request **taken; // (limits.batch)
    struct flight *flights; // (limits.batch)
    int in_flight;
};

/* ---- in ---- */

static struct engine_worker *engine_for(const struct worker *w, const struct live_model *model)
{
    int i = 0;
    while (registry_at(w->registry, i) != model) {
        i++;
        assert(i < w->model_count);
    }
    return w->engines[i];
}

static struct search_options search_of(const struct worker *w, const struct request *r)
{
    struct search_options options = search_options_default();
    options.n_best = request_n_best(r);
    options.beam = r->beam ? r->beam : w->limits.beam;
    if (options.beam < options.n_best)
        options.beam = options.n_best;
    return options;
}

/* A full arena, in words for who sent the request. */
static enum status for_client(enum status status, struct error *err)
{
    if (status != STATUS_NO_MEMORY)
        return status;
    return error_set(err, STATUS_TOO_LARGE,
                     "the translation needs more memory than a request has: send it in parts");
}

static void begin(struct worker *w, struct request *r)
{
    const struct search_options options = search_of(w, r);
    struct flight flight = { .request = r, .engine = engine_for(w, request_model(r)) };
    for (int i = 0; i < r->text_count; i++)
        r->texts[i].cancelled = &r->cancelled;
    r->status = for_client(engine_begin(flight.engine, r->texts, r->text_count, &options, &r->arena,
                                        &flight.task, &r->err),
                           &r->err);
    if (r->status == STATUS_OK)
        w->flights[w->in_flight++] = flight;
    else
        queue_give(w->queue, r);
}

/* Waits when there is nothing else to do; false when the queue has stopped. */
static bool take_requests(struct worker *w)
{
    const bool is_idle = w->in_flight == 0;
    const int room = w->limits.batch - w->in_flight;
    const int count = queue_take(w->queue, w->taken, room, is_idle);
    for (int i = 0; i < count; i++)
        begin(w, w->taken[i]);
    return count > 0 || !is_idle;
}

/* ---- out ---- */

/* The answers of this hop are the texts of the next, if there is one. */
static enum status finish(const struct flight *flight)
{
    struct request *r = flight->request;
    if (atomic_load(&r->cancelled))
        return error_set(&r->err, STATUS_CANCELLED, "the request was cancelled");
    r->answers = arena_array(&r->arena, struct engine_answer, r->text_count);
    enum status status = r->answers
                             ? engine_finish(flight->engine, flight->task, r->answers, &r->err)
                             : STATUS_NO_MEMORY;
    const bool has_next = r->hop + 1 < r->hop_count;
    for (int i = 0; has_next && status == STATUS_OK && i < r->text_count; i++) {
        r->texts[i].text = r->answers[i].text;
        r->texts[i].len = r->answers[i].len;
    }
    if (!has_next && status == STATUS_OK && r->on_answers)
        status = r->on_answers(r, &r->err);
    return for_client(status, &r->err);
}

static void give_done(struct worker *w)
{
    for (int i = 0; i < w->in_flight;) {
        const struct flight flight = w->flights[i];
        if (!engine_task_is_done(flight.task)) {
            i++;
            continue;
        }
        w->flights[i] = w->flights[--w->in_flight];
        flight.request->status = finish(&flight);
        queue_give(w->queue, flight.request);
    }
}

static void *work(void *context)
{
    struct worker *w = context;
    while (take_requests(w)) {
        for (int i = 0; i < w->model_count; i++)
            engine_step(w->engines[i]);
        give_done(w);
    }
    return NULL;
}

/* ---- life ---- */

static void free_worker(struct worker *w)
{
    for (int i = 0; w->engines && i < w->model_count; i++)
        engine_worker_free(w->engines[i]);
    memory_free(w->engines);
    memory_free(w->taken);
    memory_free(w->flights);
    memory_free(w);
}

static enum status prepare(struct worker *w, struct error *err)
{
    const struct worker_limits *limits = &w->limits;
    struct engine_limits engine_limits = {
        .sentences = limits->batch,
        .beam = limits->n_best > limits->beam ? limits->n_best : limits->beam,
        .pieces = limits->pieces,
        .text_sentences = limits->sentences,
    };
    w->model_count = registry_count(w->registry);
    w->engines = memory_zeroed((size_t)w->model_count, sizeof *w->engines);
    w->taken = memory_zeroed((size_t)limits->batch, sizeof *w->taken);
    w->flights = memory_zeroed((size_t)limits->batch, sizeof *w->flights);
    if (!w->engines || !w->taken || !w->flights)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a worker thread");
    for (int i = 0; i < w->model_count; i++) {
        const struct live_model *model = registry_at(w->registry, i);
        enum status status =
            engine_worker_new(&w->engines[i], live_model_engine(model), &engine_limits, err);
        if (status != STATUS_OK) {
            error_while(err, "preparing %s: ", live_model_name(model));
            return status;
        }
    }
    return STATUS_OK;
}

enum status worker_start(struct worker **out, struct queue *queue, const struct registry *registry,
                         const struct worker_limits *limits, struct error *err)
{
    *out = NULL;
    struct worker *w = memory_zeroed(1, sizeof *w);
    if (!w)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a worker thread");
    w->queue = queue;
    w->registry = registry;
    w->limits = *limits;
    enum status status = prepare(w, err);
    if (status == STATUS_OK && pthread_create(&w->thread, NULL, work, w) != 0)
        status = error_set(err, STATUS_NO_MEMORY, "a worker thread cannot be started");
    if (status != STATUS_OK) {
        free_worker(w);
        return status;
    }
    *out = w;
    return STATUS_OK;
}

void worker_join(struct worker *worker)
{
    if (!worker)
        return;
    pthread_join(worker->thread, NULL);
    free_worker(worker);
}
