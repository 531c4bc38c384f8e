/*
 * bleu.c - BLEU (Papineni et al. 2002), with the smoothing of mteval-v13a.
 *
 *   p_n   = matching n-grams / n-grams of the hypotheses, each n-gram matching at most as often
 *           as in the reference that has most of it;  1 / (2^k n-grams) for the k-th order
 *           without a match
 *   BP    = exp(1 - reference words / hypothesis words), at most 1
 *   BLEU  = BP exp(mean of log p_n)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "server/quality/metrics.h"
#include "tokenizer/character.h"

static bool cut(struct scratch *s, const char *text, bool lower, struct units *out)
{
    size_t len = strlen(text);
    if (!lower)
        return words_13a(&s->words_13a, text, len, out);
    bytes_reset(&s->lower);
    return text_lower(text, len, &s->lower) &&
           words_13a(&s->words_13a, s->lower.data, s->lower.len, out);
}

/* Each n-gram's greatest count in one reference so far; the column is free for the next one. */
static void keep_the_most(struct grams *g)
{
    for (int i = 0; i < g->count; i++) {
        int *counts = g->entries[i].counts;
        if (counts[COUNT_REFERENCE] > counts[COUNT_MOST])
            counts[COUNT_MOST] = counts[COUNT_REFERENCE];
        counts[COUNT_REFERENCE] = 0;
    }
}

static long closest(long wanted, long a, long b)
{
    long from_a = labs(wanted - a), from_b = labs(wanted - b);
    if (from_a != from_b)
        return from_a < from_b ? a : b;
    return a < b ? a : b;
}

bool bleu_count(struct scratch *s, const struct sentence *in, bool lower, struct bleu_counts *out)
{
    struct grams *g = &s->grams;
    memset(out, 0, sizeof *out);
    grams_clear(g);
    if (!cut(s, in->hypothesis, lower, &s->hypothesis) ||
        !grams_count(g, &s->hypothesis, QUALITY_BLEU_ORDERS, 0, COUNT_HYPOTHESIS))
        return false;
    out->hypothesis_words = s->hypothesis.count;
    for (int r = 0; r < in->reference_count; r++) {
        if (!cut(s, in->references[r], lower, &s->reference) ||
            !grams_count(g, &s->reference, QUALITY_BLEU_ORDERS, 0, COUNT_REFERENCE))
            return false;
        keep_the_most(g);
        long words = s->reference.count;
        out->reference_words =
            r == 0 ? words : closest(out->hypothesis_words, out->reference_words, words);
    }
    for (int i = 0; i < g->count; i++) {
        const struct gram *gram = &g->entries[i];
        int in_hypothesis = gram->counts[COUNT_HYPOTHESIS], most = gram->counts[COUNT_MOST];
        out->total[gram->order] += in_hypothesis;
        out->correct[gram->order] += in_hypothesis < most ? in_hypothesis : most;
    }
    return true;
}

void bleu_add(struct bleu_counts *sum, const struct bleu_counts *one)
{
    sum->hypothesis_words += one->hypothesis_words;
    sum->reference_words += one->reference_words;
    for (int n = 0; n < QUALITY_BLEU_ORDERS; n++) {
        sum->correct[n] += one->correct[n];
        sum->total[n] += one->total[n];
    }
}

static double brevity(long hypothesis_words, long reference_words)
{
    if (hypothesis_words >= reference_words)
        return 1;
    if (hypothesis_words == 0)
        return 0;
    return exp(1 - (double)reference_words / (double)hypothesis_words);
}

/* Without a match of single words the score is 0, and so it is when the corpus is too short to have
 * the longest order. */
struct bleu bleu_score(const struct bleu_counts *counts)
{
    struct bleu out = { .brevity = brevity(counts->hypothesis_words, counts->reference_words) };
    double log_sum = 0, halving = 1;
    int present = 0;
    if (counts->correct[0] == 0)
        return out;
    for (int n = 0; n < QUALITY_BLEU_ORDERS && counts->total[n] > 0; n++, present++) {
        if (counts->correct[n] == 0)
            halving *= 2;
        double correct = counts->correct[n] ? (double)counts->correct[n] : 1 / halving;
        out.precisions[n] = 100 * correct / (double)counts->total[n];
        log_sum += log(out.precisions[n]);
    }
    if (present == QUALITY_BLEU_ORDERS)
        out.score = out.brevity * exp(log_sum / present);
    return out;
}
