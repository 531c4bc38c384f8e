/*
 * phrases.h - what a translation must contain: room in the beam for those on the way to it.
 *
 *     phrases_lay_out(&phrases, &arena, width, count, pieces);          // once
 *     phrases_start(&phrases, list, count);
 *     found = phrases_choose(&phrases, &beam, found, rows, log_probs, V); // each step
 *
 * Dynamic beam allocation (Post & Vilar 2018). A continuation is in bank b when
 * it has b pieces of phrases: all those of phrases it contains, and those of
 * the longest beginning of another that it ends in. Banks take turns, the
 * highest first, until the beam is full, so that some row of the beam always
 * has as much as could be had. Private to this folder.
 */
#ifndef MODEL_SEARCH_PHRASES_H
#define MODEL_SEARCH_PHRASES_H

#include "model/search/beam.h"

struct phrase_choice {
    struct beam_candidate candidate;
    uint32_t met; // a bit a phrase it contains
    int bank;
    int turn; // those of its bank that come before it, ends not counted
};

struct phrases {
    const struct phrase *list; // (count) the caller's
    int count;
    int pieces;                    // of all phrases: the highest bank
    uint32_t *met, *next_met;      // (width) of the rows of this depth and of the next
    int *bank_counts;              // (pieces + 1)
    struct phrase_choice *choices; // (width (3 + count)) of a step, by total
    int choice_count;
};

/* Room for phrases of so many pieces. */
void phrases_lay_out(struct phrases *phrases, struct arena *arena, int width, int count,
                     int pieces);
/* One row, without pieces. */
void phrases_start(struct phrases *phrases, const struct phrase *list, int count);

bool phrases_are_met(const struct phrases *phrases, int row); // all of them: the row may end

/* Replaces the `found` candidates of the beam: the ends first, then those of the next rows.
 * log_probs (rows,V) are those of as many rows as may go on otherwise, none where they are forced. */
int phrases_choose(struct phrases *phrases, struct beam *beam, int found, int rows,
                   const real *log_probs, int V);

#endif
