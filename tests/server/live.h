/*
 * live.h - a registry of tiny models in a folder of its own, for tests of what stands on it.
 *
 *     struct live live;
 *     live_open(&live, (const char *const[]){ "en-fr", "fr-en", NULL });
 *     ... live.registry, live_find(live.registry, "en", "fr") ...
 *     live_close(&live);
 */
#ifndef TESTS_SERVER_LIVE_H
#define TESTS_SERVER_LIVE_H

#include "server/registry/registry.h"
#include "tests/helpers.h"
#include "tests/tiny_model.h"

struct live {
    char folder[64];
    char database[128];
    struct db *db;
    struct registry *registry;
};

static inline void live_open(struct live *live, const char *const *pairs)
{
    struct error err;
    char path[128], source[8], target[8];
    make_folder(live->folder);
    for (int i = 0; pairs[i]; i++) {
        snprintf(path, sizeof path, "%s/%s.safetensors", live->folder, pairs[i]);
        ck_assert_int_eq(sscanf(pairs[i], "%7[a-z]-%7[a-z]", source, target), 2);
        write_tiny_model(path, source, target, (uint64_t)i + 2);
    }
    snprintf(live->database, sizeof live->database, "%s/verso.db", live->folder);
    assert_ok(db_open(&live->db, live->database, &err), err);
    assert_ok(
        registry_open(&live->registry, live->folder, WEIGHT_F32, SHORTLIST_WHOLE, live->db, &err),
        err);
}

/* A reference; NULL: there is none of this pair. */
static inline struct live_model *live_find(struct registry *registry, const char *source,
                                           const char *target)
{
    struct live_models *models = registry_models(registry);
    struct live_model *m = live_models_find(models, source, target);
    if (m)
        live_model_take(m);
    live_models_release(models);
    return m;
}

static inline void live_close(struct live *live)
{
    registry_close(live->registry);
    db_close(live->db);
    remove_folder(live->folder);
}

#endif
