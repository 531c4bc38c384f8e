/* queue.c - requests between the loop and the workers. */
#include "server/jobs/queue.h"

#include "base/clock.h"

/* ---- lists ---- */

static void append(struct request_list *list, struct request *r)
{
    r->next = NULL;
    r->previous = list->last;
    if (list->last)
        list->last->next = r;
    else
        list->first = r;
    list->last = r;
    list->count++;
}

static void prepend(struct request_list *list, struct request *r)
{
    r->previous = NULL;
    r->next = list->first;
    if (list->first)
        list->first->previous = r;
    else
        list->last = r;
    list->first = r;
    list->count++;
}

static void remove_from(struct request_list *list, struct request *r)
{
    if (r->next)
        r->next->previous = r->previous;
    else
        list->last = r->previous;
    if (r->previous)
        r->previous->next = r->next;
    else
        list->first = r->next;
    r->next = r->previous = NULL;
    list->count--;
}

/* ---- the queue ---- */

void queue_init(struct queue *q, int max, int workers, void (*notify)(void *context), void *context)
{
    *q = (struct queue){ .max = max, .workers = workers, .notify = notify, .context = context };
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, NULL);
}

void queue_release(struct queue *q)
{
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
}

/* Under the lock. */
static void move_to_done(struct queue *q, struct request *r)
{
    r->state = REQUEST_DONE;
    append(&q->done, r);
}

enum status queue_add(struct queue *q, struct request *r, struct error *err)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&q->lock);
    if (q->waiting.count >= q->max) {
        status = error_set(err, STATUS_BUSY,
                           "%d requests are waiting already: try again in a while", q->max);
    } else {
        r->state = REQUEST_WAITING;
        r->queued_ns = clock_now_ns();
        append(&q->waiting, r);
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);
    return status;
}

void queue_cancel(struct queue *q, struct request *r)
{
    bool is_done = false;
    atomic_store(&r->cancelled, true);
    pthread_mutex_lock(&q->lock);
    if (r->state == REQUEST_WAITING) {
        remove_from(&q->waiting, r);
        r->status = STATUS_CANCELLED;
        move_to_done(q, r);
        is_done = true;
    }
    pthread_mutex_unlock(&q->lock);
    if (is_done)
        q->notify(q->context);
}

struct request *queue_done(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct request *first = q->done.first;
    q->done = (struct request_list){ 0 };
    pthread_mutex_unlock(&q->lock);
    return first;
}

struct request *queue_posted(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct request *first = q->posted;
    q->posted = NULL;
    pthread_mutex_unlock(&q->lock);
    return first;
}

void queue_take_posted(struct queue *q, struct request *r, struct bytes *out)
{
    pthread_mutex_lock(&q->lock);
    const struct bytes empty = *out;
    *out = r->posted;
    r->posted = empty;
    r->is_posted = false;
    pthread_mutex_unlock(&q->lock);
}

int queue_waiting_count(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    int count = q->waiting.count;
    pthread_mutex_unlock(&q->lock);
    return count;
}

/* Under the lock. */
static void cancel_waiting(struct queue *q)
{
    while (q->waiting.first) {
        struct request *r = q->waiting.first;
        remove_from(&q->waiting, r);
        r->status = STATUS_CANCELLED;
        move_to_done(q, r);
    }
}

void queue_stop(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_stopping = true;
    cancel_waiting(q);
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}

void queue_call(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->calls++;
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}

int queue_take(struct queue *q, struct request **taken, int room, bool wait, unsigned *calls)
{
    int count = 0;
    pthread_mutex_lock(&q->lock);
    while (wait && !q->waiting.first && !q->is_stopping && *calls == q->calls)
        pthread_cond_wait(&q->not_empty, &q->lock);
    *calls = q->calls;
    const bool is_over = wait && !q->waiting.first && q->is_stopping;
    const int share = (q->waiting.count + q->workers - 1) / q->workers;
    while (count < room && count < share) {
        struct request *r = q->waiting.first;
        remove_from(&q->waiting, r);
        r->state = REQUEST_RUNNING;
        taken[count++] = r;
    }
    if (q->waiting.first)
        pthread_cond_signal(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
    return is_over ? -1 : count;
}

bool queue_post(struct queue *q, struct request *r, struct slice bytes)
{
    pthread_mutex_lock(&q->lock);
    r->posted.max = POSTED_BYTES_MAX;
    const bool fits = bytes_append(&r->posted, bytes.at, bytes.len);
    if (fits && !r->is_posted) {
        r->is_posted = true;
        r->next_posted = q->posted;
        q->posted = r;
    }
    pthread_mutex_unlock(&q->lock);
    if (fits)
        q->notify(q->context);
    return fits;
}

static bool has_another_hop(const struct request *r)
{
    return r->status == STATUS_OK && r->hop + 1 < r->hop_count;
}

/* A request between two hops goes to the front: it has waited its time. */
void queue_give(struct queue *q, struct request *r)
{
    pthread_mutex_lock(&q->lock);
    if (has_another_hop(r)) {
        r->hop++;
        r->state = REQUEST_WAITING;
        r->queued_ns = clock_now_ns();
        prepend(&q->waiting, r);
        pthread_cond_signal(&q->not_empty);
    } else {
        move_to_done(q, r);
    }
    if (q->is_stopping)
        cancel_waiting(q);
    pthread_mutex_unlock(&q->lock);
    q->notify(q->context);
}
