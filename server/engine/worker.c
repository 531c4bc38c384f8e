/*
 * worker.c - one thread's way through the engine:
 *
 *     texts -> parts (sentences as pieces) -> translator_run, all together -> texts -> answers
 */
#include <string.h>

#include "base/memory.h"
#include "server/engine/answer.h"
#include "server/engine/engine.h"
#include "server/engine/parts.h"

struct engine_worker {
    const struct engine *engine;
    struct engine_limits limits;
    struct translator *translator;
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
    enum status status = translator_new(&w->translator, engine_model(engine), &search, err);
    if (status != STATUS_OK) {
        memory_free(w);
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
    memory_free(worker);
}

/* One call's sentences, all texts' behind each other. */
struct job {
    struct parts *parts;              // (count) of each text
    struct source *sources;           // (sentence_count)
    struct translation *translations; // (sentence_count)
    int sentence_count;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the texts need more memory than a request has: send fewer at once");
}

static enum status cut_texts(const struct engine_worker *w, const struct engine_text *texts,
                             int count, struct arena *arena, struct job *job, struct error *err)
{
    job->parts = arena_array(arena, struct parts, count);
    if (!job->parts)
        return no_memory(err);
    for (int i = 0; i < count; i++) {
        enum status status = parts_of_text(engine_vocabulary(w->engine), &w->limits, texts[i].text,
                                           texts[i].len, arena, &job->parts[i], err);
        if (status != STATUS_OK)
            return status;
        job->sentence_count += job->parts[i].count;
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

static enum status make_sources(const struct engine_text *texts, int count, struct arena *arena,
                                struct job *job, struct error *err)
{
    int at = 0;
    job->sources = arena_array(arena, struct source, job->sentence_count);
    job->translations = arena_array(arena, struct translation, job->sentence_count);
    if (!job->sources || !job->translations)
        return no_memory(err);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < job->parts[i].count; k++)
            if (!make_source(&job->parts[i].list[k].tokens, texts[i].cancelled, arena,
                             &job->sources[at++]))
                return no_memory(err);
    return STATUS_OK;
}

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
                               const struct parts *parts, const struct translation *translations,
                               struct arena *arena, struct engine_answer *out, struct error *err)
{
    for (int k = 0; k < parts->count; k++) {
        enum status status = decode(vocabulary, &translations[k], arena, &parts->list[k], err);
        if (status != STATUS_OK)
            return status;
    }
    return answer_compose(text->text, text->len, parts->list, parts->count, arena, out, err);
}

enum status engine_translate(struct engine_worker *worker, const struct engine_text *texts,
                             int count, const struct search_options *options, struct arena *arena,
                             struct engine_answer *out, struct error *err)
{
    struct job job = { 0 };
    enum status status = cut_texts(worker, texts, count, arena, &job, err);
    if (status == STATUS_OK)
        status = make_sources(texts, count, arena, &job, err);
    if (status == STATUS_OK && job.sentence_count > 0)
        status = translator_run(worker->translator, job.sources, job.sentence_count, options, arena,
                                job.translations, err);
    int at = 0;
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        status = make_answer(engine_vocabulary(worker->engine), &texts[i], &job.parts[i],
                             job.translations + at, arena, &out[i], err);
        at += job.parts[i].count;
    }
    return status;
}
