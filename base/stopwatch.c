/*
 * stopwatch.c - one thread-local pointer and a clock.
 */
#include "base/stopwatch.h"

#include <assert.h>
#include <stddef.h>

#include "base/clock.h"

static _Thread_local struct stopwatch *running;

static void count(struct stopwatch *watch)
{
    const int64_t now = clock_now_ns();
    watch->ns[watch->part] += now - watch->since_ns;
    watch->since_ns = now;
}

void stopwatch_start(struct stopwatch *watch)
{
    watch->part = 0;
    watch->since_ns = clock_now_ns();
    running = watch;
}

void stopwatch_stop(void)
{
    if (running)
        count(running);
    running = NULL;
}

int stopwatch_enter(int part)
{
    assert(part >= 0 && part < STOPWATCH_PARTS);
    if (!running)
        return part;
    const int before = running->part;
    count(running);
    running->part = part;
    return before;
}
