/*
 * lexicon.h - which pieces translate which, learnt from pairs, as a shortlist.
 *
 *     struct lexicon_options options = lexicon_options_default();
 *     status = lexicon_learn(&shortlist, shard, vocabulary_size, &options, &err);
 *     shortlist_free(shortlist);
 *
 * Model 1 of Brown et al. 1993 over pieces: each target piece comes from one
 * of the source pieces, or from </s>, which stands for none of them. A few
 * rounds of expectation and maximisation find t(target | source), which is how
 * often the list of a sentence with the source piece would lack the target
 * piece if nothing but its row could bring it. Those that are probable enough
 * are the row, and </s>, which every source has, is a source piece like others.
 *
 * What is held: LEXICON_CELLS_MAX pairs of pieces; when there are more, the
 * rarest are forgotten. What is read: LEXICON_BLOCKS_MAX blocks of the shard,
 * from all over it, a few times. The same pairs give the same shortlist, bit
 * for bit. One thread.
 */
#ifndef MODEL_TRAIN_LEXICON_H
#define MODEL_TRAIN_LEXICON_H

#include "model/shortlist.h"
#include "model/train/shard.h"

#define LEXICON_CELLS_MAX (1 << 24) // of 16 bytes
#define LEXICON_BLOCKS_MAX 256      // a million pairs
#define LEXICON_SIDE_MAX 256        // a pair with more pieces on a side is passed over

struct lexicon_options {
    int rounds;              // after the first, which counts
    int row;                 // pieces a source piece, at most; 1..SHORTLIST_ROW_MAX
    double least;            // t(target | source) of a row's pieces, at least; 0..1
    int cells_max;           // a power of two; LEXICON_CELLS_MAX
    const int32_t *together; // (together_count) that are allowed together: pieces for bytes
    int together_count;      // at most SHORTLIST_ROW_MAX
    void (*on_progress)(void *context, double share); // may be NULL
    void *context;
};

struct lexicon_options lexicon_options_default(void);

/* STATUS_BAD_FILE if a block is damaged or has a piece that is none of the vocabulary's. */
MUST_CHECK enum status lexicon_learn(struct shortlist **out, struct shard *shard, int vocabulary,
                                     const struct lexicon_options *options, struct error *err);

#endif
