/*
 * attention.h - how well attention did over a corpus, without anything to compare it with.
 *
 *     struct attention_counts counts = { 0 };
 *     attention_add(&counts, &view);                     // for each sentence
 *     const struct attention_scores scores = attention_scores(&counts);
 *
 * With a_ts the weight that target word t gave to source word s, rows of which
 * sum to 1 with that of the sentence's end </s>, and c_s = Σ_t a_ts:
 *
 *     covered            share of source words with COVERED_LEAST <= c_s <= COVERED_MOST
 *     coverage_deviation mean of |c_s - 1|
 *     coverage_penalty   mean of ln(1 + (1 - c_s)²)                    Rikters and Fishel 2017: CDP
 *     entropy            mean of -Σ_s a_ts ln a_ts, </s> included      their AP_out: absentmindedness
 *     source_entropy     mean of -Σ_t b_ts ln b_ts, b_ts = a_ts / c_s                   their AP_in
 *     on_end             share of the attention of words that goes to </s>
 *     on_punctuation     share of it that goes to punctuation; </s> and punctuation are where
 *                        attention rests that has nothing to look at (Ghader and Monz 2017)
 *
 * Words are those of word_links.h, where punctuation is apart; a source word
 * that is punctuation counts as covered or not as any other. Entropies are in
 * nats: exp(entropy) is how many words are looked at as if all alike.
 */
#ifndef SERVER_QUALITY_ATTENTION_H
#define SERVER_QUALITY_ATTENTION_H

#include "server/quality/links.h"

#define COVERED_LEAST 0.5
#define COVERED_MOST 1.5

struct attention_view { // of a sentence; valid UTF-8
    const char *source, *target;
    struct word_spans words;
    const float *weights; // (T,S+1)
};

struct attention_counts { // {0} is empty; sums
    long sentences, source_words, target_words;
    long plain_words; // target words that are no punctuation
    long covered;
    double deviation, penalty, entropy, source_entropy;
    double mass; // of attention: 0 where a model has none
    double on_end, on_punctuation;
};

struct attention_scores { // 0 where there is nothing
    double covered, coverage_deviation, coverage_penalty;
    double entropy, source_entropy;
    double on_end, on_punctuation;
};

void attention_add(struct attention_counts *counts, const struct attention_view *view);
void attention_add_up(struct attention_counts *sum, const struct attention_counts *more);
struct attention_scores attention_scores(const struct attention_counts *counts);

#endif
