/*
 * rates.h - how often each of many may ask: a bucket of tokens for everybody.
 *
 *     struct rates *rates = rates_new(RATES_ENTRIES);
 *     int wait_s;
 *     if (!rates_take(rates, "192.0.2.7", 60, clock_now_ms(), &wait_s)) ... wait_s seconds ...
 *     rates_free(rates);
 *
 * A bucket holds as many tokens as may be asked a minute, and fills up evenly
 * in a minute; each request takes one. There are so many buckets and no more:
 * where one is missing, that goes which was not used for longest of its few
 * neighbours; it comes back full, which only ever forgives. Loop thread only.
 */
#ifndef SERVER_HTTP_RATES_H
#define SERVER_HTTP_RATES_H

#include <stdbool.h>
#include <stdint.h>

#define RATES_ENTRIES 8192 // buckets: a megabyte
#define RATES_NAME_BYTES 64

struct rates;

struct rates *rates_new(int entries); // NULL: no memory; a multiple of 8
void rates_free(struct rates *rates); // NULL is fine

/* False: none is left, one comes in *wait_s seconds, rounded up. */
bool rates_take(struct rates *rates, const char *who, int per_minute, int64_t now_ms, int *wait_s);

#endif
