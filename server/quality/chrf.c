/*
 * chrf.c - chrF (Popovic 2015) and chrF++ (Popovic 2017).
 *
 *   P, R  = matching n-grams / n-grams of the hypotheses, of the references: the mean over the
 *           orders that both have
 *   chrF  = (1 + beta^2) P R / (beta^2 P + R),  beta = 2: recall counts more
 *
 * Characters without white space are orders 0..5, words orders 6 and 7.
 */
#include <string.h>
#include "server/quality/metrics.h"

#define BETA 2
#define WORD_ORDERS (CHRFPP_ORDERS - CHRF_ORDERS)

static bool count_text(struct scratch *s, const char *text, int column)
{
    struct units *u = &s->hypothesis;
    size_t len = strlen(text);
    return units_of_characters(u, text, len) && grams_count(&s->grams, u, CHRF_ORDERS, 0, column) &&
           units_of_bare_words(u, text, len) &&
           grams_count(&s->grams, u, WORD_ORDERS, CHRF_ORDERS, column);
}

/* Counts against the reference in COUNT_REFERENCE, whose column is emptied for the next one. */
static void compare(struct grams *g, struct chrf_counts *out)
{
    memset(out, 0, sizeof *out);
    for (int i = 0; i < g->count; i++) {
        struct gram *gram = &g->entries[i];
        int in_hypothesis = gram->counts[COUNT_HYPOTHESIS];
        int in_reference = gram->counts[COUNT_REFERENCE];
        out->hypothesis[gram->order] += in_hypothesis;
        out->reference[gram->order] += in_reference;
        out->match[gram->order] += in_hypothesis < in_reference ? in_hypothesis : in_reference;
        gram->counts[COUNT_REFERENCE] = 0;
    }
    for (int n = 0; n < CHRFPP_ORDERS; n++)
        if (out->reference[n] == 0)
            out->hypothesis[n] = 0; // too short a reference says nothing about this order
}

static void take_if_better(struct chrf_counts *best, const struct chrf_counts *one, int orders,
                           bool is_first)
{
    if (is_first || chrf_score(one, orders) > chrf_score(best, orders))
        *best = *one;
}

bool chrf_count(struct scratch *s, const struct sentence *in, struct chrf_counts *chrf,
                struct chrf_counts *chrfpp)
{
    grams_clear(&s->grams);
    if (!count_text(s, in->hypothesis, COUNT_HYPOTHESIS))
        return false;
    for (int r = 0; r < in->reference_count; r++) {
        struct chrf_counts one;
        if (!count_text(s, in->references[r], COUNT_REFERENCE))
            return false;
        compare(&s->grams, &one);
        take_if_better(chrf, &one, CHRF_ORDERS, r == 0);
        take_if_better(chrfpp, &one, CHRFPP_ORDERS, r == 0);
    }
    return true;
}

void chrf_add(struct chrf_counts *sum, const struct chrf_counts *one)
{
    for (int n = 0; n < CHRFPP_ORDERS; n++) {
        sum->hypothesis[n] += one->hypothesis[n];
        sum->reference[n] += one->reference[n];
        sum->match[n] += one->match[n];
    }
}

double chrf_score(const struct chrf_counts *counts, int orders)
{
    double precision = 0, recall = 0;
    int present = 0;
    for (int n = 0; n < orders; n++) {
        if (counts->hypothesis[n] == 0 || counts->reference[n] == 0)
            continue;
        precision += (double)counts->match[n] / (double)counts->hypothesis[n];
        recall += (double)counts->match[n] / (double)counts->reference[n];
        present++;
    }
    if (precision + recall == 0)
        return 0;
    precision /= present;
    recall /= present;
    return 100 * (1 + BETA * BETA) * precision * recall / (BETA * BETA * precision + recall);
}
