/*
 * peers.h - the processes that train one model together, seen from the trainer.
 *
 *     struct peers peers;
 *     status = peers_join(&peers, &stop, &err);         // alone, or with all that mpirun started
 *     status = peers.sum(&peers, block, n, &err);       // block = Σ over ranks, the same bits in all
 *     peers_leave(&peers, status == STATUS_OK);
 *
 * Data-parallel: every rank has the whole model and the whole plan, takes its
 * share of each batch's rows, and steps with the sum of all gradients. Rank 0
 * alone validates for the world, writes checkpoints and reports.
 *
 * One thread joins, sums and leaves.
 */
#ifndef MODEL_TRAIN_PEERS_H
#define MODEL_TRAIN_PEERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

#define PEERS_MAX 1024

struct peers {
    int rank, count; // 0 <= rank < count; 0 and 1 alone
    void *context;

    /* In place: the sum over all ranks, in the order of the ranks. Every rank calls it as often as
     * every other. STATUS_CANCELLED: a rank is gone, or stopped; the block is worthless, and so is
     * every sum after it. */
    MUST_CHECK enum status (*sum)(struct peers *peers, float *block, size_t n, struct error *err);
    MUST_CHECK enum status (*sum_exact)(struct peers *peers, double *values, size_t n,
                                        struct error *err);
};

struct peers peers_alone(void);

/* Alone; or, in a process that mpirun started, one of all that it started. A `stop` that is not 0
 * ends a wait for the others, soon: time enough for them to agree on it if they can. */
MUST_CHECK enum status peers_join(struct peers *out, const atomic_int *stop, struct error *err);

/* At the end of the program. `finished`: all ranks came to the end of the work, and this one waits
 * for them; otherwise it just goes, with an exit code that is not 0, and mpirun ends the others. */
void peers_leave(struct peers *peers, bool finished);

/* STATUS_BAD_INPUT on every rank if the bytes are not the same on all; `what` they are, in words. */
MUST_CHECK enum status peers_check_same(struct peers *peers, const char *what, const void *bytes,
                                        size_t len, struct error *err);

#endif
