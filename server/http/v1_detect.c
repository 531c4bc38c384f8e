/*
 * v1_detect.c - POST /v1/detect: the language of each text, and what else it may be.
 *
 *     {"text":["Bonjour","12"]} ->
 *     {"detections":[{"language":"fr","confidence":0.98,"candidates":[{"language":...},...]},
 *                    {"language":null,"confidence":0.0,"candidates":[]}]}
 */
#include <math.h>
#include <string.h>

#include "server/http/background.h"
#include "server/http/detect.h"
#include "server/http/routes.h"
#include "server/http/v1_fields.h"
#include "server/http/v1_wish.h"

#define DECIMALS 1e3

struct detecting { // of a task
    struct v1_wish wish;
    json_t *json;   // what it borrows from
    json_t *answer; // NULL until it is there
};

static json_t *candidate(const struct language_confidence *l)
{
    return json_pack("{s:s,s:f}", "language", l->language, "confidence",
                     round((double)l->confidence * DECIMALS) / DECIMALS);
}

static json_t *to_json(const struct detection *found)
{
    const bool is_known = strcmp(found->language, DETECTOR_UNKNOWN) != 0;
    json_t *candidates = json_array();
    for (int i = 0; is_known && i < found->count; i++) {
        const struct language_confidence *l = &found->languages[i];
        if (strcmp(l->language, DETECTOR_UNKNOWN) != 0 && l->confidence >= DETECT_CANDIDATE_MIN)
            json_array_append_new(candidates, candidate(l));
    }
    return json_pack("{s:s?,s:f,s:o}", "language", is_known ? found->language : NULL, "confidence",
                     is_known ? round((double)found->confidence * DECIMALS) / DECIMALS : 0.0,
                     "candidates", candidates);
}

static enum status no_detector(struct error *err)
{
    return error_set(err, STATUS_NOT_FOUND,
                     "this server has no language detector: put " DETECTOR_FILE " in its folder of "
                     "models");
}

static enum status detect_all(struct task *task, const struct detector *detector, struct error *err)
{
    struct detecting *d = task->owner;
    json_t *list = json_array();
    enum status status = STATUS_OK;
    for (int i = 0; i < d->wish.text_count && status == STATUS_OK; i++) {
        const json_t *text = v1_wish_text(&d->wish, i);
        struct detection found;
        status = task_is_cancelled(task)
                     ? error_set(err, STATUS_CANCELLED, "the request was cancelled")
                     : detector_detect(detector, json_string_value(text), json_string_length(text),
                                       &task->arena, &found, err);
        if (status == STATUS_OK)
            json_array_append_new(list, to_json(&found));
    }
    d->answer = json_pack("{s:o}", "detections", list);
    return status;
}

static enum status detect(struct task *task, struct error *err)
{
    struct live_detector *live = task->x.service->detector;
    const struct detector *detector = live_detector_borrow(live);
    if (!detector)
        return no_detector(err);
    enum status status = detect_all(task, detector, err);
    live_detector_give_back(live, detector);
    return status;
}

static void answer(struct task *task)
{
    struct detecting *d = task->owner;
    exchange_json(&task->x, 200, json_incref(d->answer));
}

static void release(struct task *task)
{
    struct detecting *d = task->owner;
    json_decref(d->json);
    json_decref(d->answer);
}

static enum status start(const struct exchange *x, const struct v1_wish *wish, json_t *json,
                         struct error *err)
{
    struct task *task;
    enum status status = task_new(&task, x, sizeof(struct detecting), err);
    if (status != STATUS_OK)
        return status;
    *(struct detecting *)task->owner =
        (struct detecting){ .wish = *wish, .json = json_incref(json) };
    task->work = detect;
    task->done = answer;
    task->release = release;
    task_start(task);
    return STATUS_OK;
}

static enum status take(const struct exchange *x, struct error *err)
{
    static const char *const names[] = { "text", NULL };
    struct v1_wish wish = { 0 };
    json_t *json;
    enum status status = v1_fields_read(&json, x->message->body, err);
    if (status == STATUS_OK)
        status = v1_fields_check(json, names, err);
    if (status == STATUS_OK)
        status = v1_wish_read_texts(&wish, &x->service->limits, json, err);
    if (status == STATUS_OK && !live_detector_is_there(x->service->detector))
        status = no_detector(err);
    if (status == STATUS_OK)
        status = start(x, &wish, json, err);
    json_decref(json);
    return status;
}

void post_v1_detect(struct exchange *x)
{
    struct error err;
    if (exchange_takes_json(x) && take(x, &err) != STATUS_OK)
        exchange_fail(x, &err);
}
