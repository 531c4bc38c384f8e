/* pairs.c - which languages can be translated into which, directly or through English. */
#include "server/http/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/metrics.h"

static const char pivot[] = "en";

static int compare_codes(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool pairs_know(const struct pairs *pairs, const char *code)
{
    for (int i = 0; i < pairs->count; i++)
        if (strcmp(pairs->codes[i], code) == 0)
            return true;
    return false;
}

static enum status add_code(struct pairs *pairs, const char *code, struct error *err)
{
    if (pairs_know(pairs, code))
        return STATUS_OK;
    if (pairs->count == LANGUAGES_MAX || strlen(code) >= LANGUAGE_CODE_BYTES)
        return error_set(err, STATUS_TOO_LARGE,
                         "the models have more than %d languages, or one whose code is over %d "
                         "bytes: %s",
                         LANGUAGES_MAX, LANGUAGE_CODE_BYTES - 1, code);
    snprintf(pairs->codes[pairs->count++], LANGUAGE_CODE_BYTES, "%s", code);
    return STATUS_OK;
}

static enum status read_models(struct pairs *pairs, struct error *err)
{
    for (int i = 0; i < pairs->models->count; i++) {
        const struct live_model *m = pairs->models->at[i];
        enum status status = add_code(pairs, live_model_source(m), err);
        if (status == STATUS_OK)
            status = add_code(pairs, live_model_target(m), err);
        if (status != STATUS_OK)
            return status;
    }
    qsort(pairs->codes, (size_t)pairs->count, sizeof pairs->codes[0], compare_codes);
    return STATUS_OK;
}

enum status pairs_init(struct pairs *pairs, struct registry *registry, struct error *err)
{
    *pairs = (struct pairs){ .registry = registry, .generation = registry_generation(registry) };
    pairs->models = registry_models(registry);
    metric_set(METRIC_MODELS, pairs->models->count);
    return read_models(pairs, err);
}

void pairs_release(struct pairs *pairs)
{
    live_models_release(pairs->models);
    pairs->models = NULL;
}

enum status pairs_refresh(struct pairs *pairs, struct error *err)
{
    struct pairs fresh;
    const unsigned generation = registry_generation(pairs->registry);
    if (generation == pairs->generation)
        return STATUS_OK;
    pairs->generation = generation;
    enum status status = pairs_init(&fresh, pairs->registry, err);
    if (status != STATUS_OK) {
        pairs_release(&fresh);
        return status;
    }
    pairs_release(pairs);
    *pairs = fresh;
    return STATUS_OK;
}

int pairs_find(const struct pairs *pairs, const char *source, const char *target,
               struct live_model *hops[HOPS_MAX])
{
    struct live_model *first = live_models_find(pairs->models, source, target), *second = NULL;
    if (!first) {
        first = live_models_find(pairs->models, source, pivot);
        second = live_models_find(pairs->models, pivot, target);
        if (!first || !second)
            return 0;
        hops[1] = live_model_take(second);
    }
    hops[0] = live_model_take(first);
    return second ? 2 : 1;
}

bool pairs_reach(const struct pairs *pairs, const char *source, const char *target)
{
    return strcmp(source, target) == 0 || live_models_find(pairs->models, source, target) ||
           (live_models_find(pairs->models, source, pivot) &&
            live_models_find(pairs->models, pivot, target));
}

bool pairs_only(const struct pairs *pairs, const char **source, const char **target)
{
    if (pairs->models->count != 1)
        return false;
    *source = live_model_source(pairs->models->at[0]);
    *target = live_model_target(pairs->models->at[0]);
    return true;
}
