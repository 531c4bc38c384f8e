/*
 * corpus.h - sentence pairs, or plain lines, out of text files: as text and as piece ids.
 *
 *     struct corpus *corpus;
 *     status = corpus_open(&corpus, paths, count, &options, &err);
 *     while ((status = corpus_next(corpus, &pair, &err)) == STATUS_OK && pair.source) {
 *         status = corpus_encode(corpus, vocabulary, &pair, &ids, &err);
 *         ...
 *     }
 *     corpus_close(corpus);
 *
 * A path is a file of lines "source<TAB>target", or two parallel files as
 * "a.en,a.fr"; either may be gzipped. Of texts it is a file of lines, and all
 * targets are empty; blank lines separate paragraphs and are passed over. What
 * comes out is good: two columns, valid UTF-8, something on both sides. A line that is not is refused or left
 * out, as the options say, with the name of the file and the number of the
 * line; parallel files of different lengths are always refused. One thread.
 */
#ifndef SERVER_ENGINE_CORPUS_H
#define SERVER_ENGINE_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "tokenizer/tokenizer.h"

#define CORPUS_SIDE_BYTES_MAX (64 << 10) // a sentence of more is a bad line

struct corpus_options {
    bool swap;           // the second column (or file) is the source
    bool texts;          // one text a line, and no pairs
    int column;          // of texts: which of tab-separated ones, from 1; 0: the whole line
    bool skip_bad_lines; // leave bad lines out; otherwise the first is STATUS_BAD_INPUT
    void (*on_bad_line)(void *context, const char *what); // of a line left out; may be NULL
    void *context;
};

struct corpus;

/* The paths are borrowed until close. */
MUST_CHECK enum status corpus_open(struct corpus **out, const char *const *paths, int count,
                                   const struct corpus_options *options, struct error *err);
void corpus_close(struct corpus *corpus); // NULL is fine

struct corpus_pair {
    const char *source; // not NUL-terminated; NULL at the end of the last file
    size_t source_len;
    const char *target;
    size_t target_len;
};

/* The texts are borrowed until the next call. */
MUST_CHECK enum status corpus_next(struct corpus *corpus, struct corpus_pair *pair,
                                   struct error *err);

struct corpus_ids {
    const int32_t *source; // (source_len) without </s>
    int source_len;
    const int32_t *target;
    int target_len;
    const struct span *source_spans, *target_spans; // bytes of the texts that each id stands for
};

/* The ids are borrowed until the next call. */
MUST_CHECK enum status corpus_encode(struct corpus *corpus, const struct vocabulary *vocabulary,
                                     const struct corpus_pair *pair, struct corpus_ids *ids,
                                     struct error *err);

long corpus_bad_lines(const struct corpus *corpus);  // left out so far
double corpus_progress(const struct corpus *corpus); // 0 to 1, over all files

#endif
