/*
 * evaluation_set.h - what translations are measured against: sources and their references.
 *
 *     struct evaluation_set set = { 0 };
 *     status = evaluation_set_read(&set, "test.tsv.gz", SET_PAIRS, 1, &err);
 *     status = evaluation_set_add_references(&set, "test-allrefs.tsv.gz", 1, &err);
 *     ... set.sources.items[i], references = evaluation_set_references(&set, i, list) ...
 *     evaluation_set_release(&set);
 */
#ifndef SERVER_CMD_EVALUATION_SET_H
#define SERVER_CMD_EVALUATION_SET_H

#include <stdbool.h>
#include "base/map.h"
#include "base/status.h"
#include "server/quality/quality.h"

#define EVALUATION_LINES_MAX 1000000 // of a file
#define EVALUATION_BYTES_MAX ((size_t)1 << 30)

struct text_list {
    char **items; // (count) each its own allocation
    int count, capacity;
    size_t bytes;
};

/* Takes a copy. STATUS_TOO_LARGE over the two limits above. */
MUST_CHECK enum status text_list_add(struct text_list *list, const char *text, size_t len,
                                     struct error *err);
void text_list_release(struct text_list *list);
/* All lines of a file, plain or gzipped. STATUS_BAD_INPUT: a line has a NUL in it. */
MUST_CHECK enum status text_list_read(struct text_list *list, const char *path, struct error *err);

enum set_form {
    SET_PAIRS,          // each line is source, tab, target
    SET_PAIRS_OR_TEXTS, // or, if the first line has no tab, a reference alone
};

struct evaluation_set {
    struct text_list sources;                       // empty if the file has references alone
    struct text_list references;                    // one a sentence
    struct text_list more_sources, more_references; // line by line of the second file
    struct map *first_more; // source -> its first line of the second file; NULL: there is none
    int *next_more;         // (more_sources.count) the next line with the same source; -1: last
};

/* source_column: 1 or 2, of pairs. A file without lines is STATUS_BAD_INPUT. */
MUST_CHECK enum status evaluation_set_read(struct evaluation_set *set, const char *path,
                                           enum set_form form, int source_column,
                                           struct error *err);
/* Further references: pairs, of which a sentence takes all those with its source. */
MUST_CHECK enum status evaluation_set_add_references(struct evaluation_set *set, const char *path,
                                                     int source_column, struct error *err);
void evaluation_set_release(struct evaluation_set *set); // {0} is fine

/* Every reference of sentence i, its own first, none twice; how many. */
int evaluation_set_references(const struct evaluation_set *set, int i,
                              const char *list[QUALITY_REFERENCES_MAX]);

#endif
