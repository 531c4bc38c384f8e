/*
 * initial_embeddings.h - rows of a model's embedding that start from word vectors.
 *
 *     status = initial_embeddings("vectors.txt", vocabulary, rows, E, &found, &err);
 *
 * A piece that is a whole word ("▁king") gets that word's vector. Word vectors
 * may be of any length, so those found are scaled together, to the deviation
 * that rows had before. All other rows keep their first values.
 */
#ifndef SERVER_ENGINE_INITIAL_EMBEDDINGS_H
#define SERVER_ENGINE_INITIAL_EMBEDDINGS_H

#include "base/status.h"
#include "model/kernels/real.h"
#include "tokenizer/vocabulary.h"

/* rows are (pieces of the vocabulary, E), with their first values; row ID_PAD is zero. *found is
 * the number of pieces that got a vector. STATUS_BAD_USAGE if vectors are not E wide,
 * STATUS_BAD_INPUT if no piece is a word of the file; rows are unchanged then. */
MUST_CHECK enum status initial_embeddings(const char *path, const struct vocabulary *vocabulary,
                                          real *rows, int E, int *found, struct error *err);

#endif
