/*
 * translate.c - POST /translate, as LibreTranslate has it.
 *
 *     wish_read -> prepare (a task, where languages are detected or near suggestions read)
 *               -> start (a part of the call for each language) -> write_answer
 */
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "server/http/background.h"
#include "server/http/call.h"
#include "server/http/detect.h"
#include "server/http/parameters.h"
#include "server/http/routes.h"
#include "server/http/suggested.h"
#include "server/http/wish.h"
#include "server/store/suggestions.h"

/* What is kept of a wish until its answer: first by itself, then in the arena of its call. */
struct wanted {
    int text_count;
    int alternatives; // wanted
    bool is_list;
    bool is_auto;
    struct item {
        const struct call *part;
        int at; // its place among the part's texts
        char language[LANGUAGE_CODE_BYTES];
        double confidence; // 0..1
        const char **near; // (near_count) what was accepted for nearly the same text
        int near_count;
    } items[]; // (text_count)
};

/* ---- answering ---- */

static const struct engine_answer *answer_to(const struct item *item)
{
    return &item->part->request->answers[item->at];
}

static json_t *text_of(const struct wanted *t, const struct item *item)
{
    (void)t;
    return json_stringn(answer_to(item)->text, answer_to(item)->len);
}

static void add_alternative(const struct wanted *t, const struct item *item, json_t *list,
                            const char *text)
{
    if (json_array_size(list) >= (size_t)t->alternatives ||
        strcmp(text, answer_to(item)->text) == 0)
        return;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return;
    json_array_append_new(list, json_string(text));
}

/* What people accepted for nearly this text, then the model's. */
static json_t *alternatives_of(const struct wanted *t, const struct item *item)
{
    const struct engine_answer *answer = answer_to(item);
    json_t *list = json_array();
    for (int i = 0; i < item->near_count; i++)
        add_alternative(t, item, list, item->near[i]);
    for (int i = 0; i < answer->alternative_count; i++)
        add_alternative(t, item, list, answer->alternatives[i]);
    return list;
}

static json_t *language_of(const struct wanted *t, const struct item *item)
{
    (void)t;
    return json_pack("{s:o, s:s}", "confidence", detect_percent(item->confidence), "language",
                     item->language);
}

/* One of them, or all in a list. */
static json_t *each(const struct wanted *t,
                    json_t *(*value_of)(const struct wanted *t, const struct item *item))
{
    if (!t->is_list)
        return value_of(t, &t->items[0]);
    json_t *list = json_array();
    for (int i = 0; i < t->text_count; i++)
        json_array_append_new(list, value_of(t, &t->items[i]));
    return list;
}

static void write_answer(struct call *call)
{
    const struct wanted *t = call->context;
    if (call->status != STATUS_OK) {
        exchange_fail(&call->x, &call->err);
        return;
    }
    json_t *reply = json_object();
    if (t->alternatives > 0)
        json_object_set_new(reply, "alternatives", each(t, alternatives_of));
    if (t->is_auto)
        json_object_set_new(reply, "detectedLanguage", each(t, language_of));
    json_object_set_new(reply, "translatedText", each(t, text_of));
    exchange_json(&call->x, 200, reply);
}

/* ---- starting ---- */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
}

/* The texts of `items` whose language is that of the first, which has no part yet, as one part. */
static enum status fill_part(struct call *part, const struct wish *wish, struct item *items,
                             int first, struct error *err)
{
    const char *language = items[first].language;
    const struct pairs *pairs = &part->x.service->pairs;
    struct request *r = part->request;
    int at = 0;
    r->format = wish->format;
    r->n_best = wish->format == FORMAT_HTML ? 1 : 1 + wish->alternatives; // [] for HTML
    enum status status = STATUS_OK;
    for (int i = first; i < wish->text_count && status == STATUS_OK; i++) {
        if (strcmp(items[i].language, language) != 0)
            continue;
        const json_t *text = wish_text(wish, i);
        items[i].part = part;
        items[i].at = at;
        status = call_set_text(part, at++, json_string_value(text), json_string_length(text), err);
    }
    const bool is_unchanged =
        strcmp(language, wish->target) == 0 || !pairs_reach(pairs, language, wish->target);
    if (status == STATUS_OK && !is_unchanged && wish->format == FORMAT_TEXT)
        status = call_use_suggestions(part, language, wish->target, err);
    if (status == STATUS_OK && !is_unchanged)
        r->hop_count = pairs_find(pairs, language, wish->target, r->hops);
    return status;
}

static int count_alike(const struct item *items, int first, int text_count)
{
    int count = 0;
    for (int i = first; i < text_count; i++)
        count += strcmp(items[i].language, items[first].language) == 0;
    return count;
}

/* A part for each language; the first holds the translation. */
static enum status make_parts(struct call **out, const struct exchange *x, const struct wish *wish,
                              const struct wanted *wanted, struct error *err)
{
    const size_t bytes = sizeof *wanted + sizeof wanted->items[0] * (size_t)wish->text_count;
    struct call *first = call_new(x, count_alike(wanted->items, 0, wish->text_count));
    struct wanted *t = first ? arena_alloc(&first->request->arena, bytes) : NULL;
    *out = first;
    if (!t)
        return no_memory(err);
    memcpy(t, wanted, bytes);
    first->context = t;
    enum status status = fill_part(first, wish, t->items, 0, err);
    for (int i = 1; i < wish->text_count && status == STATUS_OK; i++) {
        if (t->items[i].part)
            continue;
        struct call *part = call_add(first, count_alike(t->items, i, wish->text_count));
        status = part ? fill_part(part, wish, t->items, i, err) : no_memory(err);
    }
    return status;
}

/* The near suggestions move from the task's arena into the call's. */
static enum status keep_near(struct call *call, struct error *err)
{
    struct arena *arena = &call->request->arena;
    struct wanted *t = call->context;
    for (int i = 0; i < t->text_count; i++) {
        struct item *item = &t->items[i];
        const char **kept = arena_array(arena, const char *, item->near_count);
        for (int k = 0; kept && k < item->near_count; k++) {
            kept[k] = arena_copy(arena, item->near[k], strlen(item->near[k]));
            if (!kept[k])
                return no_memory(err);
        }
        if (!kept && item->near_count > 0)
            return no_memory(err);
        item->near = kept;
    }
    return STATUS_OK;
}

static enum status start(const struct exchange *x, const struct wish *wish,
                         const struct wanted *wanted, struct error *err)
{
    struct call *call;
    enum status status = make_parts(&call, x, wish, wanted, err);
    if (status == STATUS_OK)
        status = keep_near(call, err);
    if (status == STATUS_OK) {
        call->answer = write_answer;
        status = call_submit(call, err);
    }
    if (status != STATUS_OK)
        call_free(call);
    return status;
}

static struct wanted *new_wanted(const struct wish *wish)
{
    const size_t item_bytes = sizeof(struct item) * (size_t)wish->text_count;
    struct wanted *t = memory_zeroed(1, sizeof *t + item_bytes);
    if (!t)
        return NULL;
    t->text_count = wish->text_count;
    t->alternatives = wish->alternatives;
    t->is_list = json_is_array(wish->q);
    t->is_auto = wish->is_auto;
    for (int i = 0; i < wish->text_count; i++)
        memcpy(t->items[i].language, wish->source, sizeof wish->source);
    return t;
}

/* ---- preparing, beside the loop ---- */

struct preparation { // of a task
    struct wish wish;
    json_t *parameters; // of the wish
    struct wanted *wanted;
    bool wants_near;
};

static enum status prepare_item(struct task *task, const struct preparation *prep, int i,
                                struct error *err)
{
    struct item *item = &prep->wanted->items[i];
    const json_t *text = wish_text(&prep->wish, i);
    struct db *db;
    enum status status = STATUS_OK;
    if (prep->wish.is_auto)
        status = detect_language(task->x.service->detector, json_string_value(text),
                                 json_string_length(text), &task->arena, item->language,
                                 &item->confidence, err);
    if (status == STATUS_OK && prep->wants_near)
        status = task_db(task, &db, err);
    if (status == STATUS_OK && prep->wants_near)
        status = suggestions_near(db, item->language, prep->wish.target, json_string_value(text),
                                  prep->wish.alternatives, &task->arena, &item->near,
                                  &item->near_count, err);
    return status;
}

static enum status prepare_items(struct task *task, struct error *err)
{
    const struct preparation *prep = task->owner;
    enum status status = STATUS_OK;
    for (int i = 0; i < prep->wish.text_count && status == STATUS_OK; i++)
        status = task_is_cancelled(task)
                     ? error_set(err, STATUS_CANCELLED, "the request was cancelled")
                     : prepare_item(task, prep, i, err);
    return status;
}

/* A text in no known language counts as English, with confidence 0; it is no error. */
static enum status check_detected(const struct pairs *pairs, const struct preparation *prep,
                                  struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < prep->wish.text_count && status == STATUS_OK; i++) {
        const struct item *item = &prep->wanted->items[i];
        if (!prep->wish.is_auto || item->confidence > 0)
            status = wish_check_pair(pairs, item->language, prep->wish.target, err);
    }
    return status;
}

static void go_on(struct task *task)
{
    const struct preparation *prep = task->owner;
    struct error err;
    exchange_resume(&task->x);
    enum status status = check_detected(&task->x.service->pairs, prep, &err);
    if (status == STATUS_OK)
        status = start(&task->x, &prep->wish, prep->wanted, &err);
    if (status != STATUS_OK)
        exchange_fail(&task->x, &err);
}

static void release(struct task *task)
{
    struct preparation *prep = task->owner;
    json_decref(prep->parameters);
    memory_free(prep->wanted);
}

/* Takes over the parameters and the translation, unless it fails. */
static enum status prepare(const struct exchange *x, const struct wish *wish, json_t *parameters,
                           struct wanted *t, bool wants_near, struct error *err)
{
    struct task *task;
    enum status status = task_new(&task, x, sizeof(struct preparation), err);
    if (status != STATUS_OK)
        return status;
    *(struct preparation *)task->owner = (struct preparation){
        .wish = *wish, .parameters = parameters, .wanted = t, .wants_near = wants_near
    };
    task->work = prepare_items;
    task->done = go_on;
    task->release = release;
    task_start(task);
    return STATUS_OK;
}

/* ---- the resource ---- */

static enum status take(const struct exchange *x, const struct wish *wish, json_t *p,
                        struct error *err)
{
    const bool wants_near = wish->alternatives > 0 && wish->format == FORMAT_TEXT &&
                            !suggested_is_empty(x->service->suggested);
    struct wanted *t = new_wanted(wish);
    if (!t)
        return no_memory(err);
    if (wish->is_auto || wants_near) {
        enum status status = prepare(x, wish, json_incref(p), t, wants_near, err);
        if (status == STATUS_OK)
            return STATUS_OK;
        json_decref(p);
        memory_free(t);
        return status;
    }
    enum status status = start(x, wish, t, err);
    memory_free(t);
    return status;
}

void post_translate(struct exchange *x)
{
    static const char *const names[] = { "q", "source", "target", "format", "alternatives", NULL };
    struct error err;
    struct wish wish = { 0 };
    json_t *p;
    enum status status = parameters_read(&p, x->message, names, &err);
    if (status == STATUS_OK)
        status = wish_read(&wish, x->service, p, &err);
    if (status == STATUS_OK)
        status = take(x, &wish, p, &err);
    if (status != STATUS_OK)
        exchange_fail(x, &err);
    json_decref(p);
}
