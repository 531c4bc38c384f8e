/*
 * queue.h - requests between the loop and the workers.
 *
 *     loop     queue_add ---> waiting ---> queue_take   worker
 *              queue_done <--- done  <---- queue_give
 *
 * The only thing that both sides touch, behind one lock. First come, first
 * served; a worker that has room takes its share of what waits, so that what
 * came together does not all go to the first. `notify` is called, on whatever
 * thread, when something is done.
 */
#ifndef SERVER_JOBS_QUEUE_H
#define SERVER_JOBS_QUEUE_H

#include <pthread.h>
#include "server/jobs/request.h"

struct request_list {
    struct request *first, *last;
    int count;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    struct request_list waiting, done;
    struct request *posted; // linked by next_posted
    int max;                // waiting; queue_add refuses more
    int workers;
    bool is_stopping;
    unsigned calls; // queue_call, how often
    void (*notify)(void *context);
    void *context;
};

void queue_init(struct queue *q, int max, int workers, void (*notify)(void *context),
                void *context);
void queue_release(struct queue *q);

/* STATUS_BUSY when as many wait as may. */
MUST_CHECK enum status queue_add(struct queue *q, struct request *r, struct error *err);
/* If it still waits, it is done at once. */
void queue_cancel(struct queue *q, struct request *r);
/* All that are done, linked by `next`. */
struct request *queue_done(struct queue *q);
/* All that have something posted, linked by next_posted: ask after queue_done, and hand out before,
 * so that what was posted before a request was done comes before its end. */
struct request *queue_posted(struct queue *q);
/* That, into the empty `out`. */
void queue_take_posted(struct queue *q, struct request *r, struct bytes *out);
int queue_waiting_count(struct queue *q);
/* Every worker's next queue_take does not wait. */
void queue_call(struct queue *q);
/* Workers are sent home; what waits is done, with STATUS_CANCELLED. */
void queue_stop(struct queue *q);

/* How many are in taken, `room` at most. With `wait` at least one, but -1 when the queue has stopped
 * and 0 after a queue_call that this worker has not heard: *calls is how many it has, 0 at first.
 * Without, 0 when nobody waits. */
int queue_take(struct queue *q, struct request **taken, int room, bool wait, unsigned *calls);
/* For the loop, before the request is done; false: no memory, or more than POSTED_BYTES_MAX wait. */
MUST_CHECK bool queue_post(struct queue *q, struct request *r, struct slice bytes);
/* To its next hop, or done. */
void queue_give(struct queue *q, struct request *r);

#endif
