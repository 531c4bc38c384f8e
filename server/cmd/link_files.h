/*
 * link_files.h - one file of word links, or two directions of them, line by line.
 *
 *     struct link_files files;
 *     status = link_files_open(&files, "forward.txt", NULL, &err);
 *     while ((status = link_files_next(&files, &ended, &err)) == STATUS_OK && !ended)
 *         ... files.links[0] ...
 *     link_files_close(&files);                                  // also when open failed
 *
 * Both name the source word first, whichever way they were found.
 */
#ifndef SERVER_CMD_LINK_FILES_H
#define SERVER_CMD_LINK_FILES_H

#include "base/gzip.h"
#include "server/quality/links.h"

struct link_files {
    const char *paths[2]; // borrowed; the second may be NULL
    struct line_reader *in[2];
    struct links links[2]; // of the line
    long line;             // from 1
};

MUST_CHECK enum status link_files_open(struct link_files *files, const char *forward,
                                       const char *reverse, struct error *err);
void link_files_close(struct link_files *files);

/* STATUS_BAD_INPUT: one is no line of links, or there are fewer of them in one file than in the
 * other. */
MUST_CHECK enum status link_files_next(struct link_files *files, bool *ended, struct error *err);

#endif
