/*
 * align_links.h - what models attend to, as links between words.
 *
 *     status = align_links_find(&links, &found, &rule, &err);       // struct align_answers
 *     ok = links_symmetrise(method, &links.of[0], &links.of[1], &joined);
 *     ok = links_map(&joined, &links.words, &text_words, &out);
 *
 * A link is always source word, target word of the pair, also where a model
 * read them the other way round.
 */
#ifndef SERVER_CMD_ALIGN_LINKS_H
#define SERVER_CMD_ALIGN_LINKS_H

#include "server/cmd/align_block.h"
#include "server/quality/links.h"

struct align_links {         // {0} is empty
    struct word_spans words; // as word_links.h cuts them, by the first model's pieces; in the arena
    struct links of[2];      // what each model found, in those words
    struct links scratch;
};

void align_links_release(struct align_links *links);

/* Which of a model's weights are links. */
struct link_rule {
    double threshold; // above 0: all weights that reach it
    bool said; // each word that the model says with the one it looked at most; else each word that
               // it reads with the one that looked at it most
};

MUST_CHECK enum status align_links_find(struct align_links *links,
                                        const struct align_answers *found,
                                        const struct link_rule *rule, struct error *err);

/* What white space separates. */
MUST_CHECK enum status align_text_words(const struct engine_pair *pair, struct arena *arena,
                                        struct word_spans *out, struct error *err);

#endif
