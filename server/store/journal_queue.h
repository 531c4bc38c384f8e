/*
 * journal_queue.h - struct journal itself, for the files that are its parts.
 *
 *     journal.c         who adds, waits and counts
 *     journal_thread.c  who writes: group after group, and again where it failed
 *
 * Private to server/store.
 */
#ifndef SERVER_STORE_JOURNAL_QUEUE_H
#define SERVER_STORE_JOURNAL_QUEUE_H

#include <pthread.h>
#include "base/rng.h"
#include "server/store/journal_row.h"
#include "server/store/journal_write.h"

struct journal {
    struct journal_limits limits;
    char replica[JOURNAL_TAG_BYTES];
    pthread_t thread;
    struct journal_writer *writer; // the thread's

    pthread_mutex_t lock;              // of what follows
    pthread_cond_t work;               // for the thread: there is something to do at once
    pthread_cond_t room;               // for the others: something was written, or failed
    struct journal_unit *first, *last; // first come, first written
    int units;
    int hurried; // units that somebody waits for
    long long last_id;
    struct rng rng;
    int64_t failing_since; // clock_now_ms() of the first failure after the last success; 0: works
    bool is_stopping, is_flushing;
    struct journal_counts counts;
};

void *journal_thread(void *journal);
/* Whether the row is queued, and a copy of it. STATUS_NO_MEMORY: the arena is full. */
MUST_CHECK enum status journal_find_queued(struct journal *journal, long long id,
                                           struct arena *arena, struct journal_row *out,
                                           bool *found, struct error *err);
/* Whether nothing could be written for JOURNAL_PATIENCE_MS; the lock is held. */
bool journal_is_stuck(const struct journal *j);
/* Until the condition is signalled, or for so long; the lock is held. */
void journal_wait(struct journal *j, pthread_cond_t *condition, int ms);

#endif
