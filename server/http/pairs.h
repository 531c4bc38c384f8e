/*
 * pairs.h - which languages can be translated into which, directly or through English.
 *
 *     struct live_model *hops[HOPS_MAX];
 *     int count = pairs_find(&pairs, "fr", "de", hops);     // 0: not available; 2: fr-en, en-de
 *
 * They are of one list of the registry until they are refreshed, between two
 * messages: whatever is said in one answer fits together. Loop thread only.
 */
#ifndef SERVER_HTTP_PAIRS_H
#define SERVER_HTTP_PAIRS_H

#include <stdbool.h>
#include "base/status.h"
#include "server/jobs/request.h"
#include "server/registry/registry.h"

#define LANGUAGES_MAX 256
#define LANGUAGE_CODE_BYTES 16

struct pairs {
    struct registry *registry;
    unsigned generation;                            // of the registry, that these were made from
    struct live_models *models;                     // a reference
    char codes[LANGUAGES_MAX][LANGUAGE_CODE_BYTES]; // (count) sorted
    int count;
};

MUST_CHECK enum status pairs_init(struct pairs *pairs, struct registry *registry,
                                  struct error *err);
void pairs_release(struct pairs *pairs);
/* What the registry has now, if it has been reloaded. On failure they stay as they were. */
MUST_CHECK enum status pairs_refresh(struct pairs *pairs, struct error *err);

bool pairs_know(const struct pairs *pairs, const char *code);
/* Whether `source` can be translated into `target`; into itself it always can. */
bool pairs_reach(const struct pairs *pairs, const char *source, const char *target);
/* How many models it takes; the caller releases them. 0: unavailable. */
int pairs_find(const struct pairs *pairs, const char *source, const char *target,
               struct live_model *hops[HOPS_MAX]);
/* The only pair there is; false if there are several. */
bool pairs_only(const struct pairs *pairs, const char **source, const char **target);

#endif
