/*
 * clock.h - time. Durations come from the monotonic clock, dates from the wall.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ns(void);  // monotonic; only differences mean something
int64_t clock_now_ms(void);  // the same clock in milliseconds
int64_t clock_wall_ms(void); // since 1970-01-01 UTC

/* "2026-11-23T09:56:00.123Z" into out. */
#define CLOCK_TEXT_BYTES 25
void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_BYTES]);

#endif
