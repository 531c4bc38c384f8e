/*
 * journal_id.h - what a stored translation is called.
 *
 *     char text[JOURNAL_ID_BYTES];
 *     journal_id_write(text, "a1", id);                   // "a1-01HF7YAT00W3S"
 *     if (!journal_id_read(text, &id)) ...                // no id at all
 *
 * In the database it is a 64-bit number: milliseconds since 1970 in the high
 * bits, so that ids are in order of time, and 21 bits counted up from a random
 * start. As text it has the tag of the server that gave it in front, so that
 * a proxy can ask the right one; the number is 13 letters of Crockford's
 * base 32, which sort as the numbers do.
 */
#ifndef SERVER_STORE_JOURNAL_ID_H
#define SERVER_STORE_JOURNAL_ID_H

#include <stdbool.h>

#define JOURNAL_ID_BYTES 24 // with the NUL
#define JOURNAL_TAG_BYTES 9 // 1..8 letters or digits, and the NUL
#define JOURNAL_ID_TIME_BITS 21

bool journal_tag_is_valid(const char *tag);
void journal_id_write(char out[JOURNAL_ID_BYTES], const char *tag, long long id);
/* With a tag, whichever, or without. Small letters are read too, and i, l and o as what they look
 * like. */
bool journal_id_read(const char *text, long long *id);

#endif
