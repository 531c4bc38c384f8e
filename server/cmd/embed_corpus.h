/*
 * embed_corpus.h - text files as the ids of their words, for "verso embed train".
 *
 *     status = embed_corpus_read(&c, paths, count, &options, &err);
 *     ... c.text, c.words ...
 *     embed_corpus_release(&c);
 *
 * A corpus is lines of text, or one column of tab-separated lines; plain or
 * gzipped. Words are those of tokenizer/words.h without the mark of a space: a
 * run of letters, of digits, or of other characters. The texts are read once.
 * The ids lie in a file without a name beside the output, so memory holds the
 * different words alone; word 0 is the most frequent one.
 */
#ifndef SERVER_CMD_EMBED_CORPUS_H
#define SERVER_CMD_EMBED_CORPUS_H

#include <stdbool.h>
#include "base/map.h"
#include "base/status.h"
#include "model/train/word2vec.h"

struct embed_corpus_options {
    int column;          // of tab-separated lines, from 1; 0: the whole line
    bool casefold;       // make no difference between capital and small letters
    int least_count;     // rarer words are left out
    bool skip_bad_lines; // say and count them; otherwise the first is STATUS_BAD_INPUT
    const char *beside;  // the file of ids is made in the folder of this one
};

struct embed_corpus {
    struct word2vec_text text; // ids and counts are this struct's
    const char **words;        // (text.words)
    int64_t word_count;        // in all lines, rare ones too
    size_t different;          // words, rare ones too
    long lines, bad_lines;

    struct map *index; // what words point into
    int32_t *ids;      // mapped
    size_t mapped_bytes;
    int64_t *counts;
};

/* STATUS_BAD_INPUT if fewer than two words are frequent enough. */
MUST_CHECK enum status embed_corpus_read(struct embed_corpus *c, const char *const *paths,
                                         int count, const struct embed_corpus_options *options,
                                         struct error *err);
void embed_corpus_release(struct embed_corpus *c); // {0} is fine

#endif
