/*
 * word_links.c - pieces joined to words, and the alignment with them.
 */
#include "server/engine/word_links.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define SPACE_MARK "\xE2\x96\x81" // "▁", U+2581

/* Which word each piece belongs to, and the bytes of each word. */
struct grouping {
    int *word_of;       // (pieces)
    struct span *words; // (count)
    int count;
};

static bool starts_word(const struct vocabulary *v, int32_t id)
{
    return strncmp(vocabulary_piece(v, id)->text, SPACE_MARK, sizeof SPACE_MARK - 1) == 0;
}

/* A word begins at a "▁", if the one before it has any bytes; a last word without bytes is part of
 * the one before it. */
static bool group(const struct vocabulary *v, const int32_t *ids, const struct span *spans,
                  int pieces, struct arena *arena, struct grouping *out)
{
    struct span *words = arena_array(arena, struct span, pieces + 1);
    int *word_of = arena_array(arena, int, pieces + 1);
    int count = 0;
    if (!words || !word_of)
        return false;
    for (int i = 0; i < pieces; i++) {
        bool is_empty = count > 0 && words[count - 1].from == words[count - 1].to;
        if (count == 0 || (starts_word(v, ids[i]) && !is_empty))
            words[count++] = spans[i];
        struct span *word = &words[count - 1];
        if (word->from == word->to)
            *word = spans[i];
        else if (spans[i].to > word->to)
            word->to = spans[i].to;
        word_of[i] = count - 1;
    }
    if (count > 0 && words[count - 1].from == words[count - 1].to) {
        count--;
        for (int i = 0; i < pieces; i++)
            if (word_of[i] == count)
                word_of[i] = count - 1;
    }
    *out = (struct grouping){ .word_of = word_of, .words = words, .count = count };
    return true;
}

/* The spans of a hypothesis' pieces without the space in front of each. */
static struct span *trimmed_spans(const struct detokenised *text, int pieces, struct arena *arena)
{
    struct span *spans = arena_array(arena, struct span, pieces + 1);
    for (int i = 0; spans && i < pieces; i++) {
        struct span s = text->spans[i];
        int bytes;
        while (s.from < s.to &&
               character_is_space(utf8_next(text->text + s.from, s.to - s.from, &bytes)))
            s.from += (uint32_t)bytes;
        spans[i] = s;
    }
    return spans;
}

/* Add the row of each target piece to its word's, summed over the pieces of a source word, then
 * divide by the number of rows. */
static void add_up(const struct hypothesis *h, const struct grouping *source,
                   const struct grouping *target, int *pieces_in, float *weights)
{
    const int S = source->count, columns = S + 1;
    memset(weights, 0, sizeof *weights * (size_t)target->count * (size_t)columns);
    memset(pieces_in, 0, sizeof *pieces_in * (size_t)target->count);
    for (int t = 0; t < h->T; t++) {
        const float *row = h->alignment + (size_t)t * (size_t)h->S;
        float *sum = weights + (size_t)target->word_of[t] * (size_t)columns;
        for (int s = 0; s < h->S - 1; s++)
            sum[source->word_of[s]] += row[s];
        sum[S] += row[h->S - 1];
        pieces_in[target->word_of[t]]++;
    }
    for (int t = 0; t < target->count; t++)
        for (int s = 0; s < columns; s++)
            weights[(size_t)t * (size_t)columns + (size_t)s] /= (float)pieces_in[t];
}

enum status word_alignment(const struct vocabulary *vocabulary,
                           const struct engine_sentence *sentence, int hypothesis,
                           struct arena *arena, struct word_alignment *out, struct error *err)
{
    assert(hypothesis >= 0 && hypothesis < sentence->translation.count);
    const struct tokens *tokens = &sentence->tokens;
    const struct hypothesis *h = &sentence->translation.best[hypothesis];
    struct grouping source, target;
    struct span *spans = trimmed_spans(&sentence->texts[hypothesis], h->T, arena);
    assert(h->S == tokens->count + 1);
    if (!spans || !group(vocabulary, tokens->ids, tokens->spans, tokens->count, arena, &source) ||
        !group(vocabulary, h->ids, spans, h->T, arena, &target))
        goto no_memory;
    float *weights =
        arena_array(arena, float, (size_t)(target.count + 1) * (size_t)(source.count + 1));
    int *pieces_in = arena_array(arena, int, target.count + 1);
    if (!weights || !pieces_in)
        goto no_memory;
    if (target.count > 0) // an answer of nothing but spaces has no words
        add_up(h, &source, &target, pieces_in, weights);
    *out = (struct word_alignment){ .source = source.words,
                                    .target = target.words,
                                    .weights = weights,
                                    .S = source.count,
                                    .T = target.count };
    return STATUS_OK;

no_memory:
    return error_set(err, STATUS_NO_MEMORY,
                     "the alignment needs more memory than a request has: ask for fewer sentences");
}

void word_links(const struct word_alignment *alignment, int *links)
{
    const int S = alignment->S;
    for (int t = 0; t < alignment->T; t++) {
        const float *row = alignment->weights + (size_t)t * (size_t)(S + 1);
        int best = S;
        for (int s = S - 1; s >= 0; s--)
            if (row[s] >= row[best])
                best = s;
        links[t] = best == S ? -1 : best;
    }
}
