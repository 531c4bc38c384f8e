/*
 * embed_corpus.h - text files as the ids of their words, for "verso embed train".
 *
 *     status = embed_corpus_read(&c, &files, &options, &err);
 *     ... c.text, c.words ...
 *     embed_corpus_release(&c);
 *
 * Words are those of tokenizer/words.h without the mark of a space: a run of
 * letters, of digits, or of other characters. The texts are read once. The ids
 * lie in a file without a name beside the output, so memory holds the different
 * words alone; word 0 is the most frequent one.
 */
#ifndef SERVER_CMD_EMBED_CORPUS_H
#define SERVER_CMD_EMBED_CORPUS_H

#include <stdbool.h>
#include "base/map.h"
#include "base/status.h"
#include "model/train/word2vec.h"
#include "server/cmd/corpora.h"

struct embed_corpus_options {
    bool casefold;      // make no difference between capital and small letters
    int least_count;    // rarer words are left out
    const char *beside; // the file of ids is made in the folder of this one
};

struct embed_corpus {
    struct word2vec_text text; // ids and counts are this struct's
    const char **words;        // (text.words)
    int64_t word_count;        // in all lines, rare ones too
    size_t different;          // words, rare ones too
    long lines;                // that had something in them
    long bad_lines;            // left out

    struct map *index; // what words point into
    int32_t *ids;      // mapped
    size_t mapped_bytes;
    int64_t *counts;
};

/* The files are of texts (corpus_options.texts). STATUS_BAD_INPUT if fewer than two words are
 * frequent enough. */
MUST_CHECK enum status embed_corpus_read(struct embed_corpus *c, const struct corpora *files,
                                         const struct embed_corpus_options *options,
                                         struct error *err);
void embed_corpus_release(struct embed_corpus *c); // {0} is fine

#endif
