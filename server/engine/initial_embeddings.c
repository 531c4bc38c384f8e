/*
 * initial_embeddings.c - whole-word pieces looked up, their vectors scaled and put in.
 */
#include "server/engine/initial_embeddings.h"

#include <math.h>
#include <string.h>

#include "server/engine/word_vectors.h"
#include "tokenizer/bpe.h"

/* The word of the file that a piece is as a whole, or -1. */
static int32_t word_of(const struct word_vectors *v, const struct piece *piece)
{
    if (piece->kind != PIECE_NORMAL || piece->len <= SPACE_MARK_BYTES ||
        memcmp(piece->text, SPACE_MARK_TEXT, SPACE_MARK_BYTES) != 0)
        return -1;
    return word_vectors_find(v, piece->text + SPACE_MARK_BYTES,
                             (size_t)piece->len - SPACE_MARK_BYTES);
}

static double root_mean_square(double sum, double count)
{
    return count > 0 ? sqrt(sum / count) : 0;
}

/* Of the first values, padding left out. */
static double deviation_of_rows(const real *rows, int count, int E)
{
    double sum = 0;
    for (size_t i = (size_t)(ID_PAD + 1) * (size_t)E; i < (size_t)count * (size_t)E; i++)
        sum += (double)rows[i] * (double)rows[i];
    return root_mean_square(sum, (double)(count - ID_PAD - 1) * E);
}

/* Of the vectors that pieces have; *found is how many. */
static double deviation_of_words(const struct word_vectors *v, const struct vocabulary *vocabulary,
                                 int *found)
{
    double sum = 0;
    *found = 0;
    for (int32_t id = 0; id < vocabulary_size(vocabulary); id++) {
        const int32_t word = word_of(v, vocabulary_piece(vocabulary, id));
        if (word < 0)
            continue;
        sum += pow(word_vectors_norm(v, word), 2);
        ++*found;
    }
    return root_mean_square(sum, (double)*found * word_vectors_size(v));
}

static void put_in(const struct word_vectors *v, const struct vocabulary *vocabulary, real *rows,
                   double scale)
{
    const int E = word_vectors_size(v);
    for (int32_t id = 0; id < vocabulary_size(vocabulary); id++) {
        const int32_t word = word_of(v, vocabulary_piece(vocabulary, id));
        for (int i = 0; word >= 0 && i < E; i++)
            rows[(size_t)id * (size_t)E + (size_t)i] =
                (real)(scale * (double)word_vectors_row(v, word)[i]);
    }
}

enum status initial_embeddings(const char *path, const struct vocabulary *vocabulary, real *rows,
                               int E, int *found, struct error *err)
{
    struct word_vectors *v;
    int count = 0;
    enum status status = word_vectors_load(&v, path, err);
    if (status != STATUS_OK)
        return status;
    const int size = word_vectors_size(v);
    const double deviation = deviation_of_words(v, vocabulary, &count);
    if (size != E) {
        status = error_set(err, STATUS_BAD_USAGE,
                           "%s has vectors of %d numbers, and the embedding has %d: make the "
                           "embedding %d wide, or train vectors of %d numbers",
                           path, size, E, size, E);
    } else if (deviation <= 0) {
        status = error_set(err, STATUS_BAD_INPUT,
                           "no piece of the vocabulary is a word of %s with a vector: is it of the "
                           "same language, and of the same case?",
                           path);
    } else {
        const double first = deviation_of_rows(rows, vocabulary_size(vocabulary), E);
        put_in(v, vocabulary, rows, first / deviation);
        *found = count;
    }
    word_vectors_free(v);
    return status;
}
