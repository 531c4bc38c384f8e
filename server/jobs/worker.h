/*
 * worker.h - one inference thread: takes requests from the queue whenever it
 * has room, steps the sentences of all of them together, and gives each back
 * the moment it is done.
 *
 * It has an engine_worker of its own for each live model; when models are
 * reloaded it takes up the new ones and, once nothing of theirs is in flight,
 * lets go of the old ones. What comes of a
 * request lives in the request's arena: one that is too large for it fails
 * alone. Sentences of the requests in flight are let in one of each in turn,
 * so that a short request does not wait for a long one that came before it.
 */
#ifndef SERVER_JOBS_WORKER_H
#define SERVER_JOBS_WORKER_H

#include "server/jobs/queue.h"
#include "server/registry/registry.h"
#include "server/store/journal.h"

struct worker_limits {
    int beam;                // of every search
    int n_best;              // most a request may ask for
    int pieces;              // a sentence; longer ones are split at a clause
    int sentences;           // a request
    int batch;               // sentences of a model in flight at once, and most requests in flight
    struct journal *journal; // where what was translated is stored; NULL: nowhere
};

struct worker;

/* Starts the thread. It ends when the queue stops. */
MUST_CHECK enum status worker_start(struct worker **out, struct queue *queue,
                                    struct registry *registry, const struct worker_limits *limits,
                                    struct error *err);
/* Waits for the thread's end; stop the queue first. NULL is fine. */
void worker_join(struct worker *worker);

#endif
