/*
 * train_data.h - the corpora of a training as ids, and what was left out of them.
 */
#ifndef SERVER_CMD_TRAIN_DATA_H
#define SERVER_CMD_TRAIN_DATA_H

#include "model/train/pairs.h"
#include "server/cmd/corpora.h"
#include "server/cmd/validation_bleu.h"

struct train_data {
    struct pairs pairs;
    long bad_lines;    // left out
    long too_long;     // left out: more pieces than allowed on a side
    char **references; // (reference_count) target texts of the first pairs
    int reference_count;
};

struct train_data_options {
    int pieces_max;        // of a side, </s> not counted
    int references_wanted; // how many target texts to keep
    const char *what;      // "training" or "validation", for messages
};

/* STATUS_BAD_INPUT if nothing is left. */
MUST_CHECK enum status train_data_read(struct train_data *data, const struct corpora *corpora,
                                       const struct vocabulary *vocabulary,
                                       const struct train_data_options *options, struct error *err);
void train_data_release(struct train_data *data); // {0} is fine

/* The first pairs as sources for search, with their references. The sources' ids are the data's;
 * free set->sources with memory_free. */
MUST_CHECK enum status train_data_validation_set(const struct train_data *data,
                                                 struct validation_set *set, struct error *err);

#endif
