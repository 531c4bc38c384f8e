/*
 * links.c - which words were made of which, how often.
 */
#include <string.h>

#include "server/store/journal_read.h"
#include "server/store/sql.h"

#define WORD_IS                                                                                    \
    "(?1 IS NULL OR p.source_word = ?1) AND (?2 IS NULL OR p.target_word = ?2) "                   \
    "AND (?3 IS NULL OR p.source_language = ?3) AND (?4 IS NULL OR p.target_language = ?4) "       \
    "AND p.target_word <> '' "
#define COLUMNS "p.source_word, p.target_word, p.source_language, p.target_language, "
#define BY_COUNT "ORDER BY 5 DESC, p.source_word, p.target_word LIMIT ?5"

static const char by_source[] = "SELECT " COLUMNS "p.count, p.last_id FROM word_pairs p "
                                "INDEXED BY word_pairs_by_source "
                                "WHERE p.source_word = ?1 AND " WORD_IS BY_COUNT;
static const char by_target[] = "SELECT " COLUMNS "p.count, p.last_id FROM word_pairs p "
                                "INDEXED BY word_pairs_by_target "
                                "WHERE p.target_word = ?2 AND " WORD_IS BY_COUNT;
static const char of_key[] =
    "SELECT " COLUMNS "count(*), max(l.translation_id) "
    "FROM (SELECT id FROM translations WHERE key_id = ?6 ORDER BY id DESC LIMIT ?7) t "
    "CROSS JOIN links l ON l.translation_id = t.id JOIN word_pairs p ON p.id = l.pair_id "
    "WHERE " WORD_IS "GROUP BY p.id " BY_COUNT;

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "the answer is too long: ask for less at once");
}

static enum status bind(struct db *db, sqlite3_stmt *s, const struct links_query *q,
                        long long key_id, struct error *err)
{
    const char *const texts[] = { q->source, q->target, q->source_language, q->target_language };
    const int limit = q->limit < LINKS_LIST_MAX ? q->limit : LINKS_LIST_MAX;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < 4; i++)
        status = sql_bind_text(db, s, 1 + i, texts[i], err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 5, limit, err);
    if (status == STATUS_OK && key_id >= 0)
        status = sql_bind_number(db, s, 6, key_id, err);
    if (status == STATUS_OK && key_id >= 0)
        status = sql_bind_number(db, s, 7, KEY_LINKS_TRANSLATIONS, err);
    return status;
}

static enum status take(struct db *db, sqlite3_stmt *s, struct arena *arena,
                        struct stored_link *out, struct error *err)
{
    const char **const texts[] = { &out->source, &out->target, &out->source_language,
                                   &out->target_language };
    for (int i = 0; i < 4; i++) {
        const char *text;
        enum status status = sql_text(db, s, i, &text, err);
        if (status != STATUS_OK)
            return status;
        *texts[i] = arena_copy(arena, text, strlen(text));
        if (!*texts[i])
            return no_memory(err);
    }
    out->count = sqlite3_column_int64(s, 4);
    out->last_id = sqlite3_column_int64(s, 5);
    return STATUS_OK;
}

enum status links_list(struct db *db, const struct links_query *query, long long key_id,
                       struct arena *arena, struct stored_link **out, int *count, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s = NULL;
    int n = 0;
    const char *sql = key_id >= 0 ? of_key : query->source ? by_source : by_target;
    struct stored_link *list = arena_array(arena, struct stored_link, query->limit);
    enum status status = list ? STATUS_OK : no_memory(err);
    if (status == STATUS_OK && !query->source && !query->target)
        status = error_set(err, STATUS_BAD_INPUT, "say which word, of the source or the target");
    if (status == STATUS_OK)
        status = sql_prepare(db, &s, sql, err);
    if (status == STATUS_OK)
        status = bind(db, s, query, key_id, err);
    while (status == STATUS_OK && n < query->limit) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        status = take(db, s, arena, &list[n++], err);
    }
    sqlite3_finalize(s);
    if (status == STATUS_OK) {
        *out = list;
        *count = n;
    }
    return status;
}
