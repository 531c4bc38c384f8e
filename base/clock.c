/*
 * clock.c - the two clocks of the system, and dates as text.
 */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_now_ms(void)
{
    return clock_now_ns() / 1000000;
}

int64_t clock_wall_ms(void)
{
    return read_clock_ns(CLOCK_REALTIME) / 1000000;
}

/* `value` as `digits` decimal digits and the character that follows them. */
static char *put_number(char *out, int value, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    out[digits] = after;
    return out + digits + 1;
}

#define YEAR_0_MS (-62167219200000)  // 0000-01-01T00:00:00.000Z
#define YEAR_9999_MS 253402300799999 // 9999-12-31T23:59:59.999Z

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_BYTES])
{
    if (wall_ms < YEAR_0_MS)
        wall_ms = YEAR_0_MS;
    if (wall_ms > YEAR_9999_MS)
        wall_ms = YEAR_9999_MS;
    int ms = (int)((wall_ms % 1000 + 1000) % 1000);
    time_t seconds = (time_t)((wall_ms - ms) / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    out = put_number(out, utc.tm_year + 1900, 4, '-');
    out = put_number(out, utc.tm_mon + 1, 2, '-');
    out = put_number(out, utc.tm_mday, 2, 'T');
    out = put_number(out, utc.tm_hour, 2, ':');
    out = put_number(out, utc.tm_min, 2, ':');
    out = put_number(out, utc.tm_sec, 2, '.');
    out = put_number(out, ms, 3, 'Z');
    *out = '\0';
}
