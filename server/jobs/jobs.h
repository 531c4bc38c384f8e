/*
 * jobs.h - translation beside the loop: a bounded queue, worker threads, and answers brought home.
 *
 *     struct jobs *jobs;
 *     status = jobs_open(&jobs, &loop, registry, &limits, &err);
 *     struct request *r = jobs_request_new(jobs);           // request.h
 *     status = jobs_submit(jobs, r, &err);                  // STATUS_BUSY: the queue is full
 *     ... r->on_done(r) is called by the loop, when it is done, late or cancelled ...
 *     jobs_request_free(jobs, r);
 *     jobs_stop(jobs); uv_run(...); jobs_free(jobs);
 *
 * Everything here is called on the loop thread. The registry must outlive it.
 */
#ifndef SERVER_JOBS_JOBS_H
#define SERVER_JOBS_JOBS_H

#include <uv.h>
#include "server/jobs/request.h"
#include "server/jobs/worker.h"

struct jobs_limits {
    int threads;
    int queue;       // requests waiting for a worker
    int deadline_ms; // from jobs_submit to the answer
    struct worker_limits worker;
};

struct jobs;

MUST_CHECK enum status jobs_open(struct jobs **out, uv_loop_t *loop, struct registry *registry,
                                 const struct jobs_limits *limits, struct error *err);

/* NULL: no memory. */
struct request *jobs_request_new(struct jobs *jobs);
void jobs_request_free(struct jobs *jobs, struct request *r); // NULL is fine

/* On failure the request is still the caller's and on_done is not called. */
MUST_CHECK enum status jobs_submit(struct jobs *jobs, struct request *r, struct error *err);
/* Nobody wants the answer: on_done comes soon, from the loop, never from inside this call. */
void jobs_cancel(struct jobs *jobs, struct request *r);

/* All that are open come home as STATUS_BUSY, and so do new ones: the server stops. */
void jobs_give_up(struct jobs *jobs);

int jobs_waiting_count(struct jobs *jobs); // for a worker

/* On a worker's thread, for a request in its hands: to its on_posted, soon. False: no memory. */
MUST_CHECK bool jobs_post(struct jobs *jobs, struct request *r, struct slice bytes);

/* Cancels all, waits for the threads (a decoder step) and calls what is left of on_done. Then the
 * loop must run its close callbacks before jobs_free. */
void jobs_stop(struct jobs *jobs);
void jobs_free(struct jobs *jobs); // NULL is fine

#endif
