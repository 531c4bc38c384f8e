/*
 * learn.h - learn a byte-fallback BPE vocabulary from a corpus.
 *
 *     struct learner *l;
 *     learner_new(&l, options, &err);
 *     learner_add(l, text, len, &err);         // each sentence, both sides for a joint vocabulary
 *     learner_finish(l, &vocabulary, &err);
 *     learner_free(l);
 *
 * The most frequent adjacent pair of pieces within words (words.h) is merged,
 * again and again (Sennrich 2016). After the control and byte pieces come the
 * merged ones, then the characters, the most frequent first; the k-th of them
 * has score -k. Ties go to the text that is smaller in byte order, so the same
 * corpus gives the same vocabulary whatever the order of its lines and the
 * number of threads. One thread calls; a learner finishes once.
 */
#ifndef TOKENIZER_LEARN_H
#define TOKENIZER_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"
#include "tokenizer/vocabulary.h"

#define LEARN_TEXT_BYTES_MAX (1 << 20) // of one text; STATUS_TOO_LARGE above, nothing counted

struct learn_options {
    int size;        // pieces in all, the 260 control and byte pieces included
    bool characters; // none is merged: the size is that of the alphabet, at most `size`
    double coverage; // share of the corpus' characters that get a piece: 0.9995
    int threads;
    struct vocabulary_options text;
    void (*on_progress)(void *context, int pieces_done, int pieces_wanted); // NULL is fine
    void *context;
};

struct learner;

MUST_CHECK enum status learner_new(struct learner **out, struct learn_options options,
                                   struct error *err);
/* Invalid UTF-8: STATUS_BAD_INPUT, nothing counted; the caller may go on. */
MUST_CHECK enum status learner_add(struct learner *l, const char *text, size_t len,
                                   struct error *err);
/* Fewer pieces than asked for when the corpus has no more pairs that occur twice. */
MUST_CHECK enum status learner_finish(struct learner *l, struct vocabulary **out,
                                      struct error *err);
void learner_free(struct learner *l); // NULL is fine
#endif
