/*
 * attention.c - sums over rows and columns of one matrix a sentence.
 */
#include "server/quality/attention.h"

#include <math.h>

#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

static bool is_punctuation(const char *text, struct span word)
{
    int bytes;
    for (size_t at = word.from; at < word.to; at += (size_t)bytes)
        if (!character_is_punctuation(utf8_next(text + at, word.to - at, &bytes)))
            return false;
    return word.from < word.to;
}

static double nats(double share)
{
    return share > 0 ? -share * log(share) : 0;
}

static void add_row(struct attention_counts *counts, const struct attention_view *view, int t)
{
    const int S = view->words.S;
    const float *row = view->weights + (size_t)t * (size_t)(S + 1);
    const bool plain = !is_punctuation(view->target, view->words.target[t]);
    for (int s = 0; s <= S; s++) {
        counts->mass += (double)row[s];
        counts->entropy += nats((double)row[s]);
        if (plain && s == S)
            counts->on_end += (double)row[s];
        else if (plain && is_punctuation(view->source, view->words.source[s]))
            counts->on_punctuation += (double)row[s];
    }
    counts->plain_words += plain;
}

static void add_column(struct attention_counts *counts, const struct attention_view *view, int s)
{
    const size_t width = (size_t)view->words.S + 1;
    double coverage = 0, entropy = 0;
    for (int t = 0; t < view->words.T; t++)
        coverage += (double)view->weights[(size_t)t * width + (size_t)s];
    for (int t = 0; coverage > 0 && t < view->words.T; t++)
        entropy += nats((double)view->weights[(size_t)t * width + (size_t)s] / coverage);
    counts->covered += coverage >= COVERED_LEAST && coverage <= COVERED_MOST;
    counts->deviation += fabs(coverage - 1);
    counts->penalty += log1p((1 - coverage) * (1 - coverage));
    counts->source_entropy += entropy;
}

void attention_add(struct attention_counts *counts, const struct attention_view *view)
{
    counts->sentences++;
    counts->source_words += view->words.S;
    counts->target_words += view->words.T;
    for (int t = 0; t < view->words.T; t++)
        add_row(counts, view, t);
    for (int s = 0; s < view->words.S; s++)
        add_column(counts, view, s);
}

void attention_add_up(struct attention_counts *sum, const struct attention_counts *more)
{
    sum->sentences += more->sentences;
    sum->source_words += more->source_words;
    sum->target_words += more->target_words;
    sum->plain_words += more->plain_words;
    sum->covered += more->covered;
    sum->deviation += more->deviation;
    sum->penalty += more->penalty;
    sum->entropy += more->entropy;
    sum->source_entropy += more->source_entropy;
    sum->mass += more->mass;
    sum->on_end += more->on_end;
    sum->on_punctuation += more->on_punctuation;
}

static double mean(double sum, long count)
{
    return count > 0 ? sum / (double)count : 0;
}

struct attention_scores attention_scores(const struct attention_counts *c)
{
    return (struct attention_scores){
        .covered = mean((double)c->covered, c->source_words),
        .coverage_deviation = mean(c->deviation, c->source_words),
        .coverage_penalty = mean(c->penalty, c->source_words),
        .entropy = mean(c->entropy, c->target_words),
        .source_entropy = mean(c->source_entropy, c->source_words),
        .on_end = mean(c->on_end, c->plain_words),
        .on_punctuation = mean(c->on_punctuation, c->plain_words),
    };
}
