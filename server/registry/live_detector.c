/* live_detector.c - the language detector of a folder of models, loaded anew while it serves. */
#include "server/registry/live_detector.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/registry/file_stamp.h"

struct loaded {
    struct detector *detector;
    int users; // who borrowed it, and one for being the current one
    struct loaded *next;
};

struct live_detector {
    char path[PATH_MAX];
    struct file_stamp stamp; // of the file that was read last; only reloads look at it
    pthread_mutex_t lock;    // of what follows, held for a look only
    struct loaded *current;  // NULL: there is none
    struct loaded *all;      // that one, and older ones still in use
};

/* ---- one that was loaded ---- */

static void unlink_loaded(struct live_detector *live, const struct loaded *loaded)
{
    struct loaded **at = &live->all;
    while (*at != loaded)
        at = &(*at)->next;
    *at = loaded->next;
}

/* With the lock held. Returns what to free without it, or NULL. */
static struct loaded *let_go(struct live_detector *live, struct loaded *loaded)
{
    if (!loaded || --loaded->users > 0)
        return NULL;
    unlink_loaded(live, loaded);
    return loaded;
}

static void loaded_free(struct loaded *loaded)
{
    if (!loaded)
        return;
    detector_free(loaded->detector);
    memory_free(loaded);
}

/* *out stays NULL without a file. */
static enum status load(struct loaded **out, const struct live_detector *live, bool is_there,
                        struct error *err)
{
    *out = NULL;
    if (!is_there)
        return STATUS_OK;
    struct loaded *loaded = memory_zeroed(1, sizeof *loaded);
    if (!loaded)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the detector %s", live->path);
    const int64_t started_ms = clock_now_ms();
    enum status status = detector_load(&loaded->detector, live->path, err);
    if (status != STATUS_OK) {
        memory_free(loaded);
        return error_while(err, "the detector %s: ", live->path);
    }
    loaded->users = 1;
    log_event(LOG_INFO, "detector_loaded", "file", LOG_TEXT(DETECTOR_FILE), "languages",
              LOG_NUMBER(detector_language_count(loaded->detector)), "ms",
              LOG_NUMBER(clock_now_ms() - started_ms), NULL);
    *out = loaded;
    return STATUS_OK;
}

static void replace(struct live_detector *live, struct loaded *next)
{
    pthread_mutex_lock(&live->lock);
    struct loaded *old = let_go(live, live->current);
    live->current = next;
    if (next) {
        next->next = live->all;
        live->all = next;
    }
    pthread_mutex_unlock(&live->lock);
    loaded_free(old);
}

/* ---- life ---- */

static bool is_file(struct file_stamp stamp)
{
    return !file_stamp_equals(stamp, (struct file_stamp){ 0 });
}

enum status live_detector_open(struct live_detector **out, const char *folder, struct error *err)
{
    struct loaded *first;
    *out = NULL;
    struct live_detector *live = memory_zeroed(1, sizeof *live);
    if (!live)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a detector");
    pthread_mutex_init(&live->lock, NULL);
    enum status status = STATUS_OK;
    if (snprintf(live->path, sizeof live->path, "%s/" DETECTOR_FILE, folder) >=
        (int)sizeof live->path)
        status = error_set(err, STATUS_TOO_LARGE, "%s: the path is too long", folder);
    live->stamp = file_stamp(live->path);
    if (status == STATUS_OK)
        status = load(&first, live, is_file(live->stamp), err);
    if (status != STATUS_OK) {
        live_detector_close(live);
        return status;
    }
    replace(live, first);
    *out = live;
    return STATUS_OK;
}

void live_detector_close(struct live_detector *live)
{
    if (!live)
        return;
    replace(live, NULL);
    pthread_mutex_destroy(&live->lock);
    memory_free(live);
}

enum status live_detector_reload(struct live_detector *live, struct error *err)
{
    struct loaded *next;
    const struct file_stamp stamp = file_stamp(live->path);
    if (file_stamp_equals(stamp, live->stamp))
        return STATUS_OK;
    enum status status = load(&next, live, is_file(stamp), err);
    if (status != STATUS_OK) {
        error_while(err, "the detector before it stays: ");
        log_event(LOG_ERROR, "detector_not_loaded", "file", LOG_TEXT(DETECTOR_FILE), "reason",
                  LOG_TEXT(err->text), NULL);
        return status;
    }
    if (!next)
        log_event(LOG_INFO, "detector_left", "file", LOG_TEXT(DETECTOR_FILE), NULL);
    live->stamp = stamp;
    replace(live, next);
    return STATUS_OK;
}

/* ---- using it ---- */

bool live_detector_is_there(struct live_detector *live)
{
    if (!live)
        return false;
    pthread_mutex_lock(&live->lock);
    const bool is_there = live->current != NULL;
    pthread_mutex_unlock(&live->lock);
    return is_there;
}

const struct detector *live_detector_borrow(struct live_detector *live)
{
    const struct detector *detector = NULL;
    if (!live)
        return NULL;
    pthread_mutex_lock(&live->lock);
    if (live->current) {
        live->current->users++;
        detector = live->current->detector;
    }
    pthread_mutex_unlock(&live->lock);
    return detector;
}

void live_detector_give_back(struct live_detector *live, const struct detector *detector)
{
    if (!detector)
        return;
    pthread_mutex_lock(&live->lock);
    struct loaded *loaded = live->all;
    while (loaded->detector != detector)
        loaded = loaded->next;
    loaded = let_go(live, loaded);
    pthread_mutex_unlock(&live->lock);
    loaded_free(loaded);
}
