/*
 * suggestions_near.c - what was accepted for nearly the same text.
 *
 * Full-text search finds texts with words in common, best first; of these only
 * such count as are alike letter by letter: twice the pairs of neighbouring
 * bytes that both have, over the pairs of each (Dice), is at least ALIKE.
 */
#include <string.h>

#include "base/bytes.h"
#include "server/store/sql.h"
#include "server/store/suggestions.h"

#define WORDS_MAX 32 // of a text, that are searched for
#define WORD_BYTES_MAX 64
#define CANDIDATES_MAX 64 // looked at, for each that is wanted
#define ALIKE 0.6
#define QUERY_BYTES_MAX (WORDS_MAX * (WORD_BYTES_MAX + 8))
#define PAIR_KINDS 65536

static bool is_word_byte(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* "good" OR "morning": the text's words, none of which can be taken for an operator. */
static bool write_query(struct bytes *query, const char *text)
{
    int words = 0;
    while (*text && words < WORDS_MAX) {
        size_t len = 0;
        while (is_word_byte((unsigned char)text[len]))
            len++;
        if (len > 0 && len <= WORD_BYTES_MAX) {
            bytes_append_text(query, words++ > 0 ? " OR \"" : "\"");
            bytes_append(query, text, len);
            bytes_append_char(query, '"');
        }
        text += len > 0 ? len : 1;
    }
    return words > 0 && !query->failed;
}

static int pair_at(const char *text, size_t i)
{
    unsigned char a = (unsigned char)text[i], b = (unsigned char)text[i + 1];
    if (a >= 'A' && a <= 'Z')
        a |= 0x20;
    if (b >= 'A' && b <= 'Z')
        b |= 0x20;
    return a << 8 | b;
}

/* 0..1. counts: (PAIR_KINDS) of the text's pairs; as it was when this returns. */
static double likeness(short *counts, const char *text, const char *other)
{
    const size_t len = strlen(text), other_len = strlen(other);
    size_t common = 0;
    if (len < 2 || other_len < 2)
        return 0;
    for (size_t i = 0; i + 1 < other_len; i++)
        common += counts[pair_at(other, i)]-- > 0;
    for (size_t i = 0; i + 1 < other_len; i++)
        counts[pair_at(other, i)]++;
    return 2.0 * (double)common / (double)(len - 1 + other_len - 1);
}

static short *count_pairs(const char *text, struct arena *arena)
{
    short *counts = arena_array(arena, short, PAIR_KINDS);
    if (!counts)
        return NULL;
    memset(counts, 0, PAIR_KINDS * sizeof *counts);
    for (size_t i = 0; text[0] && text[i + 1]; i++)
        counts[pair_at(text, i)]++;
    return counts;
}

static enum status no_room(struct error *err)
{
    return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
}

/* The statement's rows, filtered. */
static enum status take_near(struct db *db, sqlite3_stmt *q, const char *text, int max,
                             struct arena *arena, const char **near, int *count, struct error *err)
{
    bool has_row;
    const char *source, *suggested;
    enum status status = STATUS_OK;
    short *counts = count_pairs(text, arena);
    if (!counts)
        return no_room(err);
    while (status == STATUS_OK && *count < max) {
        status = sql_step(db, q, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        status = sql_text(db, q, 0, &source, err);
        if (status == STATUS_OK)
            status = sql_text(db, q, 1, &suggested, err);
        if (status != STATUS_OK || strcmp(source, text) == 0 ||
            likeness(counts, text, source) < ALIKE)
            continue;
        near[*count] = arena_copy(arena, suggested, strlen(suggested));
        if (!near[(*count)++])
            status = no_room(err);
    }
    return status;
}

static enum status search(struct db *db, const char *query, const char *source_language,
                          const char *target_language, const char *text, int max,
                          struct arena *arena, const char **near, int *count, struct error *err)
{
    const char *const texts[] = { query, source_language, target_language };
    sqlite3_stmt *q;
    enum status status = sql_prepare(
        db, &q,
        "SELECT s.source_text, s.suggested_text FROM suggestions_fts "
        "JOIN suggestions AS s ON s.id = suggestions_fts.rowid "
        "WHERE suggestions_fts MATCH ?1 AND s.source_language = ?2 AND s.target_language = ?3 "
        "AND s.state = 'accepted' ORDER BY suggestions_fts.rank LIMIT ?4",
        err);
    for (int i = 0; status == STATUS_OK && i < 3; i++)
        status = sql_bind_text(db, q, i + 1, texts[i], err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 4, CANDIDATES_MAX * (long long)max, err);
    if (status == STATUS_OK)
        status = take_near(db, q, text, max, arena, near, count, err);
    sqlite3_finalize(q);
    return status;
}

enum status suggestions_near(struct db *db, const char *source_language,
                             const char *target_language, const char *text, int max,
                             struct arena *arena, const char ***out, int *count, struct error *err)
{
    struct bytes query;
    enum status status = STATUS_OK;
    *count = 0;
    *out = arena_array(arena, const char *, max);
    if (!*out)
        return no_room(err);
    if (strlen(text) > SUGGESTION_BYTES_MAX)
        return STATUS_OK;
    bytes_init(&query, QUERY_BYTES_MAX);
    if (write_query(&query, text))
        status = search(db, query.data, source_language, target_language, text, max, arena, *out,
                        count, err);
    bytes_release(&query);
    return status;
}
