/*
 * models.c - which models were ever loaded.
 */
#include "base/clock.h"
#include "server/store/sql.h"
#include "server/store/vocabularies.h"

enum status models_record(struct db *db, const char *name, const char *source, const char *target,
                          const char *digest, const char *card, long long vocabulary_id,
                          long long *id, struct error *err)
{
    const char *const texts[] = { digest, name, source, target, card };
    const int text_count = (int)(sizeof texts / sizeof texts[0]);
    bool has_row;
    sqlite3_stmt *s;
    enum status status = sql_prepare(
        db, &s,
        "INSERT INTO models (digest, name, source, target, card, vocabulary_id, first_loaded_ms, "
        "                    last_loaded_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) "
        "ON CONFLICT (digest) DO UPDATE SET "
        "    last_loaded_ms = max(first_loaded_ms, excluded.last_loaded_ms) "
        "RETURNING id",
        err);
    for (int i = 0; status == STATUS_OK && i < text_count; i++)
        status = sql_bind_text(db, s, i + 1, texts[i], err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 6, vocabulary_id, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 7, clock_wall_ms(), err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    const long long found = sqlite3_column_int64(s, 0);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err); // which commits
    if (status == STATUS_OK)
        *id = found;
    sqlite3_finalize(s);
    return status;
}
