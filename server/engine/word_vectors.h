/*
 * word_vectors.h - vectors of words in word2vec's text format, and what is near what.
 *
 *     struct word_vectors *v;
 *     status = word_vectors_load(&v, "vectors.txt", &err);
 *     const int32_t king = word_vectors_find(v, "king", 4);              // -1: not there
 *     count = word_vectors_nearest(v, word_vectors_row(v, king), &king, 1, near, 10);
 *     word_vectors_free(v);
 *
 * The file: a line "words numbers", then a line for each word with its
 * numbers, one space between; plain or gzipped. Whoever wrote it, it is read
 * strictly: as many words and numbers as it says, each word once, nothing but
 * finite numbers. Vectors never change after loading: share them.
 */
#ifndef SERVER_ENGINE_WORD_VECTORS_H
#define SERVER_ENGINE_WORD_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define WORD_VECTORS_WORDS_MAX (1 << 24)
#define WORD_VECTORS_SIZE_MAX 4096
#define WORD_VECTORS_NUMBERS_MAX ((size_t)1 << 30) // in all: 4 GiB of memory
#define WORD_VECTORS_WORD_BYTES_MAX 1028

struct word_vectors;

/* Memory grows with what is read, not with what the first line promises. */
MUST_CHECK enum status word_vectors_load(struct word_vectors **out, const char *path,
                                         struct error *err);
void word_vectors_free(struct word_vectors *v); // NULL is fine

int word_vectors_count(const struct word_vectors *v);
int word_vectors_size(const struct word_vectors *v);
int32_t word_vectors_find(const struct word_vectors *v, const char *word, size_t len); // or -1
const char *word_vectors_word(const struct word_vectors *v, int32_t i);
const float *word_vectors_row(const struct word_vectors *v, int32_t i); // (size)
double word_vectors_norm(const struct word_vectors *v, int32_t i);

struct neighbour {
    int32_t word;
    double cosine; // -1 to 1; 0 if a vector is zero
};

/* The words whose vectors point most as `query` (size) does, the nearest first and of equal ones
 * the earlier in the file, without the `except_count` words of `except`. Returns how many: `wanted`
 * (at least 1) or all there are. */
int word_vectors_nearest(const struct word_vectors *v, const float *query, const int32_t *except,
                         int except_count, struct neighbour *out, int wanted);

/* Writes words[i] with row i of values (count, size); nine digits, so that reading gives the same
 * bits. The file is replaced whole or not at all. */
MUST_CHECK enum status word_vectors_save(const char *path, const char *const *words,
                                         const float *values, int count, int size,
                                         struct error *err);

#endif
