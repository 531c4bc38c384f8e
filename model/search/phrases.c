/*
 * phrases.c - which continuations of all rows the beam keeps when phrases are wanted.
 *
 * Looked at are the best 2k, as ever, the best of each row, and of each row
 * what brings each phrase it lacks a piece further. A phrase is met when the
 * hypothesis contains its pieces side by side; nothing of that is ever lost.
 */
#include "model/search/phrases.h"

#include <math.h>
#include <string.h>

void phrases_lay_out(struct phrases *phrases, struct arena *arena, int width, int count, int pieces)
{
    phrases->met = arena_array(arena, uint32_t, width);
    phrases->next_met = arena_array(arena, uint32_t, width);
    phrases->bank_counts = arena_array(arena, int, pieces + 1);
    phrases->choices = arena_array(arena, struct phrase_choice, width * (3 + count));
}

void phrases_start(struct phrases *phrases, const struct phrase *list, int count)
{
    phrases->list = list;
    phrases->count = count;
    phrases->pieces = 0;
    for (int i = 0; i < count; i++)
        phrases->pieces += list[i].count;
    phrases->met[0] = 0;
}

static bool has(uint32_t met, int phrase)
{
    return met >> phrase & 1;
}

static uint32_t all_of(const struct phrases *phrases)
{
    return ~(uint32_t)0 >> (PHRASES_MAX - phrases->count);
}

bool phrases_are_met(const struct phrases *phrases, int row)
{
    return phrases->met[row] == all_of(phrases);
}

/* ---- pieces of phrases ---- */

/* The last pieces of a hypothesis, the very last first. */
struct ending_pieces {
    int32_t ids[PHRASE_PIECES_MAX];
    int count;
};

/* Whether they are, in the end, the first `count` pieces of the phrase. */
static bool ends_in(const struct ending_pieces *last, const struct phrase *phrase, int count)
{
    if (count > last->count)
        return false;
    for (int i = 0; i < count; i++)
        if (last->ids[i] != phrase->ids[count - 1 - i])
            return false;
    return true;
}

/* Pieces of the longest beginning of the phrase that is not all of it. */
static int begun(const struct ending_pieces *last, const struct phrase *phrase)
{
    int count = phrase->count - 1;
    while (count > 0 && !ends_in(last, phrase, count))
        count--;
    return count;
}

static struct ending_pieces pieces_of(const struct beam *beam, int row)
{
    struct ending_pieces last;
    last.count = beam_last_pieces(beam, row, PHRASE_PIECES_MAX, last.ids);
    return last;
}

static struct ending_pieces and_then(const struct ending_pieces *before, int32_t id)
{
    struct ending_pieces last = { .ids = { id } };
    const int kept = before->count < PHRASE_PIECES_MAX ? before->count : PHRASE_PIECES_MAX - 1;
    memcpy(last.ids + 1, before->ids, (size_t)kept * sizeof id);
    last.count = kept + 1;
    return last;
}

static bool is_same(const struct phrase *a, const struct phrase *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, (size_t)a->count * sizeof *a->ids) == 0;
}

/* A phrase that is wanted twice is met twice, one after the other. */
static bool is_met_now(const struct phrases *phrases, uint32_t now, int phrase)
{
    for (int i = 0; i < phrase; i++)
        if (has(now, i) && is_same(&phrases->list[i], &phrases->list[phrase]))
            return true;
    return false;
}

/* What a continuation contains, and its bank. */
static void judge(const struct phrases *phrases, const struct ending_pieces *last,
                  struct phrase_choice *choice)
{
    int complete = 0, longest = 0;
    uint32_t now = 0;
    for (int i = 0; i < phrases->count; i++) {
        const struct phrase *phrase = &phrases->list[i];
        if (!has(choice->met, i) && ends_in(last, phrase, phrase->count) &&
            !is_met_now(phrases, now, i))
            now |= (uint32_t)1 << i;
        choice->met |= now;
        const int count = has(choice->met, i) ? 0 : begun(last, phrase);
        complete += has(choice->met, i) ? phrase->count : 0;
        longest = count > longest ? count : longest;
    }
    choice->bank = complete + longest;
}

/* ---- what there is to choose from ---- */

/* Into its place by total, behind its equals, unless it is there or impossible. */
static void add(struct phrases *phrases, struct beam_candidate candidate,
                const struct ending_pieces *before)
{
    struct phrase_choice choice = { .candidate = candidate, .met = phrases->met[candidate.row] };
    int at = phrases->choice_count;
    if (!(candidate.total > -INFINITY))
        return;
    for (int i = 0; i < phrases->choice_count; i++)
        if (phrases->choices[i].candidate.row == candidate.row &&
            phrases->choices[i].candidate.id == candidate.id)
            return;
    const struct ending_pieces last = and_then(before, candidate.id);
    judge(phrases, &last, &choice);
    for (; at > 0 && phrases->choices[at - 1].candidate.total < candidate.total; at--)
        phrases->choices[at] = phrases->choices[at - 1];
    phrases->choices[at] = choice;
    phrases->choice_count++;
}

static int32_t best_piece(const struct phrases *phrases, const struct beam *beam, int row,
                          const real *log_probs, int V)
{
    const struct banned banned = beam_banned(beam, row);
    int32_t best = -1;
    for (int32_t id = phrases_are_met(phrases, row) ? BEAM_EOS : BEAM_EOS + 1; id < V; id++)
        if (log_probs[id] > (best < 0 ? -INFINITY : log_probs[best]) && !is_banned(&banned, id))
            best = id;
    return best;
}

static void add_row(struct phrases *phrases, const struct beam *beam, int row,
                    const real *log_probs, int V)
{
    const struct ending_pieces last = pieces_of(beam, row);
    const float total = beam->totals[row];
    const int32_t best = best_piece(phrases, beam, row, log_probs, V);
    if (best >= 0)
        add(phrases, (struct beam_candidate){ row, best, log_probs[best], total + log_probs[best] },
            &last);
    for (int i = 0; i < phrases->count; i++) {
        if (has(phrases->met[row], i))
            continue;
        const int32_t id = phrases->list[i].ids[begun(&last, &phrases->list[i])];
        add(phrases, (struct beam_candidate){ row, id, log_probs[id], total + log_probs[id] },
            &last);
    }
}

/* ---- choosing ---- */

/* The order in which banks take turns. */
static int place_of(const struct phrases *phrases, const struct phrase_choice *choice)
{
    return choice->turn * (phrases->pieces + 1) + phrases->pieces - choice->bank;
}

static void give_turns(struct phrases *phrases)
{
    memset(phrases->bank_counts, 0, (size_t)(phrases->pieces + 1) * sizeof(int));
    for (int i = 0; i < phrases->choice_count; i++) {
        struct phrase_choice *choice = &phrases->choices[i];
        int *count = &phrases->bank_counts[choice->bank];
        choice->turn = choice->candidate.id == BEAM_EOS ? *count : (*count)++;
    }
}

/* The place of the last row that the beam has room for. */
static int last_place(const struct phrases *phrases, int width)
{
    int places[BEAM_MAX], count = 0;
    for (int i = 0; i < phrases->choice_count; i++) {
        const int place = place_of(phrases, &phrases->choices[i]);
        if (phrases->choices[i].candidate.id == BEAM_EOS ||
            (count == width && place > places[count - 1]))
            continue;
        int at = count < width ? count++ : count - 1;
        for (; at > 0 && places[at - 1] > place; at--)
            places[at] = places[at - 1];
        places[at] = place;
    }
    return count == width ? places[count - 1] : INT32_MAX;
}

static int take(struct phrases *phrases, struct beam *beam, int last, bool ends, int at)
{
    int rows = 0;
    for (int i = 0; i < phrases->choice_count; i++) {
        const struct phrase_choice *choice = &phrases->choices[i];
        if ((choice->candidate.id == BEAM_EOS) != ends || place_of(phrases, choice) > last)
            continue;
        if (!ends)
            phrases->next_met[rows++] = choice->met;
        beam->candidates[at++] = choice->candidate;
    }
    return at;
}

int phrases_choose(struct phrases *phrases, struct beam *beam, int found, int rows,
                   const real *log_probs, int V)
{
    phrases->choice_count = 0;
    for (int i = 0; i < found; i++) {
        const struct ending_pieces last = pieces_of(beam, beam->candidates[i].row);
        add(phrases, beam->candidates[i], &last);
    }
    for (int row = 0; row < rows; row++)
        add_row(phrases, beam, row, log_probs + (size_t)row * (size_t)V, V);
    give_turns(phrases);
    const int last = last_place(phrases, beam->options.beam);
    found = take(phrases, beam, last, false, take(phrases, beam, last, true, 0));
    uint32_t *met = phrases->met;
    phrases->met = phrases->next_met;
    phrases->next_met = met;
    return found;
}
