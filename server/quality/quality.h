/*
 * quality.h - how close translations are to references: BLEU, chrF, chrF++, TER.
 *
 *     struct quality *q;
 *     if (quality_new(&q, QUALITY_BLEU | QUALITY_CHRF, &err) != STATUS_OK) ...
 *     status = quality_add(q, "the translation", &reference, 1, &err);    // a sentence at a time
 *     struct quality_scores scores;
 *     quality_scores(q, &scores);                                         // any time
 *     quality_free(q);
 *
 * The figures are those of sacreBLEU 2.6 with its defaults, to the last digits:
 * they can be compared with published ones. BLEU: 13a tokenisation, n-grams up
 * to 4, exponential smoothing, cased. chrF: characters up to 6, beta 2; chrF++
 * adds words up to 2. TER: words as written, lower case, with shifts; it takes
 * a hundred times as long as the others. All but TER are better when higher,
 * and all go from 0 to 100 (TER may exceed it). One thread a struct quality.
 */
#ifndef SERVER_QUALITY_QUALITY_H
#define SERVER_QUALITY_QUALITY_H

#include "base/status.h"

#define QUALITY_BLEU_ORDERS 4
#define QUALITY_SENTENCE_BYTES_MAX (1 << 16) // a longer hypothesis or reference is STATUS_TOO_LARGE
#define QUALITY_REFERENCES_MAX 256           // of one sentence; more is STATUS_TOO_LARGE

/* What is asked for; the signature says how it was computed. */
#define QUALITY_SIGNATURE "case:mixed|eff:no|tok:13a|smooth:exp"
enum quality_metric {
    QUALITY_BLEU = 1,
    QUALITY_BLEU_LOWER = 2, // BLEU of the lower-cased texts
    QUALITY_CHRF = 4,       // chrF and chrF++
    QUALITY_TER = 8,
    QUALITY_ALL = 15,
};

struct quality_scores { // what was not asked for is 0
    long sentences;
    double bleu;
    double precisions[QUALITY_BLEU_ORDERS]; // per cent, smoothed
    double brevity;                         // the penalty, 0..1
    long hypothesis_words;                  // 13a tokens, cased
    long reference_words;                   // of each sentence the reference of the closest length
    double bleu_lower;
    double chrf, chrfpp;
    double ter;
};

struct quality;

/* metrics: QUALITY_* joined by |. */
MUST_CHECK enum status quality_new(struct quality **out, unsigned metrics, struct error *err);
void quality_free(struct quality *q);  // NULL is fine
void quality_reset(struct quality *q); // as new; memory is kept

/* One sentence; at least one reference. STATUS_BAD_INPUT: not valid UTF-8. On failure nothing was
 * counted. */
MUST_CHECK enum status quality_add(struct quality *q, const char *hypothesis,
                                   const char *const *references, int reference_count,
                                   struct error *err);

/* Of all sentences so far, as one corpus. */
void quality_scores(const struct quality *q, struct quality_scores *out);

#endif
