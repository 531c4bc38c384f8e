/*
 * display.h - how much room a text takes where it is shown, and which way it runs.
 *
 *     int columns, used = 0;
 *     for (size_t at = 0; at < len; at += cluster_next(text + at, len - at, &columns))
 *         used += columns;                       // what text_columns(text, len) says
 *
 * A cluster is what a reader takes for one character: a letter with its marks,
 * an emoji of several, the two halves of a flag. Columns are those of a
 * terminal: 0, 1, or 2 for what is wide. Texts are valid UTF-8. Pure functions.
 */
#ifndef TOKENIZER_DISPLAY_H
#define TOKENIZER_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the cluster at text, and its columns. len > 0. */
size_t cluster_next(const char *text, size_t len, int *columns);

int text_columns(const char *text, size_t len);

/* Whether the first letter that has a direction runs from right to left, as Arabic and Hebrew do;
 * *found is false if there is none. */
bool text_is_right_to_left(const char *text, size_t len, bool *found);

#endif
