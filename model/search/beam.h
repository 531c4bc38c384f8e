/*
 * beam.h - the search for one sentence: hypotheses alive, hypotheses that have
 * ended, and the way back from each to its first piece.
 *
 *     beam_lay_out(&beam, &arena, width_max, source_len_max, steps_max);  // once
 *     beam_start(&beam, &options, S, steps);
 *     do {
 *         // rows beam_previous(&beam, 0..live) step; row r comes from beam_parent(&beam, r)
 *     } while (beam_advance(&beam, kernels, log_probs, ids, count, alignment, ld));
 *     beam_collect(&beam, &results, &translation);
 *
 * Private to this folder. At depth d each live hypothesis, called a row, has d
 * pieces; the rows of a depth are in order of log-probability. One thread.
 */
#ifndef MODEL_SEARCH_BEAM_H
#define MODEL_SEARCH_BEAM_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "model/kernels/kernels.h"
#include "model/search/translator.h"

enum { BEAM_BOS = 2, BEAM_EOS = 3 }; // ids below </s> are never generated

struct beam_node {  // how a row came to be
    int parent;     // row one depth up
    int32_t id;     // its last piece
    float log_prob; // of that piece
};

struct beam_ending { // a hypothesis that chose </s>
    int depth, row;  // whose pieces it has
    float log_prob;  // of </s>
    float total, score;
};

struct beam_candidate { // a row and a piece behind it
    int row;
    int32_t id;
    float log_prob, total;
};

struct phrases;

struct beam {
    struct beam_node *nodes;           // (steps+1, width)
    real *alignment;                   // (steps, width, S) of the step made from each row
    struct beam_candidate *candidates; // (2 width) of one step, best first
    struct beam_ending *endings;       // (width) by score, best first
    float *totals;                     // (width) of the rows
    float *coverage;                   // (S) of one hypothesis

    struct search_options options; // options.beam is the width
    const int32_t *forced;         // (forced_count) pieces that must come first
    int forced_count;
    struct phrases *phrases; // that it must contain; NULL: none
    int S;                   // source pieces + </s>
    int steps;               // most there may be: pieces, </s> included
    int depth;
    int live; // rows at this depth
    int ended;
};

/* Room for any search within these sizes. */
void beam_lay_out(struct beam *beam, struct arena *arena, int width, int S, int steps);

/* One row, without pieces. */
void beam_start(struct beam *beam, const struct search_options *options, int S, int steps);
/* Behind beam_start: what every hypothesis begins with, one row until then. */
void beam_force(struct beam *beam, const int32_t *ids, int count);
/* Behind beam_start: no hypothesis ends without them. Columns are all pieces. */
void beam_require(struct beam *beam, struct phrases *phrases);

int32_t beam_previous(const struct beam *beam, int row); // its last piece, <s> at first
int beam_parent(const struct beam *beam, int row);       // depth > 0

/* The last pieces of a row, at most so many, the very last first; returns how many. */
int beam_last_pieces(const struct beam *beam, int row, int most, int32_t *ids);

/* Pieces that would make a row repeat itself once too often: behind so many repetitions of n pieces
 * but for one piece, that piece. And </s>, where phrases are missing. */
struct banned {
    int32_t ids[REPEATED_PIECES_MAX + 1];
    int count;
};
struct banned beam_banned(const struct beam *beam, int row);

static inline bool is_banned(const struct banned *banned, int32_t id)
{
    for (int i = 0; i < banned->count; i++)
        if (banned->ids[i] == id)
            return true;
    return false;
}

/* Take the step of every row, log_probs (live,count) and alignment (live rows of S, ld apart), one
 * piece further. ids (count), rising, are the pieces of the columns; NULL: 0 to count - 1, as where
 * pieces are forced. False when the search is over. */
bool beam_advance(struct beam *beam, const struct kernels *kernels, const real *log_probs,
                  const int32_t *ids, int count, const real *alignment, int ld);

/* The best hypotheses into the arena; false: it is full. */
bool beam_collect(const struct beam *beam, struct arena *results, struct translation *out);

/* What the best hypothesis is certain to begin with, which all live rows and the best ending share,
 * if that is more than the `known` pieces; false: it is not, or the arena is full. */
bool beam_certain(const struct beam *beam, int known, struct arena *results,
                  struct hypothesis *out);

#endif
