/* pairs.c - which languages can be translated into which, directly or through English. */
#include "server/http/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum status pairs_init(struct pairs *pairs, struct registry *registry, struct error *err)
{
    *pairs = (struct pairs){ .registry = registry };
    for (int i = 0; i < registry_count(registry); i++) {
        const struct live_model *m = registry_at(registry, i);
        enum status status = add_code(pairs, live_model_source(m), err);
        if (status == STATUS_OK)
            status = add_code(pairs, live_model_target(m), err);
        if (status != STATUS_OK)
            return status;
    }
    qsort(pairs->codes, (size_t)pairs->count, sizeof pairs->codes[0], compare_codes);
    return STATUS_OK;
}

int pairs_find(const struct pairs *pairs, const char *source, const char *target,
               struct live_model *hops[HOPS_MAX])
{
    hops[0] = registry_find(pairs->registry, source, target);
    if (hops[0])
        return 1;
    hops[0] = registry_find(pairs->registry, source, pivot);
    if (!hops[0])
        return 0;
    hops[1] = registry_find(pairs->registry, pivot, target);
    if (hops[1])
        return 2;
    live_model_release(hops[0]);
    return 0;
}

bool pairs_reach(const struct pairs *pairs, const char *source, const char *target)
{
    struct live_model *hops[HOPS_MAX];
    if (strcmp(source, target) == 0)
        return true;
    int count = pairs_find(pairs, source, target, hops);
    for (int i = 0; i < count; i++)
        live_model_release(hops[i]);
    return count > 0;
}

bool pairs_only(const struct pairs *pairs, const char **source, const char **target)
{
    if (registry_count(pairs->registry) != 1)
        return false;
    const struct live_model *m = registry_at(pairs->registry, 0);
    *source = live_model_source(m);
    *target = live_model_target(m);
    return true;
}
