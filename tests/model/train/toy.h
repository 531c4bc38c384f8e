/*
 * toy.h - a language of a few letters whose translation is the same word backwards, and a model
 * small enough for a sanitizer.
 */
#ifndef TESTS_MODEL_TRAIN_TOY_H
#define TESTS_MODEL_TRAIN_TOY_H

#include "base/rng.h"
#include "model/train/trainer.h"
#include "model/train/translation.h"
#include "tests/helpers.h"

#define TOY_FIRST 4 // ids below are control pieces
#define TOY_VOCABULARY 16
#define TOY_LONGEST 6

static inline struct pairs toy_pairs(int count, uint64_t seed)
{
    struct pairs pairs = { 0 };
    struct rng rng = rng_make(seed, 0);
    struct error err;
    for (int i = 0; i < count; i++) {
        int32_t word[TOY_LONGEST], backwards[TOY_LONGEST];
        int len = 1 + (int)rng_below(&rng, TOY_LONGEST);
        for (int k = 0; k < len; k++)
            word[k] = TOY_FIRST + (int32_t)rng_below(&rng, TOY_VOCABULARY - TOY_FIRST);
        for (int k = 0; k < len; k++)
            backwards[k] = word[len - 1 - k];
        assert_ok(pairs_add(&pairs, word, len, backwards, len, &err), err);
    }
    return pairs;
}

/* The same on disk, in the folder; close it with shard_close. */
static inline struct shard *toy_shard(const char *folder, const struct pairs *pairs)
{
    static const uint8_t made_of[SHA256_BYTES];
    char path[128];
    struct shard_writer *w;
    struct shard *shard;
    struct error err;
    snprintf(path, sizeof path, "%s/toy.pairs", folder);
    assert_ok(shard_writer_open(&w, path, made_of, &err), err);
    for (int i = 0; i < pairs->count; i++)
        assert_ok(shard_writer_add(w, pairs_source(pairs, i), pairs->list[i].source_len - 1,
                                   pairs_target(pairs, i), pairs->list[i].target_len - 1, &err),
                  err);
    assert_ok(shard_writer_commit(w, 0, 0, &err), err);
    shard_writer_close(w);
    assert_ok(shard_open(&shard, path, &err), err);
    return shard;
}

static inline struct config toy_config(void)
{
    struct config config = config_default(KIND_TRANSLATE);
    config.vocabulary = TOY_VOCABULARY;
    config.embedding = config.attention = 8;
    config.hidden = 12;
    return config;
}

#define TOY_SEED 11

static inline struct batch_options toy_batches(void)
{
    return (struct batch_options){ .sentences = 20, .pieces = 400, .seed = TOY_SEED };
}

static inline struct trainer_options toy_options(const char *checkpoint)
{
    return (struct trainer_options){
        .schedule = { .rate = 5e-3, .warmup = 20, .decay = 0.6, .patience = 0 },
        .optimizer = optimizer_options_default(),
        .dropout = 0.1,
        .smoothing = 0.1,
        .epochs = 1,
        .checkpoint_path = checkpoint,
        .vocabulary = "the vocabulary, whatever it says",
        .threads = 2,
        .seed = TOY_SEED,
    };
}

#endif
