/*
 * label.h - bytes from anywhere as text that can be shown.
 *
 *     label_append(&out, "bel\x07\xFF", 24);          // bel␇�
 *
 * Private to server/render. What an XML file, a terminal or a reader cannot
 * take is replaced: wrong UTF-8 and what Unicode has no character for by
 * U+FFFD, control characters by their pictures, and those that turn the
 * direction of a text are left out, for a label stands alone.
 */
#ifndef SERVER_RENDER_LABEL_H
#define SERVER_RENDER_LABEL_H

#include "base/bytes.h"

#define LABEL_COLUMNS_MAX 24 // of a token in a picture
#define LABEL_BYTES_MAX 256  // of what is shown: marks take no column

/* A label of at most so many columns; what is cut ends in "…", and nothing is shown as "·". */
bool label_append(struct bytes *out, const char *text, int columns_max);

/* The text with all its characters, and U+FFFD for what is not UTF-8. */
bool label_append_valid(struct bytes *out, const char *text);

/* About how wide a label is, in heights of its font. No font is asked, so that a picture is the
 * same wherever it is made: it is rather too much than too little. */
double label_ems(const char *label);

#endif
