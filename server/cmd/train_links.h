/*
 * train_links.h - word links that come with training pairs, line by line, as links between pieces.
 *
 *     struct train_links *links;
 *     status = train_links_open(&links, "train.links", swapped, &err);
 *     status = train_links_find(links, line, &pair, &ids, &err);      // lines must rise
 *     ... train_links_codes(links), train_links_count(links) ...      // pair_link's, in order
 *     status = train_links_end(links, lines, &err);
 *     train_links_close(links);
 *
 * The file has a line for each line of the corpora, one behind the other: what
 * "verso align" writes, between words that white space separates, the word of
 * the first column first.
 */
#ifndef SERVER_CMD_TRAIN_LINKS_H
#define SERVER_CMD_TRAIN_LINKS_H

#include "server/engine/corpus.h"

struct train_links;

/* swapped: the second column is the source of the pairs. */
MUST_CHECK enum status train_links_open(struct train_links **out, const char *path, bool swapped,
                                        struct error *err);
void train_links_close(struct train_links *links); // NULL is fine

/* Those of line `line` of the corpora, from 1. STATUS_BAD_INPUT: it is no line of links, a word is
 * not there, or the file has ended. */
MUST_CHECK enum status train_links_find(struct train_links *links, long line,
                                        const struct corpus_pair *pair,
                                        const struct corpus_ids *ids, struct error *err);
const int32_t *train_links_codes(const struct train_links *links);
int train_links_count(const struct train_links *links);

/* STATUS_BAD_INPUT if there are not as many lines as the corpora had. */
MUST_CHECK enum status train_links_end(struct train_links *links, long lines, struct error *err);

#endif
