/*
 * rng.h - reproducible random numbers (xoshiro256**, Blackman & Vigna 2018).
 *
 *     struct rng rng = rng_make(seed, stream);
 *     double u = rng_uniform(&rng);
 *
 * The same seed and stream give the same numbers on every machine; streams of
 * one seed are independent (seeded by splitmix64 over both). The whole state
 * is the four words, so a checkpoint stores them as they are. Not for secrets.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

struct rng rng_make(uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *rng);                  // all 64 bits uniform
double rng_uniform(struct rng *rng);                 // [0,1), 53 bits
uint64_t rng_below(struct rng *rng, uint64_t bound); // [0,bound), unbiased; bound > 0
double rng_normal(struct rng *rng);                  // mean 0, variance 1

#endif
