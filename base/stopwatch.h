/*
 * stopwatch.h - where a thread's time goes, by part of its work.
 *
 *     struct stopwatch watch = { 0 };
 *     stopwatch_start(&watch);                       // this thread, from now on
 *     const int before = stopwatch_enter(PART_ATTENTION);
 *     ...
 *     stopwatch_enter(before);                       // and back
 *     stopwatch_stop();
 *     watch.ns[PART_ATTENTION]                       // without what it entered itself
 *
 * A thread without a stopwatch pays a look at a thread-local pointer for each
 * enter. Time is always in one part: the one entered last; 0 at first.
 */
#ifndef BASE_STOPWATCH_H
#define BASE_STOPWATCH_H

#include <stdint.h>

#define STOPWATCH_PARTS 16

struct stopwatch { // {0} before the first start; adds up over starts
    int64_t ns[STOPWATCH_PARTS];
    int part;         // the time since `since` is this part's
    int64_t since_ns; // of a clock that only goes forward
};

void stopwatch_start(struct stopwatch *watch); // borrowed until stopwatch_stop
void stopwatch_stop(void);                     // without a start: nothing

/* Returns the part that was left. */
int stopwatch_enter(int part);

#endif
