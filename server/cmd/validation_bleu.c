/*
 * validation_bleu.c - the sentences are dealt to a team; texts are scored in order.
 */
#include "server/cmd/validation_bleu.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/threads.h"
#include "server/quality/quality.h"
#include "tokenizer/tokenizer.h"

#define IN_FLIGHT 32              // sentences of one thread
#define SEARCH_BYTES (256u << 20) // of results; only what they need is touched

struct bleu_job {
    const struct model *model;
    const struct vocabulary *vocabulary;
    const struct validation_set *set;
    int members;
    int longest;           // source, </s> included
    char **texts;          // (set->count)
    enum status *statuses; // (members)
    struct error *errors;  // (members)
};

/* Text of the best hypothesis, in memory of its own. */
static enum status take_text(const struct bleu_job *job, const struct translation *translation,
                             struct arena *arena, char **text, struct error *err)
{
    const struct hypothesis *best = &translation->best[0];
    struct detokenised out;
    enum status status = tokenizer_decode(job->vocabulary, best->ids, best->T, arena, &out, err);
    if (status != STATUS_OK)
        return status;
    *text = memory_copy_text(out.text);
    return *text ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a translation");
}

static enum status translate_share(const struct bleu_job *job, struct translator *translator,
                                   struct arena *arena, int member, struct error *err)
{
    struct search_options options = search_options_default();
    options.beam = 1;
    const int stride = job->members * IN_FLIGHT;
    for (int from = member * IN_FLIGHT; from < job->set->count; from += stride) {
        struct translation translations[IN_FLIGHT];
        int count = job->set->count - from < IN_FLIGHT ? job->set->count - from : IN_FLIGHT;
        arena_reset(arena);
        enum status status = translator_run(translator, job->set->sources + from, count, &options,
                                            arena, translations, err);
        for (int i = 0; i < count && status == STATUS_OK; i++)
            status = take_text(job, &translations[i], arena, &job->texts[from + i], err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void work(void *context, int member)
{
    const struct bleu_job *job = context;
    const struct search_limits limits = { .sentences = IN_FLIGHT,
                                          .beam = 1,
                                          .source_len = job->longest };
    struct error *err = &job->errors[member];
    struct translator *translator = NULL;
    struct arena arena = { 0 };
    enum status status = STATUS_OK;
    if (!arena_init(&arena, SEARCH_BYTES))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for translations");
    if (status == STATUS_OK)
        status = translator_new(&translator, job->model, &limits, err);
    if (status == STATUS_OK)
        status = translate_share(job, translator, &arena, member, err);
    job->statuses[member] = status;
    translator_free(translator);
    arena_release(&arena);
}

static enum status translate_all(struct bleu_job *job, struct error *err)
{
    struct team *team = team_new(job->members);
    if (!team)
        return error_set(err, STATUS_NO_MEMORY, "cannot start %d threads", job->members);
    team_run(team, work, job);
    team_free(team);
    for (int i = 0; i < job->members; i++)
        if (job->statuses[i] != STATUS_OK)
            return error_set(err, job->statuses[i], "%s", job->errors[i].text);
    return STATUS_OK;
}

static enum status score(const struct bleu_job *job, double *bleu, struct error *err)
{
    struct quality *quality;
    struct quality_scores scores;
    enum status status = quality_new(&quality, QUALITY_BLEU, err);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < job->set->count && status == STATUS_OK; i++)
        status = quality_add(quality, job->texts[i], (const char *const *)&job->set->references[i],
                             1, err);
    if (status == STATUS_OK) {
        quality_scores(quality, &scores);
        *bleu = scores.bleu;
    }
    quality_free(quality);
    return status;
}

enum status validation_bleu(const char *model_path, const struct vocabulary *vocabulary,
                            const struct validation_set *set, int threads, double *bleu,
                            struct error *err)
{
    struct model *model = NULL;
    struct bleu_job job = { .vocabulary = vocabulary, .set = set, .members = threads };
    for (int i = 0; i < set->count; i++)
        if (set->sources[i].len > job.longest)
            job.longest = set->sources[i].len;
    job.texts = memory_zeroed((size_t)set->count, sizeof *job.texts);
    job.statuses = memory_zeroed((size_t)threads, sizeof *job.statuses);
    job.errors = memory_zeroed((size_t)threads, sizeof *job.errors);

    enum status status = STATUS_OK;
    if (!job.texts || !job.statuses || !job.errors)
        status = error_set(err, STATUS_NO_MEMORY, "no memory to measure BLEU");
    if (status == STATUS_OK)
        status = model_load(&model, model_path, KIND_TRANSLATE, err);
    job.model = model;
    if (status == STATUS_OK)
        status = translate_all(&job, err);
    if (status == STATUS_OK)
        status = score(&job, bleu, err);
    for (int i = 0; job.texts && i < set->count; i++)
        memory_free(job.texts[i]);
    memory_free(job.texts);
    memory_free(job.statuses);
    memory_free(job.errors);
    model_free(model);
    return status;
}
