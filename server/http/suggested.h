/*
 * suggested.h - the accepted suggestions, in memory while the server runs.
 *
 *     struct suggested *suggested;
 *     status = suggested_open(&suggested, db, &err);
 *     status = suggested_follow(suggested, background, &err);   // looks each second for new ones
 *     struct suggested_text found;
 *     if (suggested_find(suggested, "en", "fr", "Hello", 5, &found)) ... found.text ...
 *     suggested_free(suggested);
 *
 * Loop thread only.
 */
#ifndef SERVER_HTTP_SUGGESTED_H
#define SERVER_HTTP_SUGGESTED_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"
#include "server/store/db.h"
#include "server/store/suggestions.h"

#define SUGGESTED_REFRESH_MS 1000

struct background;
struct suggested;

MUST_CHECK enum status suggested_open(struct suggested **out, struct db *db, struct error *err);
void suggested_free(struct suggested *suggested); // NULL is fine
MUST_CHECK enum status suggested_follow(struct suggested *suggested, struct background *background,
                                        struct error *err);

/* Borrowed until the loop goes on; false: nothing was accepted for exactly this text. */
bool suggested_find(const struct suggested *suggested, const char *source, const char *target,
                    const char *text, size_t len, struct suggested_text *out);
bool suggested_is_empty(const struct suggested *suggested);

#endif
