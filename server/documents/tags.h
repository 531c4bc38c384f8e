/*
 * tags.h - where the marks of a sentence go in its translation.
 *
 * Private to server/documents. A pair surrounds the words that look at those it
 * surrounded (target.h): within what holds it, and beside what it stands beside.
 * Half a pair, whose other half is in another sentence, reaches to that end of
 * the sentence. A pair that nothing looks at, and a point, stand where
 * target_place says. Marks inside one word stay where they are in it, if it is
 * the same word in both languages.
 */
#ifndef SERVER_DOCUMENTS_TAGS_H
#define SERVER_DOCUMENTS_TAGS_H

#include "server/documents/document.h"
#include "server/documents/target.h"

struct tag {
    uint32_t at; // byte of the hypothesis it stands before
    int mark;    // of the document
};

struct tags {
    struct tag *list; // (count) in order
    int count;
};

/* Each mark of the range once, but those that are held; false: the arena is full. */
bool tags_place(struct tags *tags, const struct document *document, struct range marks,
                struct span plain, struct target *target, const char *text, struct arena *arena);

#endif
