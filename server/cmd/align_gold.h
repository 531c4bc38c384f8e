/*
 * align_gold.h - the links of models, or of files, against those that people made (quality/gold.h):
 * precision, recall and alignment error rate.
 *
 * Of each direction, of both joined in each way, and of all of them shifted by
 * a word: a model whose links are a word late is right in the wrong place, and
 * shows it here by a better figure than its own.
 */
#ifndef SERVER_CMD_ALIGN_GOLD_H
#define SERVER_CMD_ALIGN_GOLD_H

#include "base/bytes.h"
#include "server/cmd/align_links.h"

struct gold_setup {
    const char *path;
    const struct engine *engines[2]; // as struct align_setup; or none, and
    const char *links[2];            // files in the gold's own words; the second may be NULL
    bool swapped;
    struct link_rule rule;
    int threads;
};

/* As a table or as a line of JSON, appended to `out`. */
MUST_CHECK enum status align_gold(const struct gold_setup *setup, bool json, struct bytes *out,
                                  struct error *err);

#endif
