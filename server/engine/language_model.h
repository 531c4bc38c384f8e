/*
 * language_model.h - how likely a text is, and texts that are likely.
 *
 *     struct language_model *lm;
 *     status = language_model_load(&lm, "lm.safetensors", &err);
 *     status = language_scorer_new(&scorer, lm, &err);               // per thread
 *     status = language_scorer_run(scorer, texts, count, false, scores, &err);
 *     status = language_sample(lm, &options, i, &text, &err);        // the i-th of many
 *
 * A line is its pieces and </s>, and starts behind the </s> of the line before
 * it or of none. Its log-probability is natural, of all pieces and of </s>;
 * the end of a line also counts as one word and one character, so that
 * perplexities per piece, word and character are all exp(-log_prob / count).
 * A model may be shared by threads.
 */
#ifndef SERVER_ENGINE_LANGUAGE_MODEL_H
#define SERVER_ENGINE_LANGUAGE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/status.h"

#define LANGUAGE_TEXTS_MAX 64              // of one call
#define LANGUAGE_TEXT_BYTES_MAX (64 << 10) // a longer text is STATUS_TOO_LARGE
#define LANGUAGE_SAMPLE_MAX 100000         // pieces

struct language_model;

MUST_CHECK enum status language_model_load(struct language_model **out, const char *path,
                                           struct error *err);
void language_model_free(struct language_model *lm); // NULL is fine

/* ---- scores ---- */

struct language_text {
    const char *text; // one line, valid UTF-8; need not be NUL-terminated
    size_t len;
};

struct language_score {
    double log_prob;
    int64_t pieces, words, characters; // of the normalised text, with the end of the line
};

struct language_scorer;

MUST_CHECK enum status language_scorer_new(struct language_scorer **out,
                                           const struct language_model *lm, struct error *err);
void language_scorer_free(struct language_scorer *scorer); // NULL is fine

/* Of each text for itself, the same bits whatever its company. If `continued`, texts are lines of
 * one: each starts in the state that the one before left, in this call or the last. */
MUST_CHECK enum status language_scorer_run(struct language_scorer *scorer,
                                           const struct language_text *texts, int count,
                                           bool continued, struct language_score *out,
                                           struct error *err);

/* ---- samples ---- */

struct language_sampling {
    const char *prompt; // what the text starts with; "" is nothing
    double temperature; // log-probabilities are divided by it; 0: always the likeliest piece
    int length;         // most pieces behind the prompt, 1..LANGUAGE_SAMPLE_MAX
    int lines;          // end with the end of so many lines
    int words;          // end with so many words behind the prompt; 0: no such end
    uint64_t seed;
};

/* Appends the text, prompt and all, each line with "\n". The i-th sample of a seed is the same
 * whichever are asked for. */
MUST_CHECK enum status language_sample(const struct language_model *lm,
                                       const struct language_sampling *options, uint64_t i,
                                       struct bytes *out, struct error *err);

#endif
