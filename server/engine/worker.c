/*
 * worker.c - one thread's way through the engine:
 *
 *     texts -> task: parts (sentences as pieces), a search each -> waits in the round
 *           -> let in, a sentence of each task in turn -> all in flight step -> texts -> answers
 */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "server/engine/align.h"
#include "server/engine/answer.h"
#include "server/engine/engine.h"
#include "server/engine/parts.h"
#include "server/engine/wanted.h"

struct engine_task {
    struct engine_task *next; // in the round
    const struct engine_text *texts;
    int text_count;
    struct arena *arena;
    struct parts *parts;           // (text_count)
    struct engine_answer *answers; // (sentence_count) of given pairs; NULL: of texts
    struct search *searches;       // (sentence_count) all texts' behind each other
    int sentence_count;
    int admitted;  // those before it have been let in, or need not be
    int in_flight; // of those let in
    enum status status;
    struct error err; // when it failed

    struct engine_listener *listener;
    struct told *told; // (text_count) what the listener knows
    struct engine_task *next_listening;
};

struct told {
    int sentences; // that are whole
    int pieces;    // of the next one
};

struct flight { // a sentence in the translator
    struct search *search;
    struct engine_task *task;
};

struct engine_worker {
    const struct engine *engine;
    struct engine_limits limits;
    struct translator *translator;
    struct flight *flights; // (limits.sentences)
    int in_flight;
    struct engine_task *first, *last; // the round: tasks with sentences that wait
    int waiting;                      // sentences of all of them
    struct engine_task *listening;    // tasks that have a listener and are not done
};

enum status engine_worker_new(struct engine_worker **out, const struct engine *engine,
                              const struct engine_limits *limits, struct error *err)
{
    *out = NULL;
    if (limits->pieces < 1 || limits->text_sentences < 1)
        return error_set(err, STATUS_BAD_USAGE,
                         "the limits of pieces a sentence (%d) and of sentences a text (%d) must "
                         "be at least 1",
                         limits->pieces, limits->text_sentences);
    struct engine_worker *w = memory_zeroed(1, sizeof *w);
    if (!w)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a worker");
    struct search_limits search = { .sentences = limits->sentences,
                                    .beam = limits->beam,
                                    .source_len = limits->pieces + 1 };
    w->engine = engine;
    w->limits = *limits;
    enum status status =
        translator_new_ensemble(&w->translator, engine_ensemble(engine), &search, err);
    if (status == STATUS_OK) {
        w->flights = memory_zeroed((size_t)limits->sentences, sizeof *w->flights);
        if (!w->flights)
            status = error_set(err, STATUS_NO_MEMORY, "no memory for a worker");
    }
    if (status != STATUS_OK) {
        engine_worker_free(w);
        return status;
    }
    *out = w;
    return STATUS_OK;
}

void engine_worker_free(struct engine_worker *worker)
{
    if (!worker)
        return;
    translator_free(worker->translator);
    memory_free(worker->flights);
    memory_free(worker);
}

/* ---- before: texts to searches ---- */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the texts need more memory than a request has: send fewer at once");
}

static enum status cut_texts(const struct engine_worker *w, struct engine_task *task,
                             struct error *err)
{
    task->parts = arena_array(task->arena, struct parts, task->text_count);
    if (!task->parts)
        return no_memory(err);
    for (int i = 0; i < task->text_count; i++) {
        enum status status =
            parts_of_text(engine_vocabulary(w->engine), &w->limits, task->texts[i].text,
                          task->texts[i].len, task->arena, &task->parts[i], err);
        if (status != STATUS_OK)
            return status;
        task->sentence_count += task->parts[i].count;
        if (task->sentence_count > w->limits.text_sentences)
            return error_set(err, STATUS_TOO_LARGE,
                             "the texts have more than %d sentences: send them in parts",
                             w->limits.text_sentences);
    }
    return STATUS_OK;
}

/* The pieces with </s> behind them. */
static bool make_source(const struct tokens *tokens, const atomic_bool *cancelled,
                        struct arena *arena, struct source *out)
{
    int32_t *ids = arena_array(arena, int32_t, tokens->count + 1);
    if (!ids)
        return false;
    if (tokens->count)
        memcpy(ids, tokens->ids, (size_t)tokens->count * sizeof *ids);
    ids[tokens->count] = ID_EOS;
    *out = (struct source){ .ids = ids, .len = tokens->count + 1, .cancelled = cancelled };
    return true;
}

/* What may be said of it, if the model has a shortlist. */
static bool limit_source(const struct engine *engine, struct arena *arena, struct source *source)
{
    const int shortlist = engine_shortlist(engine);
    if (shortlist == 0)
        return true;
    source->allowed = shortlist_choose(model_shortlist(engine_model(engine)), source->ids,
                                       source->len, shortlist, arena, &source->allowed_count);
    return source->allowed != NULL;
}

/* One part of a text, with the phrases that are its own. */
static enum status make_search(const struct engine_worker *w, const struct engine_text *text,
                               struct engine_sentence *part, int *next_phrase, struct arena *arena,
                               struct search *search, struct error *err)
{
    const int pieces_max = LENGTH_RATIO_MAX * (w->limits.pieces + 1);
    if (!make_source(&part->tokens, text->cancelled, arena, &search->source) ||
        !limit_source(w->engine, arena, &search->source))
        return no_memory(err);
    return wanted_choose(engine_vocabulary(w->engine), text, pieces_max, next_phrase, arena, part,
                         &search->source, err);
}

static enum status make_searches(const struct engine_worker *w, struct engine_task *task,
                                 const struct search_options *options, struct error *err)
{
    enum status status = STATUS_OK;
    int at = 0;
    task->searches = arena_array(task->arena, struct search, task->sentence_count);
    if (!task->searches)
        return no_memory(err);
    for (int i = 0; i < task->text_count; i++) {
        int next_phrase = 0;
        for (int k = 0; status == STATUS_OK && k < task->parts[i].count; k++) {
            struct search *search = &task->searches[at++];
            *search = (struct search){ .options = *options, .results = task->arena };
            status = make_search(w, &task->texts[i], &task->parts[i].list[k], &next_phrase,
                                 task->arena, search, err);
        }
    }
    return status;
}

/* ---- the round ---- */

static bool is_cancelled(const struct source *source)
{
    return source->cancelled && atomic_load(source->cancelled);
}

static bool is_waiting(const struct engine_task *task)
{
    return task->admitted < task->sentence_count;
}

static void join_round(struct engine_worker *w, struct engine_task *task)
{
    task->next = NULL;
    if (w->first)
        w->last->next = task;
    else
        w->first = task;
    w->last = task;
}

static struct engine_task *leave_round(struct engine_worker *w)
{
    struct engine_task *task = w->first;
    w->first = task->next;
    return task;
}

/* Nothing more of it is let in. */
static void fail_task(struct engine_worker *w, struct engine_task *task, const struct error *why)
{
    w->waiting -= task->sentence_count - task->admitted;
    task->admitted = task->sentence_count;
    task->status = why->status;
    task->err = *why;
}

/* Pass over what nobody wants any more, and let out who has nothing that waits. */
static void tidy_round(struct engine_worker *w)
{
    struct engine_task *task = w->first, *next;
    w->first = w->last = NULL;
    for (; task; task = next) {
        next = task->next;
        while (is_waiting(task) && is_cancelled(&task->searches[task->admitted].source)) {
            task->admitted++;
            w->waiting--;
        }
        if (is_waiting(task))
            join_round(w, task);
    }
}

/* A sentence of each task in turn, as long as there is room. */
static void admit(struct engine_worker *w)
{
    struct error err;
    while (w->first) {
        struct search *search = &w->first->searches[w->first->admitted];
        const enum status status = translator_add(w->translator, search, &err);
        if (status == STATUS_BUSY)
            return;
        struct engine_task *task = leave_round(w);
        if (status == STATUS_OK) {
            w->flights[w->in_flight++] = (struct flight){ search, task };
            w->waiting--;
            task->admitted++;
            task->in_flight++;
        } else {
            fail_task(w, task, &err);
        }
        if (is_waiting(task))
            join_round(w, task);
    }
}

static void collect(struct engine_worker *w)
{
    struct error err;
    for (int i = 0; i < w->in_flight;) {
        const struct flight flight = w->flights[i];
        if (!flight.search->done) {
            i++;
            continue;
        }
        w->flights[i] = w->flights[--w->in_flight];
        flight.task->in_flight--;
        if (flight.search->status == STATUS_NO_MEMORY) {
            (void)no_memory(&err);
            fail_task(w, flight.task, &err);
        }
    }
}

/* ---- after: hypotheses to answers ---- */

/* Texts of all hypotheses of one sentence. */
static enum status decode(const struct vocabulary *vocabulary,
                          const struct translation *translation, struct arena *arena,
                          struct engine_sentence *sentence, struct error *err)
{
    sentence->translation = *translation;
    sentence->truncated = translation->count > 0 && !translation->best[0].finished;
    sentence->texts = arena_array(arena, struct detokenised, translation->count);
    if (!sentence->texts)
        return no_memory(err);
    for (int k = 0; k < translation->count; k++) {
        const struct hypothesis *h = &translation->best[k];
        enum status status =
            tokenizer_decode(vocabulary, h->ids, h->T, arena, &sentence->texts[k], err);
        if (status == STATUS_NO_MEMORY)
            return no_memory(err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status make_answer(const struct vocabulary *vocabulary, const struct engine_text *text,
                               const struct parts *parts, const struct search *searches,
                               struct arena *arena, struct engine_answer *out, struct error *err)
{
    for (int k = 0; k < parts->count; k++) {
        enum status status =
            decode(vocabulary, &searches[k].translation, arena, &parts->list[k], err);
        if (status == STATUS_OK)
            status = wanted_find(&searches[k].source, arena, &parts->list[k], err);
        if (status != STATUS_OK)
            return status;
    }
    return answer_compose(text->text, text->len, parts->list, parts->count, arena, out, err);
}

/* ---- meanwhile: what is certain ---- */

/* Where the sentence behind the one that is told begins. */
static uint32_t next_sentence(const struct engine_task *task, int text)
{
    const int next = task->told[text].sentences + 1;
    return next < task->parts[text].count ? task->parts[text].list[next].source.from
                                          : (uint32_t)task->texts[text].len;
}

static bool tell(const struct engine_worker *w, const struct engine_task *task, int text,
                 const struct search *search, const struct hypothesis *certain)
{
    struct error err;
    struct hypothesis copy = *certain;
    const struct translation translation = { .best = &copy, .count = 1 };
    struct engine_sentence so_far = task->parts[text].list[task->told[text].sentences];
    if (decode(engine_vocabulary(w->engine), &translation, task->arena, &so_far, &err) !=
            STATUS_OK ||
        wanted_find(&search->source, task->arena, &so_far, &err) != STATUS_OK)
        return false;
    task->listener->on_sentence(task->listener, text, &so_far, next_sentence(task, text),
                                search->done);
    return true;
}

/* Sentences that are done, then what is new of the one that goes on. Where there is no memory for
 * that, it comes with the next step. */
static void tell_text(const struct engine_worker *w, const struct engine_task *task, int text,
                      const struct search *searches)
{
    struct told *told = &task->told[text];
    bool goes_on = true;
    while (goes_on && told->sentences < task->parts[text].count) {
        const struct search *search = &searches[told->sentences];
        const struct arena_mark mark = arena_mark(task->arena);
        struct hypothesis certain;
        if (search->done && search->translation.count > 0) {
            goes_on = tell(w, task, text, search, &search->translation.best[0]);
            if (goes_on)
                *told = (struct told){ .sentences = told->sentences + 1 };
        } else {
            goes_on = false;
            if (translator_certain(w->translator, search, told->pieces, task->arena, &certain) &&
                tell(w, task, text, search, &certain))
                told->pieces = certain.T;
        }
        arena_rewind(task->arena, mark);
    }
}

static void tell_listeners(struct engine_worker *w)
{
    struct engine_task **at = &w->listening;
    while (*at) {
        struct engine_task *task = *at;
        const struct search *searches = task->searches;
        for (int i = 0; i < task->text_count; i++) {
            tell_text(w, task, i, searches);
            searches += task->parts[i].count;
        }
        if (engine_task_is_done(task))
            *at = task->next_listening;
        else
            at = &task->next_listening;
    }
}

/* ---- a task ---- */

enum status engine_begin(struct engine_worker *worker, const struct engine_text *texts, int count,
                         const struct search_options *options, struct arena *arena,
                         struct engine_task **out, struct error *err)
{
    *out = NULL;
    struct engine_task *task = arena_array(arena, struct engine_task, 1);
    if (!task)
        return no_memory(err);
    *task = (struct engine_task){ .texts = texts, .text_count = count, .arena = arena };
    enum status status = cut_texts(worker, task, err);
    if (status == STATUS_OK)
        status = make_searches(worker, task, options, err);
    if (status != STATUS_OK)
        return status;
    worker->waiting += task->sentence_count;
    if (is_waiting(task))
        join_round(worker, task);
    *out = task;
    return STATUS_OK;
}

enum status engine_begin_pairs(struct engine_worker *worker, const struct engine_pair *pairs,
                               int count, struct arena *arena, struct engine_task **out,
                               struct error *err)
{
    *out = NULL;
    struct engine_task *task = arena_array(arena, struct engine_task, 1);
    if (!task)
        return no_memory(err);
    *task = (struct engine_task){ .arena = arena, .sentence_count = count };
    task->searches = arena_array(arena, struct search, count);
    task->answers = arena_array(arena, struct engine_answer, count);
    if (!task->searches || !task->answers)
        return no_memory(err);
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        task->searches[i] = (struct search){ .options = align_options(), .results = arena };
        status = align_prepare(engine_vocabulary(worker->engine), &pairs[i], arena,
                               &task->searches[i].source, &task->answers[i], err);
    }
    if (status != STATUS_OK)
        return status;
    worker->waiting += count;
    if (is_waiting(task))
        join_round(worker, task);
    *out = task;
    return STATUS_OK;
}

void engine_step(struct engine_worker *worker)
{
    if (!worker->first && worker->in_flight == 0)
        return;
    if (translator_is_time_to_add(worker->translator, worker->waiting))
        admit(worker);
    translator_step(worker->translator);
    collect(worker);
    tidy_round(worker);
    tell_listeners(worker);
}

bool engine_task_is_done(const struct engine_task *task)
{
    return !is_waiting(task) && task->in_flight == 0;
}

void engine_listen(struct engine_worker *worker, struct engine_task *task,
                   struct engine_listener *listener)
{
    task->told = arena_array(task->arena, struct told, task->text_count);
    if (!task->told || engine_task_is_done(task))
        return; // nothing is told before the answer
    memset(task->told, 0, (size_t)task->text_count * sizeof *task->told);
    task->listener = listener;
    task->next_listening = worker->listening;
    worker->listening = task;
}

enum status engine_finish(struct engine_worker *worker, struct engine_task *task,
                          struct engine_answer *out, struct error *err)
{
    enum status status = task->status;
    assert(engine_task_is_done(task));
    if (status != STATUS_OK)
        return error_set(err, status, "%s", task->err.text);
    const struct search *searches = task->searches;
    for (int i = 0; task->answers && i < task->sentence_count; i++) {
        align_explain(&searches[i].translation, &task->answers[i]);
        out[i] = task->answers[i];
    }
    for (int i = 0; status == STATUS_OK && i < task->text_count; i++) {
        status = make_answer(engine_vocabulary(worker->engine), &task->texts[i], &task->parts[i],
                             searches, task->arena, &out[i], err);
        searches += task->parts[i].count;
    }
    return status;
}

enum status engine_translate(struct engine_worker *worker, const struct engine_text *texts,
                             int count, const struct search_options *options, struct arena *arena,
                             struct engine_answer *out, struct error *err)
{
    struct engine_task *task;
    enum status status = engine_begin(worker, texts, count, options, arena, &task, err);
    if (status != STATUS_OK)
        return status;
    while (!engine_task_is_done(task))
        engine_step(worker);
    return engine_finish(worker, task, out, err);
}
