/*
 * metrics.h - the figures of one sentence, and the score of their sums.
 *
 * Private to this folder. A metric is a struct of counts, a function that
 * counts one sentence, and a function from counts to score; the counts of a
 * corpus are the sums of its sentences' (quality.c).
 */
#ifndef SERVER_QUALITY_METRICS_H
#define SERVER_QUALITY_METRICS_H

#include <stddef.h>
#include "base/arena.h"
#include "server/quality/quality.h"
#include "server/quality/units.h"

#define CHRF_ORDERS 6   // of characters
#define CHRFPP_ORDERS 8 // and two of words

struct sentence { // valid UTF-8, checked
    const char *hypothesis;
    const char *const *references;
    int reference_count; // at least 1
};

struct scratch { // one for all metrics
    struct words_13a words_13a;
    struct bytes lower;
    struct units hypothesis, reference;
    struct grams grams;
    struct arena arena; // of ter
};

/* ---- BLEU ---- */

struct bleu_counts {
    long hypothesis_words, reference_words;
    long correct[QUALITY_BLEU_ORDERS], total[QUALITY_BLEU_ORDERS];
};

struct bleu {
    double score, brevity;
    double precisions[QUALITY_BLEU_ORDERS];
};

MUST_CHECK bool bleu_count(struct scratch *s, const struct sentence *in, bool lower,
                           struct bleu_counts *out);
void bleu_add(struct bleu_counts *sum, const struct bleu_counts *one);
struct bleu bleu_score(const struct bleu_counts *counts);

/* ---- chrF: characters; chrF++: characters and words ---- */

struct chrf_counts {
    long hypothesis[CHRFPP_ORDERS], reference[CHRFPP_ORDERS], match[CHRFPP_ORDERS];
};

/* The two may be about different references: each takes the one that it likes best. */
MUST_CHECK bool chrf_count(struct scratch *s, const struct sentence *in, struct chrf_counts *chrf,
                           struct chrf_counts *chrfpp);
void chrf_add(struct chrf_counts *sum, const struct chrf_counts *one);
double chrf_score(const struct chrf_counts *counts, int orders);

/* ---- TER ---- */

struct ter_counts {
    long edits;             // to the reference that needs the fewest
    double reference_words; // mean over the references
};

MUST_CHECK bool ter_count(struct scratch *s, const struct sentence *in, struct ter_counts *out);
void ter_add(struct ter_counts *sum, const struct ter_counts *one);
double ter_score(const struct ter_counts *counts);

#endif
