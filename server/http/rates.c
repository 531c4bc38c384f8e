/* rates.c - how often each of many may ask. */
#include "server/http/rates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

#define NEIGHBOURS 8 // buckets among which a name has its place
#define MINUTE_MS 60000.0

struct bucket {
    char who[RATES_NAME_BYTES]; // "": free
    double tokens;
    int64_t at_ms; // when it had so many
};

struct rates {
    struct bucket *buckets; // (group_count, NEIGHBOURS)
    uint64_t group_count;
    uint64_t seed; // so that nobody can choose neighbours
};

struct rates *rates_new(int entries)
{
    struct rates *rates = memory_zeroed(1, sizeof *rates);
    if (!rates)
        return NULL;
    rates->group_count = (uint64_t)entries / NEIGHBOURS;
    rates->buckets = memory_zeroed((size_t)entries, sizeof *rates->buckets);
    if (!rates->buckets || !random_bytes(&rates->seed, sizeof rates->seed)) {
        rates_free(rates);
        return NULL;
    }
    return rates;
}

void rates_free(struct rates *rates)
{
    if (!rates)
        return;
    memory_free(rates->buckets);
    memory_free(rates);
}

/* FNV-1a from a secret start, mixed once more. */
static uint64_t hash(uint64_t seed, const char *who)
{
    uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (; *who; who++)
        h = (h ^ (unsigned char)*who) * 0x100000001b3u;
    h ^= h >> 32;
    h *= seed | 1;
    return h ^ h >> 29;
}

static struct bucket *find(struct rates *rates, const char *who, int per_minute, int64_t now_ms)
{
    struct bucket *group =
        rates->buckets + (hash(rates->seed, who) % rates->group_count) * NEIGHBOURS;
    struct bucket *oldest = group;
    for (int i = 0; i < NEIGHBOURS; i++) {
        if (strcmp(group[i].who, who) == 0)
            return &group[i];
        if (!group[i].who[0] || (oldest->who[0] && group[i].at_ms < oldest->at_ms))
            oldest = &group[i];
    }
    *oldest = (struct bucket){ .tokens = per_minute, .at_ms = now_ms };
    snprintf(oldest->who, sizeof oldest->who, "%s", who);
    return oldest;
}

bool rates_take(struct rates *rates, const char *who, int per_minute, int64_t now_ms, int *wait_s)
{
    struct bucket *bucket = find(rates, who, per_minute, now_ms);
    const double came = (double)(now_ms - bucket->at_ms) * per_minute / MINUTE_MS;
    bucket->tokens = fmin(per_minute, bucket->tokens + came);
    bucket->at_ms = now_ms;
    if (bucket->tokens >= 1) {
        bucket->tokens -= 1;
        return true;
    }
    *wait_s = (int)ceil((1 - bucket->tokens) * MINUTE_MS / per_minute / 1000);
    return false;
}
