/*
 * rng.c - xoshiro256**, seeded by splitmix64.
 *
 * Nothing here calls the mathematical library, whose last bits differ from
 * machine to machine: a training run started from a seed repeats anywhere.
 */
#include "base/rng.h"

#include <assert.h>
#include <stdbool.h>

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = *x += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* Seed and stream are each scrambled before they meet, so (1,2) and (2,1) or
 * neighbouring streams share nothing. */
struct rng rng_make(uint64_t seed, uint64_t stream)
{
    struct rng rng;
    uint64_t x = stream;
    x = splitmix64(&x) ^ seed;
    x = splitmix64(&x);
    for (int i = 0; i < 4; i++)
        rng.state[i] = splitmix64(&x);
    return rng;
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* The high half of a 64 x 64 bit product, less the few low halves that would favour some results
 * (Lemire 2019). */
uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    assert(bound > 0);
    uint64_t favoured = (0 - bound) % bound; // 2^64 mod bound
    unsigned __int128 product;
    do
        product = (unsigned __int128)rng_next(rng) * bound;
    while ((uint64_t)product < favoured);
    return (uint64_t)(product >> 64);
}

/* True with probability exp(-x), 0 <= x <= 1: uniforms fall below x and each other an even number
 * of times (von Neumann 1951). */
static bool happens_exp_minus(struct rng *rng, double x)
{
    bool even = true;
    for (double u = rng_uniform(rng); u < x; u = rng_uniform(rng)) {
        x = u;
        even = !even;
    }
    return even;
}

static bool happens_exp_minus_halves(struct rng *rng, int halves)
{
    while (halves-- > 0)
        if (!happens_exp_minus(rng, 0.5))
            return false;
    return true;
}

/* Karney 2016, algorithm N: |value| = k + x with density exp(-(k+x)^2/2), reached as
 * exp(-k/2) exp(-k(k-1)/2) exp(-x(2k+x)/2) by comparisons alone. */
double rng_normal(struct rng *rng)
{
    for (;;) {
        int k = 0;
        while (happens_exp_minus(rng, 0.5))
            k++;
        if (!happens_exp_minus_halves(rng, k * (k - 1)))
            continue;
        double x = rng_uniform(rng);
        int left = k + 1;
        while (left > 0 && happens_exp_minus(rng, x * (2 * k + x) / (2 * k + 2)))
            left--;
        if (left == 0)
            return rng_next(rng) >> 63 ? -(k + x) : k + x;
    }
}
