/*
 * wanted.c - phrases to pieces before the search, pieces to places after it.
 */
#include "server/engine/wanted.h"

#include <stdbool.h>
#include <string.h>

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the texts need more memory than a request has: send fewer at once");
}

/* The phrase as pieces, if the search can have it; count 0: it cannot. */
static enum status encode(const struct vocabulary *vocabulary, const struct engine_phrase *phrase,
                          struct arena *arena, struct phrase *out, struct error *err)
{
    struct tokens tokens;
    *out = (struct phrase){ 0 };
    enum status status =
        tokenizer_encode(vocabulary, phrase->target, phrase->len, arena, &tokens, err);
    if (status == STATUS_NO_MEMORY)
        return no_memory(err);
    if (status == STATUS_OK && tokens.count <= PHRASE_PIECES_MAX)
        *out = (struct phrase){ .ids = tokens.ids, .count = tokens.count };
    return status;
}

/* Of the text's phrases from..to-1 those that the search can have. */
static enum status choose(const struct vocabulary *vocabulary, const struct engine_text *text,
                          int from, int to, int pieces_max, struct arena *arena,
                          struct phrase *list, struct engine_sentence *sentence, struct error *err)
{
    enum status status = STATUS_OK;
    int pieces = 0;
    for (int i = from; status == STATUS_OK && i < to && sentence->phrase_count < PHRASES_MAX; i++) {
        struct phrase *phrase = &list[sentence->phrase_count];
        status = encode(vocabulary, &text->phrases[i], arena, phrase, err);
        if (status != STATUS_OK || phrase->count == 0 || pieces + phrase->count > pieces_max)
            continue;
        pieces += phrase->count;
        sentence->phrases[sentence->phrase_count++] = i;
    }
    return status;
}

enum status wanted_choose(const struct vocabulary *vocabulary, const struct engine_text *text,
                          int pieces_max, int *next, struct arena *arena,
                          struct engine_sentence *sentence, struct source *source,
                          struct error *err)
{
    int from = *next;
    while (from < text->phrase_count && text->phrases[from].source.from < sentence->source.from)
        from++;
    int to = from;
    while (to < text->phrase_count && text->phrases[to].source.from < sentence->source.to)
        to++;
    *next = to;
    if (from == to)
        return STATUS_OK;
    struct phrase *list = arena_array(arena, struct phrase, PHRASES_MAX);
    sentence->phrases = arena_array(arena, int, PHRASES_MAX);
    if (!list || !sentence->phrases)
        return no_memory(err);
    enum status status = choose(vocabulary, text, from, to, pieces_max, arena, list, sentence, err);
    source->phrases = list;
    source->phrase_count = sentence->phrase_count;
    return status;
}

/* ---- where they are ---- */

/* The first place of the phrase at or behind piece `from`; -1: none. */
static int find(const struct hypothesis *h, const struct phrase *phrase, int from)
{
    for (int at = from; at + phrase->count <= h->T; at++)
        if (memcmp(h->ids + at, phrase->ids, (size_t)phrase->count * sizeof *h->ids) == 0)
            return at;
    return -1;
}

static bool are_equal(const struct phrase *a, const struct phrase *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, (size_t)a->count * sizeof *a->ids) == 0;
}

/* Each in a place of its own: of equal ones the first in the source is the first in the target. */
static void find_all(const struct source *source, const struct hypothesis *h,
                     const struct detokenised *text, struct span *places)
{
    int at[PHRASES_MAX];
    for (int i = 0; i < source->phrase_count; i++) {
        const struct phrase *phrase = &source->phrases[i];
        int from = 0;
        for (int j = i - 1; j >= 0 && from == 0; j--)
            if (are_equal(phrase, &source->phrases[j]))
                from = at[j] < 0 ? h->T : at[j] + phrase->count;
        at[i] = find(h, phrase, from);
        places[i] = (struct span){ 0, 0 };
        if (at[i] >= 0)
            places[i] =
                (struct span){ text->spans[at[i]].from, text->spans[at[i] + phrase->count - 1].to };
    }
}

enum status wanted_find(const struct source *source, struct arena *arena,
                        struct engine_sentence *sentence, struct error *err)
{
    const int hypotheses = sentence->translation.count;
    if (sentence->phrase_count == 0)
        return STATUS_OK;
    sentence->phrase_places = arena_array(arena, struct span, hypotheses * sentence->phrase_count);
    if (!sentence->phrase_places)
        return no_memory(err);
    for (int k = 0; k < hypotheses; k++)
        find_all(source, &sentence->translation.best[k], &sentence->texts[k],
                 sentence->phrase_places + (size_t)k * (size_t)sentence->phrase_count);
    return STATUS_OK;
}
