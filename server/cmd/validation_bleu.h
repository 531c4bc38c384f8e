/*
 * validation_bleu.h - BLEU of a model file by greedy search over the first validation sentences.
 *
 *     struct validation_set set = { .sources = sources, .references = texts, .count = n };
 *     status = validation_bleu("en-fr.safetensors.candidate", vocabulary, &set, threads, &bleu, &err);
 *
 * The file is loaded as the server would load it, so what is measured is what
 * would be served, in the precision it is stored in.
 */
#ifndef SERVER_CMD_VALIDATION_BLEU_H
#define SERVER_CMD_VALIDATION_BLEU_H

#include "base/status.h"
#include "model/search/translator.h"
#include "tokenizer/vocabulary.h"

struct validation_set {
    struct source *sources; // (count)
    char **references;      // (count) texts as they stand in the corpus
    int count;
};

MUST_CHECK enum status validation_bleu(const char *model_path, const struct vocabulary *vocabulary,
                                       const struct validation_set *set, int threads, double *bleu,
                                       struct error *err);

#endif
