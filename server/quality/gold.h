/*
 * gold.h - sentence pairs whose words people have linked, to measure links against.
 *
 *     struct gold gold = { 0 };
 *     status = gold_read(&gold, "test.jsonl", &err);
 *     ... gold.items[i].source, .words, .sure, .possible ...
 *     gold_release(&gold);
 *
 * A file has a line a pair, of one of two forms, and may be gzipped:
 *
 *     {"src":"It's so.","tgt":"C'est vrai.","src_spans":[[0,2],[2,4],...],"tgt_spans":[...],
 *      "sure":[[0,0],...],"possible":[[0,0],[1,1],...]}
 *     it 's so .<TAB>ce est vrai .<TAB>0-0 2-2<TAB>0-0 1-1 2-2
 *
 * In the first the texts are as people write them, and the spans are the words
 * of the links: [start, end) in code points; two words may have the same ones
 * (French "du" is "de le"). In the second the words stand apart in the texts.
 * Sure links count as possible ones, too.
 */
#ifndef SERVER_QUALITY_GOLD_H
#define SERVER_QUALITY_GOLD_H

#include "server/quality/links.h"

#define GOLD_PAIRS_MAX 100000

struct gold_pair {
    char *source, *target; // valid UTF-8
    struct word_spans words;
    struct links sure, possible;
};

struct gold { // {0} is empty
    struct gold_pair *items;
    int count, capacity;
};

/* STATUS_BAD_INPUT names the line and what is wrong with it. */
MUST_CHECK enum status gold_read(struct gold *gold, const char *path, struct error *err);
void gold_release(struct gold *gold);

#endif
