/* jobs.c - translation beside the loop. */
#include "server/jobs/jobs.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/http/metrics.h"

#define REQUEST_KEEP_BYTES ((size_t)64 << 10) // after a larger one its memory is given back
#define IDLE_REQUESTS_MAX 64                  // kept for the next ones

struct jobs {
    struct registry *registry;
    struct jobs_limits limits;
    struct queue queue;
    uv_async_t home;     // from the workers: something is done
    uv_timer_t deadline; // set for the earliest of the active
    int handles_open;
    bool has_given_up;
    struct request *active; // submitted and not yet brought home
    struct request *idle;   // linked by `next`
    int idle_count;
    struct worker **workers; // (limits.threads)
};

/* ---- requests ---- */

struct request *jobs_request_new(struct jobs *jobs)
{
    struct request *r = jobs->idle;
    if (r) {
        jobs->idle = r->next;
        jobs->idle_count--;
    } else {
        r = memory_zeroed(1, sizeof *r);
        if (!r)
            return NULL;
    }
    struct arena arena = r->arena;
    if (!arena.base && !arena_init(&arena, REQUEST_ARENA_BYTES)) {
        memory_free(r);
        return NULL;
    }
    *r = (struct request){ .arena = arena, .store = true };
    return r;
}

static void free_request(struct request *r)
{
    arena_release(&r->arena);
    memory_free(r);
}

void jobs_request_free(struct jobs *jobs, struct request *r)
{
    if (!r)
        return;
    bytes_release(&r->posted);
    for (int i = 0; i < r->hop_count; i++)
        live_model_release(r->hops[i]);
    if (jobs->idle_count == IDLE_REQUESTS_MAX || r->arena.peak > REQUEST_KEEP_BYTES) {
        free_request(r);
        return;
    }
    arena_reset(&r->arena);
    r->next = jobs->idle;
    jobs->idle = r;
    jobs->idle_count++;
}

/* ---- deadlines ---- */

static void on_deadline(uv_timer_t *timer);

static void watch_deadlines(struct jobs *jobs)
{
    if (!jobs->active) {
        uv_timer_stop(&jobs->deadline);
        return;
    }
    int64_t earliest = INT64_MAX;
    for (struct request *r = jobs->active; r; r = r->next_active)
        if (!r->is_late && r->deadline_ms < earliest)
            earliest = r->deadline_ms;
    if (earliest == INT64_MAX) {
        uv_timer_stop(&jobs->deadline);
        return;
    }
    int64_t left = earliest - clock_now_ms();
    uv_timer_start(&jobs->deadline, on_deadline, left > 0 ? (uint64_t)left : 0, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct jobs *jobs = timer->data;
    int64_t now = clock_now_ms();
    for (struct request *r = jobs->active; r; r = r->next_active) {
        if (r->is_late || r->deadline_ms > now)
            continue;
        r->is_late = true;
        metric_limit(LIMIT_DEADLINE);
        jobs_cancel(jobs, r);
    }
    watch_deadlines(jobs);
}

/* ---- out and home ---- */

static void add_active(struct jobs *jobs, struct request *r)
{
    r->previous_active = NULL;
    r->next_active = jobs->active;
    if (r->next_active)
        r->next_active->previous_active = r;
    jobs->active = r;
}

static void remove_active(struct jobs *jobs, struct request *r)
{
    if (r->next_active)
        r->next_active->previous_active = r->previous_active;
    if (r->previous_active)
        r->previous_active->next_active = r->next_active;
    else
        jobs->active = r->next_active;
}

static enum status stopping(struct error *err)
{
    return error_set(err, STATUS_BUSY, "the server stops: try again in a while");
}

enum status jobs_submit(struct jobs *jobs, struct request *r, struct error *err)
{
    if (r->time_ms == 0 || r->time_ms > jobs->limits.deadline_ms)
        r->time_ms = jobs->limits.deadline_ms;
    r->deadline_ms = clock_now_ms() + r->time_ms;
    if (jobs->has_given_up)
        return stopping(err);
    enum status status = queue_add(&jobs->queue, r, err);
    if (status == STATUS_BUSY)
        metric_limit(LIMIT_QUEUE);
    if (status != STATUS_OK)
        return status;
    add_active(jobs, r);
    watch_deadlines(jobs);
    return STATUS_OK;
}

void jobs_cancel(struct jobs *jobs, struct request *r)
{
    queue_cancel(&jobs->queue, r);
}

static void bring_home(struct jobs *jobs, struct request *r)
{
    remove_active(jobs, r);
    if (r->status == STATUS_CANCELLED)
        metric_add(METRIC_CANCELLED, 1);
    if (r->status == STATUS_CANCELLED && jobs->has_given_up)
        r->status = stopping(&r->err);
    else if (r->status == STATUS_CANCELLED && r->is_late)
        error_set(&r->err, STATUS_CANCELLED,
                  "the translation took longer than %d ms: send less text at once", r->time_ms);
    else if (r->status == STATUS_CANCELLED)
        error_set(&r->err, STATUS_CANCELLED, "the request was cancelled");
    r->on_done(r);
}

bool jobs_post(struct jobs *jobs, struct request *r, struct slice bytes)
{
    return queue_post(&jobs->queue, r, bytes);
}

static void hand_out_posted(struct jobs *jobs)
{
    for (struct request *r = queue_posted(&jobs->queue), *next; r; r = next) {
        struct bytes posted;
        next = r->next_posted;
        bytes_init(&posted, POSTED_BYTES_MAX);
        queue_take_posted(&jobs->queue, r, &posted);
        r->on_posted(r, (struct slice){ posted.data, posted.len });
        bytes_release(&posted);
    }
}

static void on_home(uv_async_t *async)
{
    struct jobs *jobs = async->data;
    struct request *r = queue_done(&jobs->queue);
    hand_out_posted(jobs);
    while (r) {
        struct request *next = r->next;
        bring_home(jobs, r);
        r = next;
    }
    watch_deadlines(jobs);
}

/* On any thread. */
static void notify(void *context)
{
    struct jobs *jobs = context;
    uv_async_send(&jobs->home);
}

/* On the thread that reloads models. */
static void on_models_changed(void *context)
{
    struct jobs *jobs = context;
    metric_add(METRIC_RELOADS, 1);
    queue_call(&jobs->queue);
}

void jobs_give_up(struct jobs *jobs)
{
    jobs->has_given_up = true;
    for (struct request *r = jobs->active; r; r = r->next_active)
        jobs_cancel(jobs, r);
}

int jobs_waiting_count(struct jobs *jobs)
{
    return queue_waiting_count(&jobs->queue);
}

/* ---- life ---- */

static void on_closed(uv_handle_t *handle)
{
    struct jobs *jobs = handle->data;
    jobs->handles_open--;
}

static void stop_workers(struct jobs *jobs)
{
    for (struct request *r = jobs->active; r; r = r->next_active)
        atomic_store(&r->cancelled, true);
    queue_stop(&jobs->queue);
    for (int i = 0; jobs->workers && i < jobs->limits.threads; i++)
        worker_join(jobs->workers[i]);
    if (jobs->limits.worker.journal)
        journal_flush(jobs->limits.worker.journal); // which holds requests that shall be durable
    memory_free(jobs->workers);
    jobs->workers = NULL;
}

static enum status start_workers(struct jobs *jobs, struct registry *registry, struct error *err)
{
    jobs->workers = memory_zeroed((size_t)jobs->limits.threads, sizeof *jobs->workers);
    if (!jobs->workers)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %d worker threads",
                         jobs->limits.threads);
    enum status status = STATUS_OK;
    for (int i = 0; i < jobs->limits.threads && status == STATUS_OK; i++)
        status = worker_start(&jobs->workers[i], &jobs->queue, registry, &jobs->limits.worker, err);
    return status;
}

enum status jobs_open(struct jobs **out, uv_loop_t *loop, struct registry *registry,
                      const struct jobs_limits *limits, struct error *err)
{
    *out = NULL;
    struct jobs *jobs = memory_zeroed(1, sizeof *jobs);
    if (!jobs)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the queue");
    jobs->limits = *limits;
    jobs->registry = registry;
    queue_init(&jobs->queue, limits->queue, limits->threads, notify, jobs);
    enum status status = start_workers(jobs, registry, err);
    if (status == STATUS_OK && uv_async_init(loop, &jobs->home, on_home) < 0)
        status = error_set(err, STATUS_IO, "no file descriptor is left: raise ulimit -n");
    if (status != STATUS_OK) {
        stop_workers(jobs);
        jobs_free(jobs);
        return status;
    }
    uv_timer_init(loop, &jobs->deadline);
    jobs->home.data = jobs->deadline.data = jobs;
    jobs->handles_open = 2;
    registry_on_change(registry, on_models_changed, jobs);
    *out = jobs;
    return STATUS_OK;
}

void jobs_stop(struct jobs *jobs)
{
    registry_on_change(jobs->registry, NULL, NULL);
    stop_workers(jobs);
    on_home(&jobs->home);
    uv_close((uv_handle_t *)&jobs->home, on_closed);
    uv_close((uv_handle_t *)&jobs->deadline, on_closed);
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    assert(jobs->handles_open == 0 && !jobs->active);
    while (jobs->idle) {
        struct request *r = jobs->idle;
        jobs->idle = r->next;
        free_request(r);
    }
    queue_release(&jobs->queue);
    memory_free(jobs);
}
