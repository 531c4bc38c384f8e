/*
 * train_data.h - the corpora of a training as ids, and what was left out of them.
 *
 *     status = train_data_open(&shard, "en-fr.safetensors.pairs", &train, &options, &err);
 *     status = valid_data_read(&data, &valid, 500, &options, &err);
 *
 * Training pairs may be more than memory holds: they go to a file, a shard,
 * that is made once and found again by a training that goes on. Validation
 * pairs are held.
 */
#ifndef SERVER_CMD_TRAIN_DATA_H
#define SERVER_CMD_TRAIN_DATA_H

#include "model/train/pairs.h"
#include "model/train/shard.h"
#include "server/cmd/corpora.h"
#include "server/cmd/validation_bleu.h"

struct train_data_options {
    const struct vocabulary *vocabulary;
    const char *vocabulary_text; // the same as text
    int pieces_max;              // of a side, </s> not counted; pairs with more are left out
    const char *links;           // file of word links of the training pairs; NULL: none
};

/* The file at `path` if it is sound and was made of these corpora with these options; otherwise it
 * is made. STATUS_BAD_INPUT if no pair is left. */
MUST_CHECK enum status train_data_open(struct shard **out, const char *path,
                                       const struct corpora *corpora,
                                       const struct train_data_options *options, struct error *err);

struct valid_data {
    struct pairs pairs;
    long bad_lines;    // left out
    long too_long;     // left out: more pieces than allowed on a side
    char **references; // (reference_count) target texts of the first pairs
    int reference_count;
};

/* STATUS_BAD_INPUT if nothing is left, STATUS_TOO_LARGE over PAIRS_MAX. */
MUST_CHECK enum status valid_data_read(struct valid_data *data, const struct corpora *corpora,
                                       int references_wanted,
                                       const struct train_data_options *options, struct error *err);
void valid_data_release(struct valid_data *data); // {0} is fine

/* The first pairs as sources for search, with their references. The sources' ids are the data's;
 * free set->sources with memory_free. */
MUST_CHECK enum status valid_data_set(const struct valid_data *data, struct validation_set *set,
                                      struct error *err);

#endif
