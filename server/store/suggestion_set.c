/* suggestion_set.c - the accepted suggestions in memory, and those for nearly the same text. */
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/memory.h"
#include "server/store/sql.h"
#include "server/store/suggestions.h"

#define LANGUAGE_BYTES_MAX 16
#define KEY_BYTES_MAX (2 * LANGUAGE_BYTES_MAX + SUGGESTION_BYTES_MAX)

struct suggestion_set {
    struct map *places; // "en", a NUL, "fr", a NUL, the source text -> where its suggestion starts
    struct bytes texts; // one behind the other, each its id, then the text with its NUL
};

/* 0: languages or text are longer than any that are stored. */
static size_t write_key(char key[KEY_BYTES_MAX], const char *source_language,
                        const char *target_language, const char *text, size_t len)
{
    const size_t source = strlen(source_language) + 1, target = strlen(target_language) + 1;
    if (source > LANGUAGE_BYTES_MAX || target > LANGUAGE_BYTES_MAX || len > SUGGESTION_BYTES_MAX)
        return 0;
    memcpy(key, source_language, source);
    memcpy(key + source, target_language, target);
    memcpy(key + source + target, text, len);
    return source + target + len;
}

/* ---- loading ---- */

enum status suggestions_stamp(struct db *db, long long *stamp, struct error *err)
{
    return sql_number(
        db,
        "SELECT (SELECT count(*) FROM suggestions WHERE state = 'accepted') * 1000003 + "
        "coalesce((SELECT max(decided_ms) FROM suggestions), 0)",
        stamp, err);
}

static enum status take_row(struct db *db, sqlite3_stmt *q, struct suggestion_set *set,
                            struct error *err)
{
    char key[KEY_BYTES_MAX];
    const char *texts[4];
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < 4; i++)
        status = sql_text(db, q, i, &texts[i], err);
    if (status != STATUS_OK)
        return status;
    const size_t len = write_key(key, texts[0], texts[1], texts[2], strlen(texts[2]));
    if (len == 0)
        return STATUS_OK; // put there by hand: nobody's text
    const int64_t at = (int64_t)set->texts.len, id = sqlite3_column_int64(q, 4);
    if (!bytes_append(&set->texts, (const char *)&id, sizeof id) ||
        !bytes_append(&set->texts, texts[3], strlen(texts[3]) + 1))
        return bytes_check(&set->texts, "the accepted suggestions", err);
    if (!map_insert(set->places, key, len, at))
        return error_set(err, STATUS_NO_MEMORY, "no memory for the accepted suggestions");
    return STATUS_OK;
}

static enum status read_set(struct db *db, struct suggestion_set *set, struct error *err)
{
    bool has_row;
    sqlite3_stmt *q;
    enum status status =
        sql_prepare(db, &q,
                    "SELECT source_language, target_language, source_text, suggested_text, id "
                    "FROM suggestions WHERE state = 'accepted' ORDER BY id LIMIT ?1",
                    err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 1, SUGGESTIONS_ACCEPTED_MAX, err);
    while (status == STATUS_OK) {
        status = sql_step(db, q, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        status = take_row(db, q, set, err);
    }
    sqlite3_finalize(q);
    return status;
}

enum status suggestion_set_load(struct suggestion_set **out, struct db *db, struct error *err)
{
    *out = NULL;
    struct suggestion_set *set = memory_zeroed(1, sizeof *set);
    if (!set)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the accepted suggestions");
    bytes_init(&set->texts, SUGGESTION_SET_BYTES);
    set->places = map_new();
    enum status status =
        set->places ? read_set(db, set, err)
                    : error_set(err, STATUS_NO_MEMORY, "no memory for the accepted suggestions");
    if (status != STATUS_OK) {
        suggestion_set_free(set);
        return status;
    }
    *out = set;
    return STATUS_OK;
}

void suggestion_set_free(struct suggestion_set *set)
{
    if (!set)
        return;
    map_free(set->places);
    bytes_release(&set->texts);
    memory_free(set);
}

bool suggestion_set_is_empty(const struct suggestion_set *set)
{
    return map_count(set->places) == 0;
}

bool suggestion_set_find(const struct suggestion_set *set, const char *source_language,
                         const char *target_language, const char *text, size_t len,
                         struct suggested_text *out)
{
    char key[KEY_BYTES_MAX];
    int64_t id;
    if (suggestion_set_is_empty(set))
        return false;
    const size_t key_len = write_key(key, source_language, target_language, text, len);
    const int64_t *at = key_len > 0 ? map_find(set->places, key, key_len) : NULL;
    if (!at)
        return false;
    memcpy(&id, set->texts.data + *at, sizeof id);
    *out = (struct suggested_text){ id, set->texts.data + *at + sizeof id };
    return true;
}
