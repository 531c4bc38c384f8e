/*
 * one_engine.h - a tiny model in a folder of its own, its engine and a worker: what tests of engine
 * functions begin with.
 *
 *     write_model(1);
 *     assert_ok(engine_load(&engine, path, WEIGHT_F32, &err), err);
 *     start_worker(&limits);
 *     ... engine, worker, arena ...
 *     teardown();
 */
#ifndef TESTS_SERVER_ENGINE_ONE_ENGINE_H
#define TESTS_SERVER_ENGINE_ONE_ENGINE_H

#include "server/engine/engine.h"
#include "tests/helpers.h"
#include "tests/tiny_model.h"

#define ARENA_BYTES ((size_t)1 << 28)

static struct error err;
static char folder[64], path[128]; // of the model
static struct engine *engine;
static struct engine_worker *worker;
static struct arena arena;

static inline void write_model(uint64_t seed)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/en-fr.safetensors", folder);
    write_tiny_model(path, "en", "fr", seed);
}

static inline void start_worker(const struct engine_limits *limits)
{
    assert_ok(engine_worker_new(&worker, engine, limits, &err), err);
    ck_assert(arena_init(&arena, ARENA_BYTES));
}

static inline void teardown(void)
{
    arena_release(&arena);
    engine_worker_free(worker);
    engine_free(engine);
    remove_folder(folder);
}

#endif
