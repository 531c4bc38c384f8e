/*
 * links.h - which words of a sentence belong to which of its translation, and what two directions
 * say together.
 *
 *     struct links forward = { 0 }, reverse = { 0 }, both = { 0 };
 *     status = links_read(&forward, "0-0 1-2", 7, &err);
 *     ...
 *     ok = links_symmetrise(GROW_DIAG_FINAL_AND, &forward, &reverse, &both);
 *     ok = links_write(&both, &out);
 *     links_release(&both);
 *
 * Words are counted from 0. Links are a set: each is there once, in the order
 * of their target words and, of one target word, of their source words. As
 * text they are Pharaoh's: "source-target" pairs with a space between.
 *
 * A false result is always that there is no memory.
 */
#ifndef SERVER_QUALITY_LINKS_H
#define SERVER_QUALITY_LINKS_H

#include <stdbool.h>
#include "base/bytes.h"
#include "tokenizer/tokenizer.h"

#define LINKS_MAX (1 << 16)      // of a sentence, as text
#define LINKS_WORD_MAX (1 << 16) // numbers of words are below it

struct link {
    int source, target;
};

struct links { // {0} is empty
    struct link *items;
    int count, capacity;
};

void links_release(struct links *links);
void links_clear(struct links *links); // capacity kept

/* One that is there already is not added again. In order is quick, out of order is not. */
MUST_CHECK bool links_add(struct links *links, int source, int target);
bool links_have(const struct links *links, int source, int target);

/* Replaces what was there. STATUS_BAD_INPUT: not pairs of numbers; STATUS_TOO_LARGE: over a limit
 * above. */
MUST_CHECK enum status links_read(struct links *links, const char *text, size_t len,
                                  struct error *err);
bool links_write(const struct links *links, struct bytes *out); // false also: `out` is full

/* ---- two directions as one ---- */

/* What both found, what either found, or something in between (Koehn, Och and Marcu 2003): from
 * the intersection on, links of the union that touch one that is in, also at a corner, and have a
 * word without links come in (grow-diag), in the end those whose words both have none (final-and). */
enum symmetrisation { INTERSECTION, UNION, GROW_DIAG_FINAL_AND, SYMMETRISATIONS };
extern const char *const symmetrisation_names[SYMMETRISATIONS + 1]; // NULL behind the last

/* out: a third set, which is replaced. */
MUST_CHECK bool links_symmetrise(enum symmetrisation method, const struct links *forward,
                                 const struct links *reverse, struct links *out);

/* ---- the same texts cut into words in another way ---- */

struct word_spans { // bytes of the two texts; neither starts nor ends ever fall
    const struct span *source, *target;
    int S, T;
};

/* What white space separates in a valid text, in `words`, which has room for len / 2 + 1; returns how
 * many there are. */
int links_text_words(const char *text, size_t len, struct span *words);

/* A link is one of all words that share a byte with its own. out: another set, which is replaced. */
MUST_CHECK bool links_map(const struct links *links, const struct word_spans *from,
                          const struct word_spans *to, struct links *out);

/* Each link `source` and `target` words further; those that leave the sentences are left out. */
MUST_CHECK bool links_shift(const struct links *links, int source, int target, int S, int T,
                            struct links *out);

/* ---- against links that people made ---- */

/* Precision |A∩P|/|A|, recall |A∩S|/|S|, alignment error rate 1 - (|A∩S| + |A∩P|) / (|A| + |S|)
 * of links A, sure ones S and possible ones P, which have S in them (Och and Ney 2003). */
struct link_counts {
    long links, sure;                // |A|, |S|
    long links_possible, links_sure; // |A∩P|, |A∩S|
};
struct link_scores {
    double precision, recall, aer; // 0..1; of nothing 1, 1 and 0
};

void link_counts_add(struct link_counts *counts, const struct links *links,
                     const struct links *sure, const struct links *possible);
struct link_scores link_scores(const struct link_counts *counts);

#endif
