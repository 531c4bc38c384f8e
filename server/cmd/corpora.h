/*
 * corpora.h - what "verso train", "verso lm train" and "verso vocab" share: corpora named by
 * options, bad lines said as they are left out, and learning a vocabulary with a progress bar.
 */
#ifndef SERVER_CMD_CORPORA_H
#define SERVER_CMD_CORPORA_H

#include "base/json.h"
#include "base/status.h"
#include "server/cmd/options.h"
#include "server/engine/corpus.h"
#include "tokenizer/learn.h"

#define CORPORA_MAX (OPTION_LIST_MAX + OPERANDS_MAX)
#define VOCABULARY_COVERAGE 0.9995 // share of the characters that get a piece of their own
#define ON_BAD_LINE_OPTION                                                                         \
    {                                                                                              \
        "on-bad-line", OPTION_TEXT, .value = "WHAT", .fallback = "skip",                           \
                                    .help = "a line of no use: skip (and count it) or refuse"      \
    }

struct corpora {
    const char *paths[CORPORA_MAX];
    int count;
    struct corpus_options options; // its context is this struct: do not copy
    long bad_lines_said;
    bool quiet; // says nothing: others read the same
};

/* The files of list option `name` (STATUS_BAD_USAGE if there are none), operands too if wanted,
 * and what --on-bad-line says. */
MUST_CHECK enum status corpora_from_options(struct corpora *c, const struct options *o,
                                            const char *name, bool with_operands,
                                            struct error *err);

/* Names without folders, for a card: where they lay is nobody's business. NULL: no memory. */
json_t *corpora_names(const struct corpora *c);

/* Of texts, or a joint one of both sides of pairs; options.on_progress is set here. Bad lines have
 * been said afterwards and are not said again. */
MUST_CHECK enum status corpora_learn_vocabulary(struct corpora *c, struct learn_options options,
                                                struct vocabulary **out, struct error *err);

#endif
