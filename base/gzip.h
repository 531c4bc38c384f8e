/*
 * gzip.h - lines of a text file that may be gzipped, by zlib (its only user).
 *
 *     struct line_reader *in;
 *     if (line_reader_open(&in, "corpus.tsv.gz", &err) != STATUS_OK) ...
 *     while ((status = line_reader_next(in, &line, &err)) == STATUS_OK && line.text) ...
 *     line_reader_close(in);
 *
 * Whether a file is gzipped is decided by its first bytes, not its name; path
 * "-" is standard input. A truncated or damaged gzip stream is STATUS_BAD_FILE
 * with the line reached, never a quiet end. One thread a reader.
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

#define LINE_BYTES_MAX (1 << 20) // a longer line is STATUS_TOO_LARGE

struct line_reader;

struct line {
    const char *text; // NUL-terminated, without "\n" or "\r\n"; NULL at the end of the file
    size_t len;       // may include NULs of the file
    long number;      // from 1
};

MUST_CHECK enum status line_reader_open(struct line_reader **out, const char *path,
                                        struct error *err);
void line_reader_close(struct line_reader *in); // NULL is fine

/* line->text is borrowed until the next call. STATUS_TOO_LARGE leaves the
 * reader at the start of the next line: the caller may go on. */
MUST_CHECK enum status line_reader_next(struct line_reader *in, struct line *line,
                                        struct error *err);
/* Whether the next call returns without waiting for a pipe or a terminal: answer what you have
 * before you wait. */
bool line_reader_ready(struct line_reader *in);
/* How far through the (compressed) file we are, 0 to 1, for progress bars. */
double line_reader_progress(const struct line_reader *in);

#endif
