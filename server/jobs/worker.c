/* worker.c - one inference thread. */
#include "server/jobs/worker.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/http/metrics.h"
#include "server/jobs/storing.h"

#define SERVED_MAX (2 * MODELS_MAX) // those that are live, and old ones that are still in use

struct flight { // a request on its way through the engine
    struct request *request;
    struct engine_worker *engine;
    struct engine_task *task;
    int64_t since_ns;
};

struct served {               // a model that this thread translates with
    struct live_model *model; // a reference
    struct engine_worker *engine;
};

struct worker {
    pthread_t thread;
    struct queue *queue;
    struct registry *registry;
    struct worker_limits limits;
    struct served served[SERVED_MAX]; // (served_count)
    int served_count;
    unsigned calls;         // of the queue, heard
    bool has_changed;       // the registry has, since served was put right
    struct request **taken; // (limits.batch)
    struct flight *flights; // (limits.batch)
    int in_flight;
};

/* ---- models ---- */

static struct engine_worker *find_engine(const struct worker *w, const struct live_model *model)
{
    for (int i = 0; i < w->served_count; i++)
        if (w->served[i].model == model)
            return w->served[i].engine;
    return NULL;
}

/* Makes the engine of a model that has none yet. */
static enum status engine_for(struct worker *w, struct live_model *model,
                              struct engine_worker **out, struct error *err)
{
    *out = find_engine(w, model);
    if (*out)
        return STATUS_OK;
    const struct worker_limits *limits = &w->limits;
    const struct engine_limits engine_limits = {
        .sentences = limits->batch,
        .beam = limits->n_best > limits->beam ? limits->n_best : limits->beam,
        .pieces = limits->pieces,
        .text_sentences = limits->sentences,
    };
    if (w->served_count == SERVED_MAX)
        return error_set(err, STATUS_BUSY, "too many models at once: try again in a while");
    enum status status = engine_worker_new(out, live_model_engine(model), &engine_limits, err);
    if (status != STATUS_OK)
        return error_while(err, "preparing %s: ", live_model_name(model));
    w->served[w->served_count++] = (struct served){ live_model_take(model), *out };
    return STATUS_OK;
}

/* An engine for every live model. */
static enum status serve_models(struct worker *w, const struct live_models *models,
                                struct error *err)
{
    struct engine_worker *engine;
    enum status status = STATUS_OK;
    for (int i = 0; i < models->count && status == STATUS_OK; i++)
        status = engine_for(w, models->at[i], &engine, err);
    return status;
}

static void forget(struct worker *w, int i)
{
    engine_worker_free(w->served[i].engine);
    live_model_release(w->served[i].model);
    w->served[i] = w->served[--w->served_count];
}

static bool is_in_use(const struct worker *w, const struct engine_worker *engine)
{
    for (int i = 0; i < w->in_flight; i++)
        if (w->flights[i].engine == engine)
            return true;
    return false;
}

static bool is_among(const struct live_models *models, const struct live_model *model)
{
    for (int i = 0; i < models->count; i++)
        if (models->at[i] == model)
            return true;
    return false;
}

/* Old models go when nothing of theirs is in flight, so that their memory returns. A new one that
 * cannot be prepared now is tried again when it is asked for. */
static void follow_registry(struct worker *w)
{
    if (!w->has_changed)
        return;
    w->has_changed = false;
    struct live_models *models = registry_models(w->registry);
    for (int i = w->served_count - 1; i >= 0; i--) {
        if (is_among(models, w->served[i].model))
            continue;
        if (is_in_use(w, w->served[i].engine))
            w->has_changed = true;
        else
            forget(w, i);
    }
    (void)serve_models(w, models, NULL);
    live_models_release(models);
}

/* ---- in ---- */

static struct search_options search_of(const struct worker *w, const struct request *r)
{
    struct search_options options = search_options_default();
    options.n_best = request_n_best(r);
    options.beam = r->beam ? r->beam : w->limits.beam;
    if (options.beam < options.n_best)
        options.beam = options.n_best;
    return options;
}

/* A full arena, in words for who sent the request. */
static enum status for_client(enum status status, struct error *err)
{
    if (status != STATUS_NO_MEMORY)
        return status;
    return error_set(err, STATUS_TOO_LARGE,
                     "the translation needs more memory than a request has: send it in parts");
}

/* Keeps what was sent: the texts of the next hop take its place, or none where an answer was
 * suggested. */
static enum status keep_sent(struct request *r, struct error *err)
{
    struct engine_text *sent = r->texts;
    if (r->hop_count > 1 || r->suggested) {
        sent = arena_array(&r->arena, struct engine_text, r->text_count);
        if (!sent)
            return for_client(STATUS_NO_MEMORY, err);
        memcpy(sent, r->texts, sizeof *sent * (size_t)r->text_count);
    }
    for (int i = 0; r->suggested && i < r->text_count; i++)
        if (r->suggested[i].text)
            r->texts[i] = (struct engine_text){ .text = "" };
    r->sent = sent;
    r->begun_ns = clock_now_ns();
    return STATUS_OK;
}

/* What a first model made has the glossary's translations, which are to stay. */
static enum status open_documents(struct request *r, struct engine_text **plain)
{
    const struct document_options options = {
        .format = r->format,
        .glossary = r->glossary,
        .side = r->hop == 0 ? GLOSSARY_TERMS : GLOSSARY_TRANSLATIONS,
    };
    const int64_t started_ns = clock_now_ns();
    enum status status =
        documents_open(&options, r->texts, r->text_count, &r->arena, &r->documents, plain, &r->err);
    metric_observe(STAGE_DOCUMENTS, clock_now_ns() - started_ns);
    return status;
}

static enum status begin_given(struct request *r, struct flight *flight)
{
    struct engine_pair *pairs = arena_array(&r->arena, struct engine_pair, r->text_count);
    for (int i = 0; pairs && i < r->text_count; i++)
        pairs[i] = (struct engine_pair){ r->texts[i], r->given[i] };
    return pairs ? engine_begin_pairs(flight->engine, pairs, r->text_count, &r->arena,
                                      &flight->task, &r->err)
                 : STATUS_NO_MEMORY;
}

static enum status begin_texts(struct request *r, const struct search_options *options,
                               struct flight *flight)
{
    struct engine_text *plain;
    enum status status = open_documents(r, &plain);
    if (status != STATUS_OK)
        return status;
    const int64_t started_ns = clock_now_ns();
    status = engine_begin(flight->engine, plain, r->text_count, options, &r->arena, &flight->task,
                          &r->err);
    metric_observe(STAGE_TOKENISE, clock_now_ns() - started_ns);
    if (status == STATUS_TOO_LARGE)
        metric_limit(LIMIT_SENTENCES);
    if (status == STATUS_OK && r->listener && r->hop == r->hop_count - 1)
        engine_listen(flight->engine, flight->task, r->listener);
    return status;
}

static enum status begin(struct worker *w, struct request *r, struct flight *flight)
{
    const struct search_options options = search_of(w, r);
    r->beam_used = options.beam;
    atomic_store(&r->holders, 1);
    if (r->hop == 0 && keep_sent(r, &r->err) != STATUS_OK)
        return r->err.status;
    enum status status = engine_for(w, request_model(r), &flight->engine, &r->err);
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? STATUS_BUSY : status;
    for (int i = 0; i < r->text_count; i++)
        r->texts[i].cancelled = &r->cancelled;
    status = r->given ? begin_given(r, flight) : begin_texts(r, &options, flight);
    return for_client(status, &r->err);
}

static void take(struct worker *w, struct request *r)
{
    struct flight flight = { .request = r };
    metric_observe(STAGE_QUEUE, clock_now_ns() - r->queued_ns);
    r->status = begin(w, r, &flight);
    flight.since_ns = clock_now_ns();
    if (r->status != STATUS_OK) {
        queue_give(w->queue, r);
        return;
    }
    w->flights[w->in_flight++] = flight;
    metric_add(METRIC_RUNNING, 1);
}

/* Waits when there is nothing else to do; false when the queue has stopped. */
static bool take_requests(struct worker *w)
{
    const bool is_idle = w->in_flight == 0;
    const int room = w->limits.batch - w->in_flight;
    const unsigned calls = w->calls;
    const int count = queue_take(w->queue, w->taken, room, is_idle, &w->calls);
    if (calls != w->calls)
        w->has_changed = true;
    for (int i = 0; i < count; i++)
        take(w, w->taken[i]);
    return count >= 0;
}

/* ---- out ---- */

static void count_sentences(const struct engine_answer *answer)
{
    metric_add(METRIC_SENTENCES, answer->sentence_count);
    for (int i = 0; i < answer->sentence_count; i++) {
        const struct engine_sentence *sentence = &answer->sentences[i];
        metric_add(METRIC_SOURCE_PIECES, sentence->tokens.count);
        if (sentence->translation.count > 0)
            metric_add(METRIC_TARGET_PIECES, sentence->translation.best[0].T);
        if (sentence->split)
            metric_limit(LIMIT_PIECES);
    }
}

static enum status answer_documents(struct request *r)
{
    const int64_t started_ns = clock_now_ns();
    enum status status = documents_answer(r->documents, r->text_count,
                                          engine_vocabulary(live_model_engine(request_model(r))),
                                          r->answers, &r->arena, r->answers, &r->err);
    metric_observe(STAGE_DOCUMENTS, clock_now_ns() - started_ns);
    return status;
}

static void answer_as_suggested(struct request *r)
{
    for (int i = 0; r->suggested && i < r->text_count; i++)
        if (r->suggested[i].text)
            r->answers[i] = (struct engine_answer){ .text = r->suggested[i].text,
                                                    .len = strlen(r->suggested[i].text) };
}

static enum status compose(const struct flight *flight)
{
    struct request *r = flight->request;
    const int64_t started_ns = clock_now_ns();
    r->answers = arena_array(&r->arena, struct engine_answer, r->text_count);
    if (!r->answers)
        return STATUS_NO_MEMORY;
    enum status status = engine_finish(flight->engine, flight->task, r->answers, &r->err);
    metric_observe(STAGE_DETOKENISE, clock_now_ns() - started_ns);
    if (status == STATUS_OK && !r->given)
        status = answer_documents(r);
    for (int i = 0; status == STATUS_OK && i < r->text_count; i++)
        count_sentences(&r->answers[i]);
    return status;
}

/* The answers of this hop are the texts of the next, if there is one. */
static enum status finish(const struct worker *w, const struct flight *flight)
{
    struct request *r = flight->request;
    if (atomic_load(&r->cancelled))
        return error_set(&r->err, STATUS_CANCELLED, "the request was cancelled");
    enum status status = compose(flight);
    const bool has_next = r->hop + 1 < r->hop_count;
    for (int i = 0; has_next && status == STATUS_OK && i < r->text_count; i++) {
        r->texts[i].text = r->answers[i].text;
        r->texts[i].len = r->answers[i].len;
    }
    if (!has_next && status == STATUS_OK) {
        answer_as_suggested(r);
        status = storing_add(w->limits.journal, w->queue, r, &r->err);
    }
    if (!has_next && status == STATUS_OK && r->on_answers)
        status = r->on_answers(r, &r->err);
    return for_client(status, &r->err);
}

static void give_done(struct worker *w)
{
    for (int i = 0; i < w->in_flight;) {
        const struct flight flight = w->flights[i];
        if (!engine_task_is_done(flight.task)) {
            i++;
            continue;
        }
        w->flights[i] = w->flights[--w->in_flight];
        const int64_t done_ns = clock_now_ns();
        metric_observe(STAGE_DECODE, done_ns - flight.since_ns);
        flight.request->status = finish(w, &flight);
        metric_add(METRIC_RUNNING, -1);
        storing_give(w->queue, flight.request);
    }
}

static void *work(void *context)
{
    struct worker *w = context;
    while (take_requests(w)) {
        for (int i = 0; i < w->served_count; i++)
            engine_step(w->served[i].engine);
        give_done(w);
        follow_registry(w);
    }
    return NULL;
}

/* ---- life ---- */

static void free_worker(struct worker *w)
{
    while (w->served_count > 0)
        forget(w, w->served_count - 1);
    memory_free(w->taken);
    memory_free(w->flights);
    memory_free(w);
}

static enum status prepare(struct worker *w, struct error *err)
{
    w->taken = memory_zeroed((size_t)w->limits.batch, sizeof *w->taken);
    w->flights = memory_zeroed((size_t)w->limits.batch, sizeof *w->flights);
    if (!w->taken || !w->flights)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a worker thread");
    struct live_models *models = registry_models(w->registry);
    enum status status = serve_models(w, models, err);
    live_models_release(models);
    return status;
}

enum status worker_start(struct worker **out, struct queue *queue, struct registry *registry,
                         const struct worker_limits *limits, struct error *err)
{
    *out = NULL;
    struct worker *w = memory_zeroed(1, sizeof *w);
    if (!w)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a worker thread");
    w->queue = queue;
    w->registry = registry;
    w->limits = *limits;
    enum status status = prepare(w, err);
    if (status == STATUS_OK && pthread_create(&w->thread, NULL, work, w) != 0)
        status = error_set(err, STATUS_NO_MEMORY, "a worker thread cannot be started");
    if (status != STATUS_OK) {
        free_worker(w);
        return status;
    }
    *out = w;
    return STATUS_OK;
}

void worker_join(struct worker *worker)
{
    if (!worker)
        return;
    pthread_join(worker->thread, NULL);
    free_worker(worker);
}
