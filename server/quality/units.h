/*
 * units.h - a sentence as a row of units, and counts of their n-grams.
 *
 * Private to this folder. Units are words or characters. Their text is kept
 * joined (words by one space), so that every n-gram is a stretch of it:
 *
 *     text    t h e   c a t           unit i         text[starts[i] .. starts[i+1] - gap)
 *     starts  0       4       8       units i..i+n   text[starts[i] .. starts[i+n] - gap)
 */
#ifndef SERVER_QUALITY_UNITS_H
#define SERVER_QUALITY_UNITS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/bytes.h"
#include "server/quality/quality.h"

/* Most bytes any stage of tokenisation may need: 13a at most grows a character to five. */
#define UNITS_BYTES_MAX (8 * QUALITY_SENTENCE_BYTES_MAX)
#define GRAMS_BYTES_MAX ((size_t)UNITS_BYTES_MAX * (QUALITY_REFERENCES_MAX + 1))

struct units {
    struct bytes text;
    uint32_t *starts; // (count + 1)
    int count, capacity;
    uint32_t gap; // bytes between units: 1 for words, 0 for characters
};

void units_init(struct units *u);
void units_release(struct units *u);

/* Fill from valid UTF-8; false: no memory. */
bool units_of_words(struct units *u, const char *text, size_t len);      // cut at white space
bool units_of_characters(struct units *u, const char *text, size_t len); // white space left out
/* As words, with ASCII punctuation at either end of a word (the end first) cut off as its own. */
bool units_of_bare_words(struct units *u, const char *text, size_t len);

/* ---- words as the mteval-v13a script cuts them ---- */

struct words_13a { // scratch
    struct bytes a, b;
};
void words_13a_init(struct words_13a *w);
void words_13a_release(struct words_13a *w);
bool words_13a(struct words_13a *w, const char *text, size_t len, struct units *out);

/* ---- counts ---- */

enum { COUNT_HYPOTHESIS, COUNT_REFERENCE, COUNT_MOST, COUNT_COLUMNS };

struct gram {
    uint32_t from, len; // in the text of struct grams
    uint32_t hash;
    int order; // n, or whatever else keeps two kinds of n-grams apart
    int counts[COUNT_COLUMNS];
};

struct grams {
    struct bytes text;    // of all units counted, so that these may change
    struct gram *entries; // (count) in order of first appearance
    int32_t *slots;       // (slot_count) index into entries, -1: free; a power of two
    int count, capacity;
    int slot_count;
};

void grams_init(struct grams *g);
void grams_release(struct grams *g);
void grams_clear(struct grams *g);

/* Add one to `column` of each n-gram of u, 1 <= n <= orders; n-grams of n units get the order
 * first_order + n - 1. False: no memory. */
bool grams_count(struct grams *g, const struct units *u, int orders, int first_order, int column);

/* ids[i] = a number that equal units share, for all units counted since the last clear with this
 * function; false: no memory. */
bool grams_number(struct grams *g, const struct units *u, int32_t *ids /* (u->count) */);

#endif
