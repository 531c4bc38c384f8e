/* worker.c - one inference thread. */
#include "server/jobs/worker.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/sentences.h"

#define WORKER_ARENA_BYTES ((size_t)256 << 20) // results of a batch; untouched pages cost nothing
#define WORKER_ARENA_KEEP_BYTES ((size_t)32 << 20) // after a larger batch its memory is given back

struct worker {
    pthread_t thread;
    struct queue *queue;
    const struct registry *registry;
    struct worker_limits limits;
    struct engine_worker **engines; // (model_count) in the registry's order
    int model_count;
    struct arena arena;
};

/* ---- before ---- */

static enum status sentence_count(struct worker *w, const struct engine_text *text, int *count,
                                  struct error *err)
{
    struct sentences sentences;
    struct arena_mark mark = arena_mark(&w->arena);
    enum status status = sentences_split(text->text, text->len, &w->arena, &sentences, err);
    if (status == STATUS_OK)
        *count = sentences.count;
    arena_rewind(&w->arena, mark);
    return status;
}

static enum status check_sentences(struct worker *w, struct request *r)
{
    int total = 0;
    for (int i = 0; i < r->text_count; i++) {
        int count;
        enum status status = sentence_count(w, &r->texts[i], &count, &r->err);
        if (status != STATUS_OK)
            return status;
        total += count;
        if (total > w->limits.sentences)
            return error_set(&r->err, STATUS_TOO_LARGE,
                             "the request has more than %d sentences: send it in parts",
                             w->limits.sentences);
    }
    return STATUS_OK;
}

/* ---- after ---- */

static enum status no_room(struct request *r)
{
    return error_set(&r->err, STATUS_TOO_LARGE,
                     "the translation needs more memory than a request has: send it in parts");
}

static enum status keep_answer(struct request *r, const struct engine_answer *from,
                               struct answer *to)
{
    to->text = arena_copy(&r->arena, from->text, from->len);
    to->len = from->len;
    to->alternative_count = from->alternative_count;
    to->alternatives = arena_array(&r->arena, const char *, from->alternative_count);
    if (!to->text || !to->alternatives)
        return no_room(r);
    for (int i = 0; i < from->alternative_count; i++) {
        const char *text = from->alternatives[i];
        to->alternatives[i] = arena_copy(&r->arena, text, strlen(text));
        if (!to->alternatives[i])
            return no_room(r);
    }
    return STATUS_OK;
}

/* The answers of this hop are the texts of the next, if there is one. */
static enum status keep_answers(struct request *r, const struct engine_answer *answers)
{
    if (atomic_load(&r->cancelled))
        return error_set(&r->err, STATUS_CANCELLED, "the request was cancelled");
    r->answers = arena_array(&r->arena, struct answer, r->text_count);
    if (!r->answers)
        return no_room(r);
    for (int i = 0; i < r->text_count; i++) {
        enum status status = keep_answer(r, &answers[i], &r->answers[i]);
        if (status != STATUS_OK)
            return status;
        r->texts[i].text = r->answers[i].text;
        r->texts[i].len = r->answers[i].len;
    }
    return STATUS_OK;
}

/* ---- a batch ---- */

static struct engine_worker *engine_for(const struct worker *w, const struct live_model *model)
{
    int i = 0;
    while (registry_at(w->registry, i) != model) {
        i++;
        assert(i < w->model_count);
    }
    return w->engines[i];
}

static struct search_options search_of(const struct worker *w, const struct request *r)
{
    struct search_options options = search_options_default();
    options.n_best = request_n_best(r);
    options.beam = options.n_best > w->limits.beam ? options.n_best : w->limits.beam;
    return options;
}

static enum status translate(struct worker *w, struct request *const *batch, int count,
                             struct engine_answer **answers, struct error *err)
{
    int text_count = 0;
    for (int i = 0; i < count; i++)
        text_count += batch[i]->text_count;
    struct engine_text *texts = arena_array(&w->arena, struct engine_text, text_count);
    *answers = arena_array(&w->arena, struct engine_answer, text_count);
    if (!texts || !*answers)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a batch");

    int at = 0;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < batch[i]->text_count; k++) {
            texts[at] = batch[i]->texts[k];
            texts[at++].cancelled = &batch[i]->cancelled;
        }
    }
    struct search_options options = search_of(w, batch[0]);
    return engine_translate(engine_for(w, request_model(batch[0])), texts, text_count, &options,
                            &w->arena, *answers, err);
}

static void run_batch(struct worker *w, struct request *const *batch, int count)
{
    struct error err;
    struct engine_answer *answers;
    struct arena_mark mark = arena_mark(&w->arena);
    enum status status = translate(w, batch, count, &answers, &err);
    if (status == STATUS_OK) {
        for (int i = 0; i < count; i++) {
            batch[i]->status = keep_answers(batch[i], answers);
            answers += batch[i]->text_count;
        }
    } else if (count == 1) {
        batch[0]->err = err;
        batch[0]->status = status == STATUS_NO_MEMORY ? no_room(batch[0]) : status;
    }
    arena_rewind(&w->arena, mark);
    for (int i = 0; status != STATUS_OK && count > 1 && i < count; i++)
        run_batch(w, batch + i, 1);
}

/* Those over a limit are answered without the model. */
static void serve(struct worker *w, struct request *const *batch, int count)
{
    struct request *sound[BATCH_REQUESTS_MAX];
    int sound_count = 0;
    for (int i = 0; i < count; i++) {
        batch[i]->status = check_sentences(w, batch[i]);
        if (batch[i]->status == STATUS_OK)
            sound[sound_count++] = batch[i];
    }
    if (sound_count > 0)
        run_batch(w, sound, sound_count);
}

static void give_back_memory(struct worker *w)
{
    if (w->arena.peak <= WORKER_ARENA_KEEP_BYTES)
        return;
    arena_release(&w->arena);
    if (!arena_init(&w->arena, WORKER_ARENA_BYTES))
        w->arena = (struct arena){ 0 }; // every batch is refused until the next try
}

static void *work(void *context)
{
    struct worker *w = context;
    struct request *batch[BATCH_REQUESTS_MAX];
    int count;
    while ((count = queue_take(w->queue, batch)) > 0) {
        serve(w, batch, count);
        queue_give(w->queue, batch, count);
        give_back_memory(w);
    }
    return NULL;
}

/* ---- life ---- */

static void free_worker(struct worker *w)
{
    for (int i = 0; w->engines && i < w->model_count; i++)
        engine_worker_free(w->engines[i]);
    memory_free(w->engines);
    arena_release(&w->arena);
    memory_free(w);
}

static enum status prepare(struct worker *w, struct error *err)
{
    const struct worker_limits *limits = &w->limits;
    struct engine_limits engine_limits = {
        .sentences = limits->batch,
        .beam = limits->n_best > limits->beam ? limits->n_best : limits->beam,
        .pieces = limits->pieces,
        .text_sentences = limits->sentences,
    };
    w->model_count = registry_count(w->registry);
    w->engines = memory_zeroed((size_t)w->model_count, sizeof *w->engines);
    if (!w->engines || !arena_init(&w->arena, WORKER_ARENA_BYTES))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a worker thread");
    for (int i = 0; i < w->model_count; i++) {
        const struct live_model *model = registry_at(w->registry, i);
        enum status status =
            engine_worker_new(&w->engines[i], live_model_engine(model), &engine_limits, err);
        if (status != STATUS_OK) {
            error_while(err, "preparing %s: ", live_model_name(model));
            return status;
        }
    }
    return STATUS_OK;
}

enum status worker_start(struct worker **out, struct queue *queue, const struct registry *registry,
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
