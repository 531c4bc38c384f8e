/*
 * letters.h - what of a text says of which language it is: its words, and nothing else.
 *
 *     "Voilà, l'adresse : https://x.fr/a?b 😀 (2024)"   ->   "voilà l'adresse"
 *
 * Letters in lower case, apostrophes within words, single spaces between
 * words. Digits, punctuation, emoji and control characters are as a space;
 * words with "://" or "@" in them or "www." in front are left out whole. Only
 * the first LETTERS_BYTES_MAX bytes are read.
 *
 * They are read in windows: about as long as the sentences a detector learns
 * from, cut between words where there is a space.
 */
#ifndef SERVER_DETECT_LETTERS_H
#define SERVER_DETECT_LETTERS_H

#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

#define LETTERS_BYTES_MAX 4096 // of a text
#define LETTERS_WINDOW 127     // characters, at most

struct letters {
    const int32_t *list; // (count) code points: letters, ' and U+0020
    int count;
    int letter_count; // without spaces and apostrophes
};

/* The text is valid UTF-8; the list is in the arena. STATUS_NO_MEMORY: that is full; one of
 * LETTERS_ARENA_BYTES never is. */
MUST_CHECK enum status letters_of(const char *text, size_t len, struct arena *arena,
                                  struct letters *out, struct error *err);
#define LETTERS_ARENA_BYTES ((size_t)2 << 20)

/* Where the window that starts at `from` ends; the next one starts one behind, as there is a space. */
int letters_window_end(const struct letters *letters, int from);

#endif
