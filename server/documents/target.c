/*
 * target.c - target words with sums over the source words, and the best range of them.
 */
#include "server/documents/target.h"

#include <string.h>

#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

/* A word's weights of the source words; without attention a step that goes through them. */
static void sum_up(const struct word_alignment *words, int t, float *sums)
{
    const float *row = words->weights + (size_t)t * (size_t)(words->S + 1);
    float total = 0;
    for (int s = 0; s <= words->S; s++)
        total += row[s];
    const int alike = (int)((long)t * words->S / (words->T ? words->T : 1));
    sums[0] = 0;
    for (int s = 0; s < words->S; s++)
        sums[s + 1] = sums[s] + (total > 0 ? row[s] : s == alike ? 1.0f : 0.0f);
}

static bool is_mark(const char *text, struct span span)
{
    int bytes;
    return span.from < span.to &&
           character_is_punctuation(utf8_next(text + span.from, span.to - span.from, &bytes));
}

bool target_init(struct target *target, const struct word_alignment *words, const char *plain,
                 const char *text, uint32_t len, struct arena *arena)
{
    const size_t columns = (size_t)words->S + 1;
    float *sums = arena_array(arena, float, columns *(size_t)(words->T + 1));
    *target = (struct target){
        .plain = plain, .source = words->source, .S = words->S, .T = words->T, .len = len
    };
    target->words = arena_array(arena, struct target_word, words->T + 1);
    if (!sums || !target->words)
        return false;
    for (int t = 0; t < words->T; t++) {
        target->words[t] = (struct target_word){ .span = words->target[t],
                                                 .sums = sums + columns * (size_t)t,
                                                 .taken_by = -1,
                                                 .is_mark = is_mark(text, words->target[t]) };
        sum_up(words, t, target->words[t].sums);
    }
    return true;
}

void target_join(struct target *target, struct span span, struct range source)
{
    int from = 0, to;
    while (from < target->T && target->words[from].span.to <= span.from)
        from++;
    for (to = from; to < target->T && target->words[to].span.from < span.to; to++)
        ;
    if (from == to)
        return;
    struct target_word *word = &target->words[from];
    for (int t = from + 1; t < to; t++)
        for (int s = 0; s <= target->S; s++)
            word->sums[s] += target->words[t].sums[s];
    const int count = source.to - source.from;
    for (int s = 0; s <= target->S; s++) {
        const int inside = s < source.from ? 0 : s > source.to ? count : s - source.from;
        word->sums[s] =
            count > 0 ? (float)inside / (float)count : word->sums[s] / (float)(to - from);
    }
    word->is_mark = false;
    word->span.from = span.from < word->span.from ? span.from : word->span.from;
    word->span.to = target->words[to - 1].span.to;
    word->span.to = span.to > word->span.to ? span.to : word->span.to;
    word->is_replaced = true;
    memmove(word + 1, target->words + to, (size_t)(target->T - to) * sizeof *word);
    target->T -= to - from - 1;
}

/* The first source word that ends behind byte `at`, or begins at it or behind. */
static int first_source(const struct target *target, uint32_t at, bool by_end)
{
    int low = 0, high = target->S;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const struct span word = target->source[middle];
        if (by_end ? word.to > at : word.from >= at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct range target_source_words(const struct target *target, struct span plain)
{
    struct range range = { first_source(target, plain.from, true),
                           first_source(target, plain.to, false) };
    if (range.to < range.from)
        range.to = range.from;
    return range;
}

static float share_of(const struct target_word *word, struct range source)
{
    return word->sums[source.to] - word->sums[source.from];
}

static struct range best_range(const struct target *target, struct range source,
                               struct range within, enum range_ends ends, int by)
{
    struct range best = { within.from, within.from };
    float best_sum = 0, sum = 0;
    int from = within.from;
    if (ends == RANGE_AT_END) { // backwards
        best.from = best.to = within.to;
        for (int t = within.to - 1; t >= within.from && target->words[t].taken_by != by; t--) {
            sum += 2 * share_of(&target->words[t], source) - 1;
            if (sum > best_sum) {
                best_sum = sum;
                best.from = t;
            }
        }
        return best;
    }
    for (int t = within.from; t < within.to; t++) {
        const bool is_taken = target->words[t].taken_by == by;
        if (is_taken && ends == RANGE_AT_START)
            break;
        if (is_taken || (sum <= 0 && ends == RANGE_FREE)) {
            sum = 0;
            from = is_taken ? t + 1 : t;
        }
        if (!is_taken)
            sum += 2 * share_of(&target->words[t], source) - 1;
        if (!is_taken && sum > best_sum) {
            best_sum = sum;
            best = (struct range){ from, t + 1 };
        }
    }
    return best;
}

struct range target_looking_at(const struct target *target, struct range source,
                               struct range within, enum range_ends ends, int by)
{
    struct range best = best_range(target, source, within, ends, by);
    if (best.from == best.to || ends == RANGE_AT_END)
        return best;
    if (!is_mark(target->plain, target->source[source.to - 1]))
        while (best.to > best.from + 1 && target->words[best.to - 1].is_mark)
            best.to--;
    else if (best.to < within.to && target->words[best.to].is_mark &&
             target->words[best.to].taken_by != by)
        best.to++;
    return best;
}

int target_most_at(const struct target *target, int source, struct range within)
{
    const struct range one = { source, source + 1 };
    int best = within.from;
    for (int t = within.from + 1; t < within.to; t++)
        if (share_of(&target->words[t], one) > share_of(&target->words[best], one))
            best = t;
    return best;
}

struct span target_bytes(const struct target *target, struct range range)
{
    if (range.from < range.to)
        return (struct span){ target->words[range.from].span.from,
                              target->words[range.to - 1].span.to };
    const uint32_t at = range.from < target->T ? target->words[range.from].span.from : target->len;
    return (struct span){ at, at };
}

static bool touches(const char *plain, uint32_t at, bool before)
{
    const char c = before ? (at > 0 ? plain[at - 1] : ' ') : plain[at];
    return c != ' ' && c != '\n' && c != '\t' && c != '\0';
}

uint32_t target_place(const struct target *target, uint32_t at, struct range within)
{
    const struct span bytes = target_bytes(target, within);
    const int before = first_source(target, at, false) - 1;
    const int behind = first_source(target, at, true);
    if (within.from == within.to || before < 0)
        return bytes.from;
    if (behind == target->S)
        return bytes.to;
    if (!touches(target->plain, at, true) && touches(target->plain, at, false))
        return target->words[target_most_at(target, behind, within)].span.from;
    return target->words[target_most_at(target, before, within)].span.to;
}
