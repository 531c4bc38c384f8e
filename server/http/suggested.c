/* suggested.c - the accepted suggestions, in memory while the server runs. */
#include "server/http/suggested.h"

#include "base/log.h"
#include "base/memory.h"
#include "server/http/background.h"

struct suggested {
    struct suggestion_set *set;
    long long stamp; // of the table that it is of

    struct suggestion_set *fresh; // read beside the loop, to be taken over on it
    long long fresh_stamp;
};

enum status suggested_open(struct suggested **out, struct db *db, struct error *err)
{
    *out = NULL;
    struct suggested *suggested = memory_zeroed(1, sizeof *suggested);
    if (!suggested)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the accepted suggestions");
    enum status status = suggestions_stamp(db, &suggested->stamp, err);
    if (status == STATUS_OK)
        status = suggestion_set_load(&suggested->set, db, err);
    if (status != STATUS_OK) {
        suggested_free(suggested);
        return status;
    }
    *out = suggested;
    return STATUS_OK;
}

void suggested_free(struct suggested *suggested)
{
    if (!suggested)
        return;
    suggestion_set_free(suggested->set);
    suggestion_set_free(suggested->fresh);
    memory_free(suggested);
}

static void read_set(void *context, struct db *db)
{
    struct suggested *suggested = context;
    struct error err;
    if (!db)
        return;
    enum status status = suggestions_stamp(db, &suggested->fresh_stamp, &err);
    if (status == STATUS_OK && suggested->fresh_stamp != suggested->stamp)
        status = suggestion_set_load(&suggested->fresh, db, &err);
    if (status != STATUS_OK)
        log_event(LOG_WARNING, "suggestions_not_read", "reason", LOG_TEXT(err.text), NULL);
}

static void take_set(void *context)
{
    struct suggested *suggested = context;
    if (!suggested->fresh)
        return;
    suggestion_set_free(suggested->set);
    suggested->set = suggested->fresh;
    suggested->stamp = suggested->fresh_stamp;
    suggested->fresh = NULL;
    log_event(LOG_INFO, "suggestions_read", NULL);
}

enum status suggested_follow(struct suggested *suggested, struct background *background,
                             struct error *err)
{
    return background_repeat(background, SUGGESTED_REFRESH_MS, read_set, take_set, suggested, err);
}

bool suggested_find(const struct suggested *suggested, const char *source, const char *target,
                    const char *text, size_t len, struct suggested_text *out)
{
    return suggestion_set_find(suggested->set, source, target, text, len, out);
}

bool suggested_is_empty(const struct suggested *suggested)
{
    return suggestion_set_is_empty(suggested->set);
}
