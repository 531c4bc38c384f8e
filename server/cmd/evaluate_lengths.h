/*
 * evaluate_lengths.h - BLEU and attention by the length of the source, for "verso evaluate".
 *
 *     struct length_bins bins;
 *     status = length_bins_measure(&bins, &set, lists, 2, attention, &err);
 *     length_bins_text(&bins, &out);                       // or length_bins_json
 *     status = length_bins_plot(&bins, names, "bleu.svg", &err);
 *
 * As figure 2 of Bahdanau, Cho and Bengio (2015): BLEU of the sentences of each
 * length, as a corpus of its own. A length is the source's words, as white space
 * separates them.
 */
#ifndef SERVER_CMD_EVALUATE_LENGTHS_H
#define SERVER_CMD_EVALUATE_LENGTHS_H

#include "base/bytes.h"
#include "base/json.h"
#include "server/cmd/evaluation_set.h"
#include "server/quality/attention.h"

#define LENGTH_BINS 7 // 1-10, 11-20, ... and all above 60
#define LENGTH_BIN_WORDS 10
#define LENGTH_SYSTEMS 2 // most that stand beside each other

struct length_bin {
    long sentences;
    double words; // mean length
    double bleu[LENGTH_SYSTEMS];
    struct attention_counts attention; // of the first system
};

struct length_bins {
    struct length_bin items[LENGTH_BINS];
    int systems;
    bool attention; // was measured
};

/* `attention` (a sentence of the set) may be NULL. Every list has as many lines as the set. */
MUST_CHECK enum status length_bins_measure(struct length_bins *bins,
                                           const struct evaluation_set *set,
                                           const struct text_list *const *lists, int systems,
                                           const struct attention_counts *attention,
                                           struct error *err);

/* Bins that have sentences, a line or an element each. */
void length_bins_text(const struct length_bins *bins, struct bytes *out);
json_t *length_bins_json(const struct length_bins *bins); // NULL: no memory

/* A picture in the form that the path ends in; names[i] is a system's in the legend. */
MUST_CHECK enum status length_bins_plot(const struct length_bins *bins, const char *const *names,
                                        const char *path, struct error *err);

/* Figures of attention: of a corpus or of a bin. */
void attention_text(const struct attention_counts *counts, struct bytes *out);
json_t *attention_json(const struct attention_counts *counts);

#endif
