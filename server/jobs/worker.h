/*
 * worker.h - one inference thread: takes requests from the queue, batch by
 * batch, and gives them back answered.
 *
 * It has an engine_worker of its own for each live model and an arena for the
 * results of one batch; what the request needs of them is copied into the
 * request's arena. A request that fails in company is tried again alone, so
 * that nobody is failed by a neighbour.
 */
#ifndef SERVER_JOBS_WORKER_H
#define SERVER_JOBS_WORKER_H

#include "server/jobs/queue.h"
#include "server/registry/registry.h"

struct worker_limits {
    int beam;      // of every search
    int n_best;    // most a request may ask for
    int pieces;    // a sentence; longer ones are split at a clause
    int sentences; // a request
    int batch;     // sentences in flight at once
};

struct worker;

/* Starts the thread. It ends when the queue stops. */
MUST_CHECK enum status worker_start(struct worker **out, struct queue *queue,
                                    const struct registry *registry,
                                    const struct worker_limits *limits, struct error *err);
/* Waits for the thread's end; stop the queue first. NULL is fine. */
void worker_join(struct worker *worker);

#endif
