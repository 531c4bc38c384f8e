/*
 * align.c - pairs -> pieces of both -> a search that is forced to the target -> answers.
 */
#include "server/engine/align.h"

#include <string.h>

#include "base/memory.h"
#include "server/engine/parts.h"

struct aligner {
    const struct engine *engine;
    struct translator *translator;
};

enum status aligner_new(struct aligner **out, const struct engine *engine,
                        const struct aligner_limits *limits, struct error *err)
{
    const struct search_limits search = { .sentences = limits->pairs,
                                          .beam = 1,
                                          .source_len = limits->pieces + 1 };
    *out = NULL;
    struct aligner *a = memory_zeroed(1, sizeof *a);
    if (!a)
        return error_set(err, STATUS_NO_MEMORY, "no memory to align");
    a->engine = engine;
    enum status status =
        translator_new_ensemble(&a->translator, engine_ensemble(engine), &search, err);
    if (status != STATUS_OK) {
        aligner_free(a);
        return status;
    }
    *out = a;
    return STATUS_OK;
}

void aligner_free(struct aligner *aligner)
{
    if (!aligner)
        return;
    translator_free(aligner->translator);
    memory_free(aligner);
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the pairs need more memory than a request has: send fewer at once");
}

static enum status encode(const struct vocabulary *vocabulary, const struct engine_text *text,
                          struct arena *arena, struct tokens *tokens, struct error *err)
{
    if (text->len > ENGINE_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "the text is over the limit of %d bytes",
                         ENGINE_TEXT_BYTES_MAX);
    return parts_encode(vocabulary, text->text, (struct span){ 0, (uint32_t)text->len }, arena,
                        tokens, err);
}

/* The ids with </s> behind them; NULL: the arena is full. */
static const int32_t *with_end(const struct tokens *tokens, struct arena *arena)
{
    int32_t *ids = arena_array(arena, int32_t, tokens->count + 1);
    if (!ids)
        return NULL;
    if (tokens->count > 0)
        memcpy(ids, tokens->ids, (size_t)tokens->count * sizeof *ids);
    ids[tokens->count] = ID_EOS;
    return ids;
}

/* The target as the text of a hypothesis. */
static enum status give_target(const struct engine_text *target, const struct tokens *tokens,
                               struct arena *arena, struct engine_answer *answer, struct error *err)
{
    struct detokenised *text = arena_array(arena, struct detokenised, 1);
    char *copy = arena_copy(arena, target->text, target->len);
    if (!text || !copy)
        return no_memory(err);
    *text = (struct detokenised){ .text = copy, .len = target->len, .spans = tokens->spans };
    answer->text = copy;
    answer->len = target->len;
    answer->sentences[0].texts = text;
    answer->sentences[0].target = (struct span){ 0, (uint32_t)target->len };
    return STATUS_OK;
}

enum status align_prepare(const struct vocabulary *vocabulary, const struct engine_pair *pair,
                          struct arena *arena, struct source *source, struct engine_answer *answer,
                          struct error *err)
{
    struct tokens target;
    struct engine_sentence *sentence = arena_array(arena, struct engine_sentence, 1);
    if (!sentence)
        return no_memory(err);
    *sentence = (struct engine_sentence){ .source = { 0, (uint32_t)pair->source.len } };
    *answer = (struct engine_answer){ .sentences = sentence, .sentence_count = 1 };
    enum status status = encode(vocabulary, &pair->source, arena, &sentence->tokens, err);
    if (status == STATUS_OK)
        status = encode(vocabulary, &pair->target, arena, &target, err);
    if (status == STATUS_OK)
        status = give_target(&pair->target, &target, arena, answer, err);
    if (status != STATUS_OK)
        return status;
    *source = (struct source){ .ids = with_end(&sentence->tokens, arena),
                               .len = sentence->tokens.count + 1,
                               .cancelled = pair->source.cancelled,
                               .forced = with_end(&target, arena),
                               .forced_count = target.count + 1 };
    return source->ids && source->forced ? STATUS_OK : no_memory(err);
}

struct search_options align_options(void)
{
    return (struct search_options){ .beam = 1, .n_best = 1, .length_power = 0 };
}

void align_explain(const struct translation *found, struct engine_answer *answer)
{
    answer->sentences[0].translation = *found;
    if (found->count > 0)
        answer->score = found->best[0].score;
    else // cancelled
        answer->text = NULL;
}

enum status aligner_run(struct aligner *aligner, const struct engine_pair *pairs, int count,
                        struct arena *arena, struct engine_answer *out, struct error *err)
{
    const struct search_options options = align_options();
    struct source *sources = arena_array(arena, struct source, count);
    struct translation *found = arena_array(arena, struct translation, count);
    enum status status = sources && found ? STATUS_OK : no_memory(err);
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = align_prepare(engine_vocabulary(aligner->engine), &pairs[i], arena, &sources[i],
                               &out[i], err);
    if (status == STATUS_OK)
        status = translator_run(aligner->translator, sources, count, &options, arena, found, err);
    for (int i = 0; status == STATUS_OK && i < count; i++)
        align_explain(&found[i], &out[i]);
    return status;
}
