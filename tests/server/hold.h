/*
 * hold.h - a worker that stands still in the middle of a request, for as long as a test wants.
 *
 *     struct hold hold;
 *     hold_open(&hold);
 *     r->listener = &hold.listener;
 *     ... submit r ...
 *     hold_wait(&hold);   // r is in flight; its worker does nothing more
 *     hold_step(&hold);   // until a translation of r has grown once more, and no further
 *     hold_end(&hold);    // it goes on and is not held again
 *     hold_end_when(&hold, &r->cancelled);   // instead: only then
 *     ... r is done ...
 *     hold_close(&hold);
 */
#ifndef TESTS_SERVER_HOLD_H
#define TESTS_SERVER_HOLD_H

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "server/engine/engine.h"

struct hold {
    struct engine_listener listener; // first
    sem_t is_held, may_go;
    atomic_bool has_ended;
    atomic_bool *when; // NULL: at once
};

/* On the worker's thread. */
static inline void hold_on_sentence(struct engine_listener *listener, int text,
                                    const struct engine_sentence *so_far, uint32_t next,
                                    bool is_whole)
{
    struct hold *hold = (struct hold *)listener;
    (void)text;
    (void)so_far;
    (void)next;
    (void)is_whole;
    if (atomic_load(&hold->has_ended))
        return;
    sem_post(&hold->is_held);
    sem_wait(&hold->may_go);
    while (atomic_load(&hold->has_ended) && hold->when && !atomic_load(hold->when))
        sched_yield();
}

static inline void hold_open(struct hold *hold)
{
    hold->listener.on_sentence = hold_on_sentence;
    sem_init(&hold->is_held, 0, 0);
    sem_init(&hold->may_go, 0, 0);
    atomic_init(&hold->has_ended, false);
    hold->when = NULL;
}

static inline void hold_wait(struct hold *hold)
{
    sem_wait(&hold->is_held);
}

static inline void hold_step(struct hold *hold)
{
    sem_post(&hold->may_go);
    hold_wait(hold);
}

static inline void hold_end(struct hold *hold)
{
    atomic_store(&hold->has_ended, true);
    sem_post(&hold->may_go);
}

static inline void hold_end_when(struct hold *hold, atomic_bool *when)
{
    hold->when = when;
    hold_end(hold);
}

static inline void hold_close(struct hold *hold)
{
    sem_destroy(&hold->is_held);
    sem_destroy(&hold->may_go);
}

#endif
