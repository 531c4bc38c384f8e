/*
 * threads.c - a team waits for its next job on a counter: a short spin, then sleep.
 *
 *     caller    job -> pending = size-1 -> round+1, wake ... work(job,0) ... wait for pending = 0
 *     member i  wait for a new round ...................... work(job,i) ... pending-1, wake
 *
 * Spinning pays when rounds follow each other within microseconds, and only
 * while every member has a core; a team larger than that sleeps at once.
 */
#include "base/threads.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>
#include "base/memory.h"

#define SPINS 300 // about 10 microseconds

struct member {
    struct team *team;
    int number;
    pthread_t thread;
};

struct team {
    int size;
    int spins;
    int started; // threads to join: members 1 to `started`
    void (*work)(void *job, int member);
    void *job;
    atomic_uint round;  // written under `lock`, so that no sleeper misses it
    atomic_int pending; // members that still work
    atomic_bool is_over;
    pthread_mutex_t lock;
    pthread_cond_t new_round;
    pthread_cond_t all_done;
    struct member members[];
};

static inline void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static unsigned wait_for_round_after(struct team *team, unsigned seen)
{
    for (int i = 0; i < team->spins; i++) {
        unsigned round = atomic_load_explicit(&team->round, memory_order_acquire);
        if (round != seen)
            return round;
        pause_briefly();
    }
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->round) == seen)
        pthread_cond_wait(&team->new_round, &team->lock);
    unsigned round = atomic_load(&team->round);
    pthread_mutex_unlock(&team->lock);
    return round;
}

static void report_done(struct team *team)
{
    if (atomic_fetch_sub(&team->pending, 1) > 1)
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_signal(&team->all_done);
    pthread_mutex_unlock(&team->lock);
}

static void *member_main(void *argument)
{
    struct member *member = argument;
    struct team *team = member->team;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_round_after(team, seen);
        if (atomic_load(&team->is_over))
            return NULL;
        team->work(team->job, member->number);
        report_done(team);
    }
}

/* Signals are for the program's own threads: members take none. */
static bool start_members(struct team *team)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (team->started < team->size - 1) {
        struct member *member = &team->members[team->started];
        member->team = team;
        member->number = team->started + 1;
        if (pthread_create(&member->thread, NULL, member_main, member) != 0)
            break;
        team->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return team->started == team->size - 1;
}

struct team *team_new(int size)
{
    assert(size >= 1);
    size_t others = (size_t)size - 1;
    struct team *team = memory_zeroed(1, sizeof *team + others * sizeof team->members[0]);
    if (!team)
        return NULL;
    team->size = size;
    team->spins = size <= threads_available() ? SPINS : 0;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->new_round, NULL);
    pthread_cond_init(&team->all_done, NULL);
    if (start_members(team))
        return team;
    team_free(team);
    return NULL;
}

static void begin_round(struct team *team)
{
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->round, 1);
    pthread_cond_broadcast(&team->new_round);
    pthread_mutex_unlock(&team->lock);
}

void team_free(struct team *team)
{
    if (!team)
        return;
    atomic_store(&team->is_over, true);
    begin_round(team);
    for (int i = 0; i < team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->all_done);
    pthread_cond_destroy(&team->new_round);
    pthread_mutex_destroy(&team->lock);
    memory_free(team);
}

int team_size(const struct team *team)
{
    return team->size;
}

static void wait_for_members(struct team *team)
{
    for (int i = 0; i < team->spins; i++) {
        if (atomic_load_explicit(&team->pending, memory_order_acquire) == 0)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->pending) > 0)
        pthread_cond_wait(&team->all_done, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

void team_run(struct team *team, void (*work)(void *job, int member), void *job)
{
    assert(atomic_load(&team->pending) == 0); // one job at a time
    team->work = work;
    team->job = job;
    atomic_store(&team->pending, team->size - 1);
    if (team->size > 1)
        begin_round(team);
    work(job, 0);
    wait_for_members(team);
}

int threads_available(void)
{
    cpu_set_t mine;
    if (sched_getaffinity(0, sizeof mine, &mine) == 0)
        return CPU_COUNT(&mine);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
