/*
 * shortlist.h - learning a model's shortlist from the pairs it was trained on.
 *
 *     status = shortlist_put(shard, vocabulary, &options, "en-fr.safetensors", out, &err);
 */
#ifndef SERVER_CMD_SHORTLIST_H
#define SERVER_CMD_SHORTLIST_H

#include <stdio.h>

#include "model/train/lexicon.h"
#include "tokenizer/vocabulary.h"

/* The model file at `model` is written to `out`, which may be the same, with a shortlist learnt
 * from the pairs. What is found is said on `say`; NULL: on nothing. */
MUST_CHECK enum status shortlist_put(struct shard *shard, const struct vocabulary *vocabulary,
                                     struct lexicon_options options, const char *model,
                                     const char *out, FILE *say, struct error *err);

#endif
