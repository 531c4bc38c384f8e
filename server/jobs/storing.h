/*
 * storing.h - what came of a request goes into the journal before it goes home.
 *
 *     r->status = storing_add(journal, queue, r, &r->err);  // ids, or not_stored
 *     ...
 *     storing_give(queue, r);                               // or when it is durable
 *
 * A durable request has two holders, its worker and the journal: the one that
 * is done last gives it back. On the worker's thread; what waits for the disk
 * waits in the journal, not here.
 */
#ifndef SERVER_JOBS_STORING_H
#define SERVER_JOBS_STORING_H

#include "server/jobs/queue.h"
#include "server/store/journal.h"

/* When the answers are there. journal may be NULL: nothing is stored. A request that cannot be
 * stored goes on with not_stored set, a durable one fails with STATUS_BUSY. */
MUST_CHECK enum status storing_add(struct journal *journal, struct queue *queue, struct request *r,
                                   struct error *err);
void storing_give(struct queue *queue, struct request *r);

#endif
