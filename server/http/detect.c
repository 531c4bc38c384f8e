/*
 * detect.c - POST /detect, as LibreTranslate has it: the languages that a text may be in.
 *
 * Best first, those less likely than DETECT_CANDIDATE_MIN left out.
 * Of a list of texts there is one answer, as if they were one text.
 */
#include "server/http/detect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/http/background.h"
#include "server/http/parameters.h"
#include "server/http/routes.h"
#include "server/http/wish.h"

#define FALLBACK "en" // what LibreTranslate says of a text in no language

enum status detect_missing(const char *what, struct error *err)
{
    return error_set(
        err, STATUS_BAD_INPUT,
        "%s: this server has no language detector (detect.safetensors in its folder of "
        "models)",
        what);
}

enum status detect_language(struct live_detector *live, const char *text, size_t len,
                            struct arena *arena, char language[LANGUAGE_CODE_BYTES],
                            double *confidence, struct error *err)
{
    struct detection found;
    const struct detector *detector = live_detector_borrow(live);
    if (!detector)
        return detect_missing("auto is not supported", err);
    enum status status = detector_detect(detector, text, len, arena, &found, err);
    if (status == STATUS_OK) {
        const bool is_known = strcmp(found.language, DETECTOR_UNKNOWN) != 0;
        snprintf(language, LANGUAGE_CODE_BYTES, "%s", is_known ? found.language : FALLBACK);
        *confidence = is_known ? (double)found.confidence : 0;
    }
    live_detector_give_back(live, detector);
    return status;
}

json_t *detect_percent(double confidence)
{
    return json_real(round(confidence * 1000) / 10);
}

/* ---- POST /detect ---- */

struct detecting { // of a task
    char *text;
    size_t len;
    const struct detector *detector; // borrowed for `found`; NULL: not yet
    struct detection found;
};

static enum status detect(struct task *task, struct error *err)
{
    struct detecting *d = task->owner;
    d->detector = live_detector_borrow(task->x.service->detector);
    if (!d->detector)
        return detect_missing("languages cannot be detected", err);
    return detector_detect(d->detector, d->text, d->len, &task->arena, &d->found, err);
}

static void release(struct task *task)
{
    const struct detecting *d = task->owner;
    live_detector_give_back(task->x.service->detector, d->detector);
}

static json_t *candidate(const char *language, double confidence)
{
    return json_pack("{s:o, s:s}", "confidence", detect_percent(confidence), "language", language);
}

static void answer(struct task *task)
{
    const struct detection *found = &((struct detecting *)task->owner)->found;
    json_t *list = json_array();
    const bool is_known = strcmp(found->language, DETECTOR_UNKNOWN) != 0;
    for (int i = 0; is_known && i < found->count; i++) {
        const struct language_confidence *l = &found->languages[i];
        if (strcmp(l->language, DETECTOR_UNKNOWN) != 0 &&
            (l->confidence >= DETECT_CANDIDATE_MIN || json_array_size(list) == 0))
            json_array_append_new(list, candidate(l->language, (double)l->confidence));
    }
    if (!is_known)
        json_array_append_new(list, candidate(FALLBACK, 0));
    exchange_json(&task->x, 200, list);
}

/* All texts, a line each. */
static enum status copy_texts(struct detecting *d, const struct wish *wish, struct arena *arena,
                              struct error *err)
{
    size_t bytes = 1;
    for (int i = 0; i < wish->text_count; i++)
        bytes += json_string_length(wish_text(wish, i)) + 1;
    d->text = arena_alloc(arena, bytes);
    if (!d->text)
        return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    for (int i = 0; i < wish->text_count; i++) {
        const json_t *text = wish_text(wish, i);
        memcpy(d->text + d->len, json_string_value(text), json_string_length(text));
        d->len += json_string_length(text);
        if (i + 1 < wish->text_count)
            d->text[d->len++] = '\n';
    }
    d->text[d->len] = '\0';
    return STATUS_OK;
}

static enum status start(const struct exchange *x, const struct wish *wish, struct error *err)
{
    struct task *task;
    enum status status = task_new(&task, x, sizeof(struct detecting), err);
    if (status != STATUS_OK)
        return status;
    status = copy_texts(task->owner, wish, &task->arena, err);
    if (status != STATUS_OK) {
        task_free(task);
        return status;
    }
    task->work = detect;
    task->done = answer;
    task->release = release;
    task_start(task);
    return STATUS_OK;
}

void post_detect(struct exchange *x)
{
    static const char *const names[] = { "q", NULL };
    struct error err;
    struct wish wish = { 0 };
    json_t *p;
    enum status status = parameters_read(&p, x->message, names, &err);
    if (status == STATUS_OK)
        status = wish_check_present(p, names, &err);
    if (status == STATUS_OK)
        status = wish_read_texts(&wish, x->service, p, &err);
    if (status == STATUS_OK && !live_detector_is_there(x->service->detector))
        status = detect_missing("languages cannot be detected", &err);
    if (status == STATUS_OK)
        status = start(x, &wish, &err);
    if (status != STATUS_OK)
        exchange_fail(x, &err);
    json_decref(p);
}
