/*
 * align_links.c - rows of attention to links, in the words of one of the models or of the text.
 */
#include "server/cmd/align_links.h"

#include "server/engine/word_links.h"

void align_links_release(struct align_links *links)
{
    links_release(&links->of[0]);
    links_release(&links->of[1]);
    links_release(&links->scratch);
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the links of a pair");
}

/* ---- of one model ---- */

static bool add(struct links *links, bool swapped, int looked_at, int said)
{
    return swapped ? links_add(links, said, looked_at) : links_add(links, looked_at, said);
}

static float weight_of(const struct word_alignment *words, int s, int t)
{
    return words->weights[(size_t)t * (size_t)(words->S + 1) + (size_t)s];
}

static bool link_above(const struct word_alignment *words, double threshold, bool swapped,
                       struct links *links)
{
    for (int t = 0; t < words->T; t++)
        for (int s = 0; s < words->S; s++)
            if ((double)weight_of(words, s, t) >= threshold && !add(links, swapped, s, t))
                return false;
    return true;
}

static bool link_each_said(const struct word_alignment *words, bool swapped, struct links *links)
{
    for (int t = 0; t < words->T; t++)
        if (words->links[t] >= 0 && !add(links, swapped, words->links[t], t))
            return false;
    return true;
}

static bool link_each_read(const struct word_alignment *words, bool swapped, struct links *links)
{
    for (int s = 0; s < words->S; s++) {
        int best = 0;
        for (int t = 1; t < words->T; t++)
            if (weight_of(words, s, t) > weight_of(words, s, best))
                best = t;
        if (words->T > 0 && weight_of(words, s, best) > 0 && !add(links, swapped, s, best))
            return false;
    }
    return true;
}

static bool links_of(const struct word_alignment *words, const struct link_rule *rule, bool swapped,
                     struct links *links)
{
    links_clear(links);
    if (rule->threshold > 0)
        return link_above(words, rule->threshold, swapped, links);
    return rule->said ? link_each_said(words, swapped, links)
                      : link_each_read(words, swapped, links);
}

static struct word_spans spans_of(const struct word_alignment *words, bool swapped)
{
    if (swapped)
        return (struct word_spans){ words->target, words->source, words->T, words->S };
    return (struct word_spans){ words->source, words->target, words->S, words->T };
}

/* ---- of all ---- */

enum status align_links_find(struct align_links *links, const struct align_answers *found,
                             const struct link_rule *rule, struct error *err)
{
    for (int k = 0; k < found->model_count; k++) {
        const struct align_answer *model = &found->models[k];
        struct word_alignment words;
        enum status status =
            word_alignment(engine_vocabulary(model->engine), &model->answer->sentences[0], 0,
                           found->arena, &words, err);
        if (status != STATUS_OK)
            return status;
        const struct word_spans spans = spans_of(&words, model->swapped);
        bool ok;
        if (k == 0) {
            links->words = spans;
            ok = links_of(&words, rule, model->swapped, &links->of[0]);
        } else { // another vocabulary may make other words
            ok = links_of(&words, rule, model->swapped, &links->scratch) &&
                 links_map(&links->scratch, &spans, &links->words, &links->of[k]);
        }
        if (!ok)
            return no_memory(err);
    }
    return STATUS_OK;
}

/* ---- the words of a text ---- */

static bool split(const struct engine_text *text, struct arena *arena, const struct span **out,
                  int *count)
{
    struct span *words = arena_array(arena, struct span, text->len / 2 + 1);
    if (!words)
        return false;
    *count = links_text_words(text->text, text->len, words);
    *out = words;
    return true;
}

enum status align_text_words(const struct engine_pair *pair, struct arena *arena,
                             struct word_spans *out, struct error *err)
{
    if (split(&pair->source, arena, &out->source, &out->S) &&
        split(&pair->target, arena, &out->target, &out->T))
        return STATUS_OK;
    return no_memory(err);
}
