/*
 * word2vec.h - vectors of words from the words around them (Mikolov 2013).
 *
 *     float *vectors = ...                                  // (text.words, options.size)
 *     status = word2vec_train(vectors, &text, &options, &err);
 *
 * Skip-gram or CBOW with negative sampling. A place of the text is a word that
 * was kept, the words around it (up to `window` on each side, how many is drawn
 * for each place), and `negative` words drawn in proportion to count^0.75, which
 * all pairs of the place share. Frequent words are dropped before with
 * probability 1 - sqrt(t/f) - t/f, f their share of the text and t = `sample`.
 * The rate falls in a straight line over all words to a ten-thousandth.
 *
 * The text is read in order, once an epoch, so it may be a mapped file that is
 * larger than the memory. One thread: every place reads what the one before it
 * has written, so that the same text, options and seed give the same bits.
 */
#ifndef MODEL_TRAIN_WORD2VEC_H
#define MODEL_TRAIN_WORD2VEC_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "model/layers/negative_sampling.h"

#define WORD2VEC_END (-1) // in ids: the sentence ends
#define WORD2VEC_WORDS_MAX (1 << 24)
#define WORD2VEC_SIZE_MAX 4096
#define WORD2VEC_WINDOW_MAX 100
#define WORD2VEC_NEGATIVE_MAX 100

struct word2vec_text {
    const int32_t *ids; // (count) words and ends of sentences
    size_t count;
    const int64_t *counts; // (words) how often each is in ids, at least once
    int words;             // at least 2
};

struct word2vec_progress {
    double done; // 0 to 1
    double rate;
    double loss; // of an input against its targets, mean over the last places
};

struct word2vec_options {
    enum context_use use; // CONTEXT_EACH: skip-gram; CONTEXT_MEAN: CBOW
    int size, window, negative;
    int64_t epochs;
    double sample; // 0: no word is dropped
    double rate;
    uint64_t seed;
    void (*on_progress)(void *context, const struct word2vec_progress *progress); // may be NULL
    void *context;
};

/* Row i of vectors (words, size) is the vector of word i. STATUS_DIVERGED: numbers were not
 * finite; nothing is set. */
MUST_CHECK enum status word2vec_train(float *vectors, const struct word2vec_text *text,
                                      const struct word2vec_options *options, struct error *err);

#endif
