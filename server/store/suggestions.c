/* suggestions.c - suggestions in the database: stored, listed, decided. */
#include "server/store/suggestions.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "server/store/sql.h"

static const char *const state_names[] = {
    [SUGGESTION_PENDING] = "pending",
    [SUGGESTION_ACCEPTED] = "accepted",
    [SUGGESTION_REJECTED] = "rejected",
};
#define STATE_COUNT (sizeof state_names / sizeof state_names[0])

const char *suggestion_state_name(enum suggestion_state state)
{
    return state_names[state];
}

bool suggestion_state_read(const char *name, enum suggestion_state *state)
{
    for (size_t i = 0; i < STATE_COUNT; i++) {
        if (strcmp(name, state_names[i]) != 0)
            continue;
        *state = (enum suggestion_state)i;
        return true;
    }
    return false;
}

enum status suggestion_client(long long key_id, const char *address,
                              char client[SUGGESTION_CLIENT_BYTES], struct error *err)
{
    char who[128], hex[SHA256_HEX_BYTES];
    uint8_t digest[SHA256_BYTES];
    if (key_id != 0)
        snprintf(who, sizeof who, "key %lld", key_id);
    else
        snprintf(who, sizeof who, "address %s", address);
    if (!sha256_of(who, strlen(who), digest))
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the suggestion");
    sha256_to_hex(digest, hex);
    snprintf(client, SUGGESTION_CLIENT_BYTES, "%.16s", hex);
    return STATUS_OK;
}

/* ---- adding ---- */

/* Prepared with the texts of `s` as parameters 1 to 4. */
static enum status prepare_for(struct db *db, sqlite3_stmt **out, const char *sql,
                               const struct suggestion *s, struct error *err)
{
    const char *const texts[] = { s->source_language, s->target_language, s->source_text,
                                  s->suggested_text };
    enum status status = sql_prepare(db, out, sql, err);
    for (int i = 0; status == STATUS_OK && i < sqlite3_bind_parameter_count(*out) && i < 4; i++)
        status = sql_bind_text(db, *out, i + 1, texts[i], err);
    return status;
}

/* Pending or accepted: what was rejected may be said again. */
static enum status is_there(struct db *db, const struct suggestion *s, bool *is, struct error *err)
{
    sqlite3_stmt *q;
    enum status status =
        prepare_for(db, &q,
                    "SELECT 1 FROM suggestions WHERE source_language = ?1 AND target_language = ?2 "
                    "AND source_text = ?3 AND suggested_text = ?4 AND state <> 'rejected'",
                    s, err);
    if (status == STATUS_OK)
        status = sql_step(db, q, is, err);
    sqlite3_finalize(q);
    return status;
}

static enum status check_room(struct db *db, const char *client, struct error *err)
{
    bool has_row;
    sqlite3_stmt *q;
    enum status status =
        sql_prepare(db, &q,
                    "SELECT (SELECT count(*) FROM suggestions WHERE state = 'pending'), "
                    "(SELECT count(*) FROM suggestions WHERE state = 'pending' AND client = ?1)",
                    err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, q, 1, client, err);
    if (status == STATUS_OK)
        status = sql_step(db, q, &has_row, err);
    if (status == STATUS_OK && (sqlite3_column_int(q, 0) >= SUGGESTIONS_PENDING_MAX ||
                                sqlite3_column_int(q, 1) >= SUGGESTIONS_PENDING_OF_ONE))
        status = error_set(err, STATUS_BUSY,
                           "as many suggestions are waiting to be read as may: try again when "
                           "someone has read them");
    sqlite3_finalize(q);
    return status;
}

static enum status insert(struct db *db, const struct suggestion *s, const char *client,
                          struct error *err)
{
    sqlite3_stmt *q;
    enum status status = prepare_for(
        db, &q,
        "INSERT INTO suggestions (source_language, target_language, source_text, suggested_text, "
        "client, key_id, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7)",
        s, err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, q, 5, client, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 6, s->key_id, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 7, clock_wall_ms(), err);
    if (status == STATUS_OK)
        status = sql_step_once(db, q, err);
    sqlite3_finalize(q);
    return status;
}

enum status suggestions_add(struct db *db, const struct suggestion *s, const char *client,
                            struct error *err)
{
    bool is = false;
    if (strlen(s->source_text) > SUGGESTION_BYTES_MAX ||
        strlen(s->suggested_text) > SUGGESTION_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "a suggestion's texts have at most %d bytes each: suggest sentence by "
                         "sentence",
                         SUGGESTION_BYTES_MAX);
    enum status status = sql_begin(db, err);
    if (status != STATUS_OK)
        return status;
    status = is_there(db, s, &is, err);
    if (status == STATUS_OK && !is)
        status = check_room(db, client, err);
    if (status == STATUS_OK && !is)
        status = insert(db, s, client, err);
    return sql_end(db, status, err);
}

/* ---- deciding ---- */

/* ?1 is the id, ?2 the time. */
static enum status update(struct db *db, const char *sql, long long id, struct error *err)
{
    sqlite3_stmt *q;
    enum status status = sql_prepare(db, &q, sql, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 1, id, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 2, clock_wall_ms(), err);
    if (status == STATUS_OK)
        status = sql_step_once(db, q, err);
    sqlite3_finalize(q);
    return status;
}

static enum status check_accepted_room(struct db *db, struct error *err)
{
    long long accepted;
    enum status status =
        sql_number(db, "SELECT count(*) FROM suggestions WHERE state = 'accepted'", &accepted, err);
    if (status == STATUS_OK && accepted >= SUGGESTIONS_ACCEPTED_MAX)
        status = error_set(err, STATUS_TOO_LARGE,
                           "%d suggestions are accepted, and no more can be: reject some",
                           SUGGESTIONS_ACCEPTED_MAX);
    return status;
}

static enum status decide(struct db *db, long long id, enum suggestion_state state,
                          struct error *err)
{
    enum status status = STATUS_OK;
    if (state == SUGGESTION_ACCEPTED) {
        status = check_accepted_room(db, err);
        if (status == STATUS_OK)
            status = update(
                db,
                "UPDATE suggestions SET state = 'rejected', decided_ms = ?2 FROM suggestions AS n "
                "WHERE n.id = ?1 AND suggestions.id <> ?1 AND suggestions.state = 'accepted' "
                "AND suggestions.source_text = n.source_text "
                "AND suggestions.source_language = n.source_language "
                "AND suggestions.target_language = n.target_language",
                id, err);
    }
    if (status == STATUS_OK)
        status = update(db,
                        state == SUGGESTION_ACCEPTED
                            ? "UPDATE suggestions SET state = 'accepted', decided_ms = ?2 "
                              "WHERE id = ?1"
                            : "UPDATE suggestions SET state = 'rejected', decided_ms = ?2 "
                              "WHERE id = ?1",
                        id, err);
    if (status == STATUS_OK && sqlite3_changes(db->handle) == 0)
        status = error_set(err, STATUS_NOT_FOUND, "there is no suggestion %lld", id);
    return status;
}

enum status suggestions_decide(struct db *db, long long id, enum suggestion_state state,
                               struct error *err)
{
    enum status status = sql_begin(db, err);
    if (status == STATUS_OK)
        status = sql_end(db, decide(db, id, state, err), err);
    return status;
}

/* ---- listing ---- */

static enum status copy_column(struct db *db, sqlite3_stmt *q, int column, struct arena *arena,
                               const char **out, struct error *err)
{
    const char *text;
    enum status status = sql_text(db, q, column, &text, err);
    if (status != STATUS_OK)
        return status;
    *out = arena_copy(arena, text, strlen(text));
    return *out ? STATUS_OK
                : error_set(err, STATUS_TOO_LARGE,
                            "the list is too long to be shown: ask for fewer at once");
}

static enum status read_row(struct db *db, sqlite3_stmt *q, struct arena *arena,
                            struct suggestion *s, struct error *err)
{
    const char **const texts[] = { &s->source_language, &s->target_language, &s->source_text,
                                   &s->suggested_text };
    enum status status = STATUS_OK;
    s->id = sqlite3_column_int64(q, 0);
    for (int i = 0; status == STATUS_OK && i < 4; i++)
        status = copy_column(db, q, 1 + i, arena, texts[i], err);
    s->key_id = sqlite3_column_int64(q, 5);
    s->created_ms = sqlite3_column_int64(q, 6);
    s->decided_ms = sqlite3_column_int64(q, 7);
    return status;
}

enum status suggestions_list(struct db *db, enum suggestion_state state, long long before,
                             int limit, struct arena *arena, struct suggestion **out, int *count,
                             struct error *err)
{
    bool has_row;
    sqlite3_stmt *q;
    *out = arena_array(arena, struct suggestion, limit);
    *count = 0;
    if (!*out)
        return error_set(err, STATUS_TOO_LARGE,
                         "the list is too long to be shown: ask for fewer at once");
    enum status status =
        sql_prepare(db, &q,
                    "SELECT id, source_language, target_language, source_text, suggested_text, "
                    "coalesce(key_id, 0), created_ms, coalesce(decided_ms, 0) FROM suggestions "
                    "WHERE state = ?1 AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
                    err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, q, 1, state_names[state], err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 2, before, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, q, 3, limit, err);
    while (status == STATUS_OK) {
        status = sql_step(db, q, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        struct suggestion *s = &(*out)[*count];
        *s = (struct suggestion){ .state = state };
        status = read_row(db, q, arena, s, err);
        ++*count;
    }
    sqlite3_finalize(q);
    return status;
}
