/*
 * journal_read.c - one stored translation, and the list of them.
 */
#include "server/store/journal_read.h"

#include <stdio.h>
#include <string.h>

#include "server/store/journal_queue.h"
#include "server/store/sql.h"
#include "server/store/vocabularies.h"

#define PATTERN_BYTES_MAX 4096 // of a text that is looked for

/* ---- columns ---- */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "the answer is too long: ask for less at once");
}

/* A copy, NULL where the column is NULL; *is_full when there is no room. */
static const char *copy_text(sqlite3_stmt *s, int column, struct arena *arena, bool *is_full)
{
    const void *text = sqlite3_column_text(s, column);
    if (!text)
        return NULL;
    char *copy = arena_copy(arena, text, (size_t)sqlite3_column_bytes(s, column));
    *is_full |= !copy;
    return copy;
}

static struct blob copy_blob(sqlite3_stmt *s, int column, struct arena *arena, bool *is_full)
{
    struct blob blob = { 0 };
    if (sqlite3_column_type(s, column) == SQLITE_NULL)
        return blob;
    const void *data = sqlite3_column_type(s, column) == SQLITE_TEXT
                           ? (const void *)sqlite3_column_text(s, column)
                           : sqlite3_column_blob(s, column);
    blob.len = (size_t)sqlite3_column_bytes(s, column);
    blob.data = arena_copy(arena, data ? data : "", blob.len);
    *is_full |= !blob.data;
    return blob;
}

/* ---- one row, out of the file ---- */

static enum status read_translation(struct db *db, long long id, long long key_id,
                                    struct arena *arena, struct journal_row *out, struct error *err)
{
    bool has_row = false, is_full = false;
    sqlite3_stmt *s;
    enum status status = sql_prepare(
        db, &s,
        "SELECT model_id, first_model_id, suggestion_id, key_id, source_text, target_text, "
        "       model_source, model_target, source_length, target_length, beam, took_us "
        "FROM translations WHERE id = ?1 AND (?2 < 0 OR key_id = ?2)",
        err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, id, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 2, key_id, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK && !has_row)
        status = error_set(err, STATUS_NOT_FOUND, "there is no such translation");
    if (status == STATUS_OK)
        *out = (struct journal_row){
            .id = id,
            .model_id = sqlite3_column_int64(s, 0),
            .first_model_id = sqlite3_column_int64(s, 1),
            .suggestion_id = sqlite3_column_int64(s, 2),
            .key_id = sqlite3_column_int64(s, 3),
            .source = copy_blob(s, 4, arena, &is_full),
            .target = copy_blob(s, 5, arena, &is_full),
            .model_source = copy_blob(s, 6, arena, &is_full),
            .model_target = copy_blob(s, 7, arena, &is_full),
            .source_length = sqlite3_column_int(s, 8),
            .target_length = sqlite3_column_int(s, 9),
            .beam = sqlite3_column_int(s, 10),
            .took_us = sqlite3_column_int64(s, 11),
        };
    sqlite3_finalize(s);
    return status == STATUS_OK && is_full ? no_memory(err) : status;
}

static enum status count_hypotheses(struct db *db, long long id, int *count, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    enum status status =
        sql_prepare(db, &s, "SELECT count(*) FROM hypotheses WHERE translation_id = ?1", err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, id, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK)
        *count = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return status;
}

static enum status read_hypotheses(struct db *db, long long id, struct arena *arena,
                                   struct journal_row *row, struct error *err)
{
    bool has_row = true, is_full = false;
    sqlite3_stmt *s = NULL;
    int count = 0;
    enum status status = count_hypotheses(db, id, &count, err);
    row->hypotheses = arena_array(arena, struct packed_hypothesis, count + 1);
    if (status == STATUS_OK && !row->hypotheses)
        status = no_memory(err);
    if (status == STATUS_OK)
        status = sql_prepare(db, &s,
                             "SELECT sentence, number, score, source, target, alignment "
                             "FROM hypotheses WHERE translation_id = ?1 ORDER BY sentence, number",
                             err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, id, err);
    while (status == STATUS_OK && row->hypothesis_count < count) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        row->hypotheses[row->hypothesis_count++] = (struct packed_hypothesis){
            .sentence = sqlite3_column_int(s, 0),
            .number = sqlite3_column_int(s, 1),
            .score = (float)sqlite3_column_double(s, 2),
            .source = copy_blob(s, 3, arena, &is_full),
            .target = copy_blob(s, 4, arena, &is_full),
            .alignment = copy_blob(s, 5, arena, &is_full),
        };
    }
    sqlite3_finalize(s);
    return status == STATUS_OK && is_full ? no_memory(err) : status;
}

/* In one transaction, so that another's delete does not come between. */
static enum status read_row(struct db *db, long long id, long long key_id, struct arena *arena,
                            struct journal_row *row, struct error *err)
{
    enum status status = sql_run(db, "BEGIN", err);
    if (status != STATUS_OK)
        return status;
    status = read_translation(db, id, key_id, arena, row, err);
    if (status == STATUS_OK)
        status = read_hypotheses(db, id, arena, row, err);
    return sql_end(db, status, err);
}

/* ---- from a row to what it says ---- */

/* Name, languages and vocabulary of the row's models. */
static enum status read_model(struct db *db, const struct journal_row *row, struct arena *arena,
                              struct stored_translation *out, struct error *err)
{
    bool has_row = false, is_full = false;
    sqlite3_stmt *s;
    enum status status =
        sql_prepare(db, &s,
                    "SELECT m.name, coalesce(f.source, m.source), m.target, "
                    "       iif(f.id IS NULL, NULL, m.source), m.vocabulary_id "
                    "FROM models m LEFT JOIN models f ON f.id = ?2 WHERE m.id = ?1",
                    err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, row->model_id, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 2, row->first_model_id, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK && !has_row)
        status = error_set(err, STATUS_BAD_FILE,
                           "the model of the translation is not in the database any more");
    if (status == STATUS_OK) {
        out->model = copy_text(s, 0, arena, &is_full);
        out->source_language = copy_text(s, 1, arena, &is_full);
        out->target_language = copy_text(s, 2, arena, &is_full);
        out->via = copy_text(s, 3, arena, &is_full);
        status = is_full
                     ? no_memory(err)
                     : vocabularies_borrow(db, sqlite3_column_int64(s, 4), &out->vocabulary, err);
    }
    sqlite3_finalize(s);
    return status;
}

static enum status explain(struct db *db, const struct journal_row *row, struct arena *arena,
                           struct stored_translation *out, struct error *err)
{
    struct stored_translation t = {
        .id = row->id,
        .key_id = row->key_id,
        .suggestion_id = row->suggestion_id,
        .created_ms = row->id >> JOURNAL_ID_TIME_BITS,
        .took_us = row->took_us,
        .source_text = row->source.data,
        .target_text = row->target.data,
        .source_length = row->source_length,
        .target_length = row->target_length,
        .beam = row->beam,
    };
    const struct blob given = row->model_source.data ? row->model_source : row->source;
    t.text = given.data;
    t.text_len = given.len;
    enum status status = read_model(db, row, arena, &t, err);
    if (status == STATUS_OK && given.data && row->suggestion_id == 0)
        status = answer_unpack(t.vocabulary, given.data, given.len, row->hypotheses,
                               row->hypothesis_count, arena, &t.answer, err);
    else if (row->target.data)
        t.answer = (struct engine_answer){ .text = row->target.data, .len = row->target.len };
    if (status == STATUS_OK)
        *out = t;
    return status;
}

/* A row of the queue has no NUL behind its texts. */
static bool end_texts(struct journal_row *row, struct arena *arena)
{
    struct blob *const texts[] = { &row->source, &row->target, &row->model_source,
                                   &row->model_target };
    for (int i = 0; i < 4; i++) {
        if (!texts[i]->data)
            continue;
        texts[i]->data = arena_copy(arena, texts[i]->data, texts[i]->len);
        if (!texts[i]->data)
            return false;
    }
    return true;
}

enum status journal_read(struct db *db, struct journal *journal, long long id, long long key_id,
                         struct arena *arena, struct stored_translation *out, struct error *err)
{
    struct journal_row row;
    bool found = false;
    enum status status = STATUS_OK;
    if (journal)
        status = journal_find_queued(journal, id, arena, &row, &found, err);
    if (status == STATUS_OK && found && key_id >= 0 && row.key_id != key_id)
        status = error_set(err, STATUS_NOT_FOUND, "there is no such translation");
    else if (status == STATUS_OK && found && !end_texts(&row, arena))
        status = no_memory(err);
    else if (status == STATUS_OK && !found)
        status = read_row(db, id, key_id, arena, &row, err);
    return status == STATUS_OK ? explain(db, &row, arena, out, err) : status;
}

/* ---- the list ---- */

#define LIST_COLUMNS                                                                               \
    "SELECT t.id, t.key_id, t.suggestion_id, t.took_us, m.name, coalesce(f.source, m.source), "    \
    "       m.target, iif(f.id IS NULL, NULL, m.source), t.source_text, t.target_text, "           \
    "       t.source_length, t.target_length, t.beam "                                             \
    "FROM translations t "
#define LIST_FILTER                                                                                \
    "CROSS JOIN models m ON m.id = t.model_id LEFT JOIN models f ON f.id = t.first_model_id "      \
    "WHERE t.id < ?1 AND (?2 IS NULL OR t.source_text LIKE ?2 ESCAPE '\\' "                        \
    "                                OR t.target_text LIKE ?2 ESCAPE '\\') "                       \
    "  AND (?3 IS NULL OR coalesce(f.source, m.source) = ?3) "                                     \
    "  AND (?4 IS NULL OR m.target = ?4) AND (?5 IS NULL OR m.name = ?5) "
#define LIST_END "ORDER BY t.id DESC LIMIT ?6"

/* The text between two "%", its own taken literally. */
static enum status pattern_of(const char *text, char pattern[PATTERN_BYTES_MAX], struct error *err)
{
    size_t at = 0;
    pattern[at++] = '%';
    for (; *text; text++) {
        if (at + 4 > PATTERN_BYTES_MAX)
            return error_set(err, STATUS_TOO_LARGE, "the text to look for is too long");
        if (strchr("%_\\", *text))
            pattern[at++] = '\\';
        pattern[at++] = *text;
    }
    pattern[at++] = '%';
    pattern[at] = '\0';
    return STATUS_OK;
}

static enum status bind_query(struct db *db, sqlite3_stmt *s, const struct journal_query *q,
                              const char *pattern, long long key_id, struct error *err)
{
    const char *const texts[] = { pattern, q->source, q->target, q->model };
    const int limit = q->limit < JOURNAL_LIST_MAX ? q->limit : JOURNAL_LIST_MAX;
    enum status status = sql_bind_number(db, s, 1, q->before > 0 ? q->before : INT64_MAX, err);
    for (int i = 0; status == STATUS_OK && i < 4; i++)
        status = sql_bind_text(db, s, 2 + i, texts[i], err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 6, limit, err);
    if (status == STATUS_OK && key_id >= 0)
        status = sql_bind_number(db, s, 7, key_id, err);
    return status;
}

static bool take_listed(sqlite3_stmt *s, struct arena *arena, struct stored_translation *out)
{
    bool is_full = false;
    *out = (struct stored_translation){
        .id = sqlite3_column_int64(s, 0),
        .key_id = sqlite3_column_int64(s, 1),
        .suggestion_id = sqlite3_column_int64(s, 2),
        .created_ms = sqlite3_column_int64(s, 0) >> JOURNAL_ID_TIME_BITS,
        .took_us = sqlite3_column_int64(s, 3),
        .model = copy_text(s, 4, arena, &is_full),
        .source_language = copy_text(s, 5, arena, &is_full),
        .target_language = copy_text(s, 6, arena, &is_full),
        .via = copy_text(s, 7, arena, &is_full),
        .source_text = copy_text(s, 8, arena, &is_full),
        .target_text = copy_text(s, 9, arena, &is_full),
        .source_length = sqlite3_column_int(s, 10),
        .target_length = sqlite3_column_int(s, 11),
        .beam = sqlite3_column_int(s, 12),
    };
    return !is_full;
}

enum status journal_list(struct db *db, const struct journal_query *query, long long key_id,
                         struct arena *arena, struct stored_translation **out, int *count,
                         struct error *err)
{
    char pattern[PATTERN_BYTES_MAX];
    bool has_row;
    sqlite3_stmt *s = NULL;
    const char *sql = key_id < 0 ? LIST_COLUMNS LIST_FILTER LIST_END
                                 : LIST_COLUMNS "INDEXED BY translations_by_key " LIST_FILTER
                                                "AND t.key_id = ?7 " LIST_END;
    struct stored_translation *list = arena_array(arena, struct stored_translation, query->limit);
    int n = 0;
    enum status status = list ? STATUS_OK : no_memory(err);
    if (status == STATUS_OK && query->text)
        status = pattern_of(query->text, pattern, err);
    if (status == STATUS_OK)
        status = sql_prepare(db, &s, sql, err);
    if (status == STATUS_OK)
        status = bind_query(db, s, query, query->text ? pattern : NULL, key_id, err);
    while (status == STATUS_OK && n < query->limit) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        if (!take_listed(s, arena, &list[n++]))
            status = no_memory(err);
    }
    sqlite3_finalize(s);
    if (status == STATUS_OK) {
        *out = list;
        *count = n;
    }
    return status;
}

enum status journal_replica_of(struct db *db, char tag[JOURNAL_TAG_BYTES], struct error *err)
{
    bool has_row;
    const char *text = "a1";
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, "SELECT tag FROM replica", err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK && has_row)
        status = sql_text(db, s, 0, &text, err);
    if (status == STATUS_OK)
        snprintf(tag, JOURNAL_TAG_BYTES, "%s", journal_tag_is_valid(text) ? text : "a1");
    sqlite3_finalize(s);
    return status;
}
