/* background.c - work beside the loop that is no translation. */
#include "server/http/background.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

#define TASK_KEEP_BYTES ((size_t)256 << 10) // after a larger one its memory is given back
#define IDLE_TASKS_MAX 16                   // kept for the next ones

struct task_handle {
    uv_work_t work;
    struct task *task;
};

struct repeat {
    struct background *background;
    uv_timer_t timer;
    uv_work_t work_handle;
    int ms;
    void (*work)(void *context, struct db *db);
    void (*done)(void *context);
    void *context;
    bool is_running;
    bool is_wanted; // once more when it is done
};

struct background {
    uv_loop_t *loop;
    char *path;
    struct task *active, *idle;
    int active_count, idle_count;
    struct repeat repeats[BACKGROUND_REPEATS_MAX];
    int repeat_count;
    int timers_open;
    bool is_stopping;

    pthread_mutex_t lock; // of what follows: the pool's threads take and give connections
    struct db *connections[BACKGROUND_CONNECTIONS];
    int connection_count;
};

/* ---- connections ---- */

static struct db *take_kept(struct background *b)
{
    pthread_mutex_lock(&b->lock);
    struct db *db = b->connection_count > 0 ? b->connections[--b->connection_count] : NULL;
    pthread_mutex_unlock(&b->lock);
    return db;
}

static enum status take_connection(struct background *b, struct db **out, struct error *err)
{
    *out = take_kept(b);
    return *out ? STATUS_OK : db_open(out, b->path, err);
}

static void give_connection(struct background *b, struct db *db)
{
    pthread_mutex_lock(&b->lock);
    if (b->connection_count < BACKGROUND_CONNECTIONS) {
        b->connections[b->connection_count++] = db;
        db = NULL;
    }
    pthread_mutex_unlock(&b->lock);
    db_close(db);
}

/* ---- tasks ---- */

static void destroy_task(struct task *task)
{
    arena_release(&task->arena);
    memory_free(task->handle);
    memory_free(task);
}

static struct task *make_task(void)
{
    struct task *task = memory_zeroed(1, sizeof *task);
    if (!task)
        return NULL;
    task->handle = memory_zeroed(1, sizeof *task->handle);
    if (!task->handle || !arena_init(&task->arena, TASK_ARENA_BYTES)) {
        memory_free(task->handle);
        memory_free(task);
        return NULL;
    }
    return task;
}

static struct task *take_idle(struct background *b)
{
    struct task *task = b->idle;
    if (!task)
        return make_task();
    b->idle = task->next;
    b->idle_count--;
    return task;
}

static void add_active(struct background *b, struct task *task)
{
    task->next = b->active;
    if (task->next)
        task->next->previous = task;
    b->active = task;
    b->active_count++;
}

static void remove_active(struct background *b, struct task *task)
{
    if (task->next)
        task->next->previous = task->previous;
    if (task->previous)
        task->previous->next = task->next;
    else
        b->active = task->next;
    b->active_count--;
}

enum status task_new(struct task **out, const struct exchange *x, size_t owner_bytes,
                     struct error *err)
{
    struct background *b = x->service->background;
    *out = NULL;
    if (b->is_stopping || b->active_count == TASKS_MAX)
        return error_set(err, STATUS_BUSY,
                         "%d requests for what is stored are being answered already: try again in "
                         "a while",
                         b->active_count);
    struct task *task = take_idle(b);
    if (!task)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    struct arena arena = task->arena;
    struct task_handle *handle = task->handle;
    *task = (struct task){ .x = *x, .arena = arena, .handle = handle, .background = b };
    handle->task = task;
    add_active(b, task);
    task->owner = arena_alloc(&task->arena, owner_bytes);
    if (!task->owner) {
        task_free(task);
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    }
    memset(task->owner, 0, owner_bytes);
    *out = task;
    return STATUS_OK;
}

void task_free(struct task *task)
{
    if (!task)
        return;
    struct background *b = task->background;
    remove_active(b, task);
    if (b->idle_count == IDLE_TASKS_MAX || task->arena.peak > TASK_KEEP_BYTES) {
        destroy_task(task);
        return;
    }
    arena_reset(&task->arena);
    task->next = b->idle;
    b->idle = task;
    b->idle_count++;
}

bool task_is_cancelled(struct task *task)
{
    return atomic_load(&task->cancelled);
}

enum status task_db(struct task *task, struct db **out, struct error *err)
{
    enum status status = STATUS_OK;
    if (!task->db)
        status = take_connection(task->background, &task->db, err);
    if (status == STATUS_OK)
        db_watch(task->db, &task->cancelled);
    *out = task->db;
    return status;
}

static void on_work(uv_work_t *work)
{
    struct task *task = ((struct task_handle *)work)->task;
    task->status = task->work(task, &task->err);
    if (!task->db)
        return;
    db_watch(task->db, NULL);
    give_connection(task->background, task->db);
    task->db = NULL;
}

static void on_work_done(uv_work_t *work, int uv_status)
{
    struct task *task = ((struct task_handle *)work)->task;
    const bool is_wanted = task->x.ticket.client && uv_status == 0 && !task_is_cancelled(task);
    if (is_wanted && task->status == STATUS_OK)
        task->done(task);
    else if (is_wanted)
        exchange_fail(&task->x, &task->err);
    else
        exchange_resume(&task->x); // so that its client, if it is there, forgets it
    if (task->release)
        task->release(task);
    task_free(task);
}

static void cancel(struct task *task)
{
    atomic_store(&task->cancelled, true);
    (void)uv_cancel((uv_req_t *)&task->handle->work); // one that runs already goes on to its end
}

static void on_gone(struct exchange *x)
{
    cancel((struct task *)((char *)x - offsetof(struct task, x)));
}

void task_start(struct task *task)
{
    exchange_wait(&task->x, on_gone);
    const int failed =
        uv_queue_work(task->background->loop, &task->handle->work, on_work, on_work_done);
    assert(failed == 0); // it only can without a callback
    (void)failed;
}

int background_task_count(const struct background *background)
{
    return background->active_count;
}

/* ---- what is repeated ---- */

static void start_repeat(struct repeat *r);

static void on_repeat(uv_work_t *work)
{
    struct repeat *r = work->data;
    struct db *db;
    if (take_connection(r->background, &db, NULL) != STATUS_OK)
        db = NULL;
    r->work(r->context, db);
    if (db)
        give_connection(r->background, db);
}

static void on_repeat_done(uv_work_t *work, int uv_status)
{
    struct repeat *r = work->data;
    r->is_running = false;
    if (uv_status == 0)
        r->done(r->context);
    if (r->is_wanted && !r->background->is_stopping)
        start_repeat(r);
}

static void start_repeat(struct repeat *r)
{
    r->is_wanted = r->is_running;
    if (r->is_running)
        return;
    r->is_running = true;
    r->work_handle.data = r;
    uv_queue_work(r->background->loop, &r->work_handle, on_repeat, on_repeat_done);
}

static void on_timer(uv_timer_t *timer)
{
    struct repeat *r = timer->data;
    if (!r->is_running)
        start_repeat(r);
}

enum status background_repeat(struct background *background, int ms,
                              void (*work)(void *context, struct db *db),
                              void (*done)(void *context), void *context, struct error *err)
{
    if (background->repeat_count == BACKGROUND_REPEATS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "at most %d things are repeated",
                         BACKGROUND_REPEATS_MAX);
    struct repeat *r = &background->repeats[background->repeat_count++];
    *r = (struct repeat){
        .background = background, .ms = ms, .work = work, .done = done, .context = context
    };
    uv_timer_init(background->loop, &r->timer);
    r->timer.data = r;
    background->timers_open++;
    uv_timer_start(&r->timer, on_timer, 0, (uint64_t)ms);
    return STATUS_OK;
}

void background_repeat_now(struct background *background)
{
    for (int i = 0; i < background->repeat_count && !background->is_stopping; i++)
        start_repeat(&background->repeats[i]);
}

/* ---- life ---- */

enum status background_open(struct background **out, struct uv_loop_s *loop, const char *path,
                            struct error *err)
{
    *out = NULL;
    struct background *b = memory_zeroed(1, sizeof *b);
    char *copy = memory_copy_text(path);
    if (!b || !copy) {
        memory_free(b);
        memory_free(copy);
        return error_set(err, STATUS_NO_MEMORY, "no memory for work beside the loop");
    }
    b->loop = loop;
    b->path = copy;
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return STATUS_OK;
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct repeat *r = timer->data;
    r->background->timers_open--;
}

void background_stop(struct background *b)
{
    b->is_stopping = true;
    for (struct task *task = b->active; task; task = task->next)
        cancel(task);
    for (int i = 0; i < b->repeat_count; i++) {
        uv_close((uv_handle_t *)&b->repeats[i].timer, on_timer_closed);
        (void)uv_cancel((uv_req_t *)&b->repeats[i].work_handle);
    }
}

void background_free(struct background *b)
{
    if (!b)
        return;
    assert(!b->active && b->timers_open == 0);
    while (b->idle) {
        struct task *task = b->idle;
        b->idle = task->next;
        destroy_task(task);
    }
    while (b->connection_count > 0)
        db_close(b->connections[--b->connection_count]);
    pthread_mutex_destroy(&b->lock);
    memory_free(b->path);
    memory_free(b);
}
