/*
 * journal_write.c - rows into tables, a group at a time.
 *
 * Words repeat: a group's links are counted in memory first, so that each pair
 * of words is looked up and counted up once a group.
 */
#include "server/store/journal_write.h"

#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "server/store/sql.h"

#define CACHE_KIB 4096
#define CHECKPOINT_PAGES 4000 // of the log, until it is carried into the file
#define LOG_BYTES_KEPT (16 << 20)
#define KEY_BYTES_MAX (4 * (LINK_WORD_BYTES_MAX + 1)) // two languages and two words

struct pair { // of words, in a group
    const struct journal_row *row;
    const struct packed_link *link;
    long long id, count, last_id;
};

struct journal_writer {
    struct db *db;
    sqlite3_stmt *translation, *hypothesis, *link, *pair;
    struct pair *pairs; // (pair_capacity) of the group that is being written
    size_t pair_capacity;
};

/* ---- binding ---- */

/* Blobs of no length are empty, those without data NULL. */
static enum status bind_text(struct journal_writer *w, sqlite3_stmt *s, int at, struct blob text,
                             struct error *err)
{
    if (sqlite3_bind_text64(s, at, text.data, text.len, SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
        return sql_failed(w->db, err);
    return STATUS_OK;
}

static enum status bind_blob(struct journal_writer *w, sqlite3_stmt *s, int at, struct blob blob,
                             struct error *err)
{
    if (sqlite3_bind_blob64(s, at, blob.data, blob.len, SQLITE_STATIC) != SQLITE_OK)
        return sql_failed(w->db, err);
    return STATUS_OK;
}

static enum status bind_numbers(struct journal_writer *w, sqlite3_stmt *s, int at,
                                const long long *numbers, int count, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = sql_bind_number(w->db, s, at + i, numbers[i], err);
    return status;
}

static enum status bind_reference(struct journal_writer *w, sqlite3_stmt *s, int at, long long id,
                                  struct error *err)
{
    if ((id ? sqlite3_bind_int64(s, at, id) : sqlite3_bind_null(s, at)) != SQLITE_OK)
        return sql_failed(w->db, err);
    return STATUS_OK;
}

/* ---- rows ---- */

static enum status write_translation(struct journal_writer *w, const struct journal_row *row,
                                     struct error *err)
{
    sqlite3_stmt *s = w->translation;
    const long long numbers[] = { row->source_length, row->target_length, row->beam, row->took_us };
    const struct blob texts[] = { row->source, row->target, row->model_source, row->model_target };
    const long long references[] = { row->first_model_id, row->suggestion_id, row->key_id };
    enum status status =
        bind_numbers(w, s, 1, (const long long[]){ row->id, row->model_id }, 2, err);
    for (int i = 0; status == STATUS_OK && i < 3; i++)
        status = bind_reference(w, s, 3 + i, references[i], err);
    for (int i = 0; status == STATUS_OK && i < 4; i++)
        status = bind_text(w, s, 6 + i, texts[i], err);
    if (status == STATUS_OK)
        status = bind_numbers(w, s, 10, numbers, 4, err);
    return status == STATUS_OK ? sql_step_once(w->db, s, err) : status;
}

static enum status write_hypothesis(struct journal_writer *w, long long id,
                                    const struct packed_hypothesis *h, struct error *err)
{
    sqlite3_stmt *s = w->hypothesis;
    const long long numbers[] = { id, h->sentence, h->number };
    enum status status = bind_numbers(w, s, 1, numbers, 3, err);
    if (status == STATUS_OK && sqlite3_bind_double(s, 4, (double)h->score) != SQLITE_OK)
        status = sql_failed(w->db, err);
    if (status == STATUS_OK)
        status = bind_blob(w, s, 5, h->source, err);
    if (status == STATUS_OK)
        status = bind_blob(w, s, 6, h->target, err);
    if (status == STATUS_OK)
        status = bind_blob(w, s, 7, h->alignment, err);
    return status == STATUS_OK ? sql_step_once(w->db, s, err) : status;
}

static enum status write_link(struct journal_writer *w, long long id,
                              const struct packed_link *link, long long pair, struct error *err)
{
    const long long numbers[] = { id,   link->sentence, link->target_number, link->source_number,
                                  pair, link->percent };
    enum status status = bind_numbers(w, w->link, 1, numbers, 6, err);
    return status == STATUS_OK ? sql_step_once(w->db, w->link, err) : status;
}

static enum status write_rows(struct journal_writer *w, const struct journal_row *row,
                              struct error *err)
{
    enum status status = write_translation(w, row, err);
    for (int i = 0; status == STATUS_OK && i < row->hypothesis_count; i++)
        status = write_hypothesis(w, row->id, &row->hypotheses[i], err);
    return status;
}

/* ---- pairs of words ---- */

static size_t append(char *key, size_t at, struct blob part)
{
    memcpy(key + at, part.data, part.len);
    key[at + part.len] = '\0'; // no word and no language has one
    return at + part.len + 1;
}

static size_t key_of(const struct journal_row *row, const struct packed_link *link,
                     char key[KEY_BYTES_MAX])
{
    size_t at = append(key, 0, link->source);
    at = append(key, at, link->target);
    at = append(key, at, row->source_language);
    return append(key, at, row->target_language);
}

static bool grow_pairs(struct journal_writer *w, size_t count)
{
    if (count < w->pair_capacity)
        return true;
    const size_t capacity = w->pair_capacity ? 2 * w->pair_capacity : 256;
    struct pair *pairs = memory_resize(w->pairs, capacity, sizeof *pairs);
    if (!pairs)
        return false;
    w->pairs = pairs;
    w->pair_capacity = capacity;
    return true;
}

/* The pair of this link, which is new to the group or not; NULL: no memory. */
static struct pair *pair_of(struct journal_writer *w, struct map *map,
                            const struct journal_row *row, const struct packed_link *link)
{
    char key[KEY_BYTES_MAX];
    const size_t count = map_count(map), len = key_of(row, link, key);
    int64_t *number = map_insert(map, key, len, (int64_t)count);
    if (!number || (map_count(map) > count && !grow_pairs(w, count)))
        return NULL;
    struct pair *pair = &w->pairs[*number];
    if (map_count(map) > count)
        *pair = (struct pair){ .row = row, .link = link };
    return pair;
}

static enum status write_pair(struct journal_writer *w, struct pair *pair, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s = w->pair;
    const struct blob texts[] = { pair->row->source_language, pair->row->target_language,
                                  pair->link->source, pair->link->target };
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < 4; i++)
        status = bind_text(w, s, 1 + i, texts[i], err);
    if (status == STATUS_OK)
        status = bind_numbers(w, s, 5, (const long long[]){ pair->count, pair->last_id }, 2, err);
    if (status == STATUS_OK)
        status = sql_step(w->db, s, &has_row, err);
    if (status == STATUS_OK)
        pair->id = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return status;
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory to store translations");
}

/* Every link of the units, with its row. */
struct link_walk {
    const struct journal_unit *unit;
    int units_left, row, link;
};

static const struct packed_link *next_link(struct link_walk *walk, const struct journal_row **row)
{
    for (; walk->units_left > 0; walk->units_left--, walk->row = 0) {
        const struct journal_unit *unit = walk->unit;
        for (; walk->row < unit->row_count; walk->row++, walk->link = 0) {
            *row = &unit->rows[walk->row];
            if (walk->link < (*row)->link_count)
                return &(*row)->links[walk->link++];
        }
        if (walk->units_left > 1)
            walk->unit = unit->next;
    }
    return NULL;
}

static enum status count_pairs(struct journal_writer *w, struct map *map, struct link_walk walk,
                               struct error *err)
{
    const struct journal_row *row;
    const struct packed_link *link;
    while ((link = next_link(&walk, &row))) {
        struct pair *pair = pair_of(w, map, row, link);
        if (!pair)
            return no_memory(err);
        pair->count++;
        pair->last_id = row->id;
    }
    return STATUS_OK;
}

static enum status write_links(struct journal_writer *w, struct map *map, struct link_walk walk,
                               struct error *err)
{
    const struct journal_row *row;
    const struct packed_link *link;
    enum status status = count_pairs(w, map, walk, err);
    for (size_t i = 0; status == STATUS_OK && i < map_count(map); i++)
        status = write_pair(w, &w->pairs[i], err);
    while (status == STATUS_OK && (link = next_link(&walk, &row))) {
        const struct pair *pair = pair_of(w, map, row, link);
        status = pair ? write_link(w, row->id, link, pair->id, err) : no_memory(err);
    }
    return status;
}

static enum status write_group(struct journal_writer *w, const struct journal_unit *first,
                               int count, struct error *err)
{
    const struct journal_unit *unit = first;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        for (int k = 0; status == STATUS_OK && k < unit->row_count; k++)
            status = write_rows(w, &unit->rows[k], err);
        if (i + 1 < count)
            unit = unit->next;
    }
    if (status != STATUS_OK)
        return status;
    struct map *map = map_new();
    status =
        map ? write_links(w, map, (struct link_walk){ first, count, 0, 0 }, err) : no_memory(err);
    map_free(map);
    return status;
}

enum status journal_write(struct journal_writer *w, const struct journal_unit *first, int count,
                          struct error *err)
{
    enum status status = sql_begin(w->db, err);
    return status == STATUS_OK ? sql_end(w->db, write_group(w, first, count, err), err) : status;
}

/* ---- life ---- */

enum status journal_last_id(struct journal_writer *w, long long *id, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    enum status status =
        sql_prepare(w->db, &s, "SELECT coalesce(max(id), 0) FROM translations", err);
    if (status == STATUS_OK)
        status = sql_step(w->db, s, &has_row, err);
    if (status == STATUS_OK)
        *id = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return status;
}

struct db *journal_writer_db(struct journal_writer *w)
{
    return w->db;
}

static enum status prepare(struct journal_writer *w, struct error *err)
{
    enum status status = sql_prepare(
        w->db, &w->translation,
        "INSERT INTO translations (id, model_id, first_model_id, suggestion_id, key_id, "
        "    source_text, target_text, model_source, model_target, source_length, target_length, "
        "    beam, took_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        err);
    if (status == STATUS_OK)
        status = sql_prepare(w->db, &w->hypothesis,
                             "INSERT INTO hypotheses VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", err);
    if (status == STATUS_OK)
        status =
            sql_prepare(w->db, &w->link, "INSERT INTO links VALUES (?1, ?2, ?3, ?4, ?5, ?6)", err);
    if (status == STATUS_OK)
        status = sql_prepare(
            w->db, &w->pair,
            "INSERT INTO word_pairs (source_language, target_language, source_word, target_word, "
            "    count, last_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
            "ON CONFLICT (source_word, target_word, source_language, target_language) "
            "DO UPDATE SET count = count + excluded.count, last_id = excluded.last_id "
            "RETURNING id",
            err);
    return status;
}

static enum status set_up(struct journal_writer *w, const char *replica, struct error *err)
{
    char *sql = sqlite3_mprintf("PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d;"
                                "PRAGMA journal_size_limit = %d;"
                                "INSERT INTO replica VALUES (1, %Q)"
                                "    ON CONFLICT DO UPDATE SET tag = excluded.tag",
                                CACHE_KIB, CHECKPOINT_PAGES, LOG_BYTES_KEPT, replica);
    enum status status = sql ? sql_run(w->db, sql, err) : no_memory(err);
    sqlite3_free(sql);
    return status == STATUS_OK ? prepare(w, err) : status;
}

enum status journal_writer_new(struct journal_writer **out, struct db *db, const char *replica,
                               struct error *err)
{
    *out = NULL;
    struct journal_writer *w = memory_zeroed(1, sizeof *w);
    if (!w) {
        db_close(db);
        return no_memory(err);
    }
    w->db = db;
    enum status status = set_up(w, replica, err);
    if (status != STATUS_OK) {
        journal_writer_free(w);
        return status;
    }
    *out = w;
    return STATUS_OK;
}

void journal_writer_free(struct journal_writer *w)
{
    if (!w)
        return;
    sqlite3_finalize(w->translation);
    sqlite3_finalize(w->hypothesis);
    sqlite3_finalize(w->link);
    sqlite3_finalize(w->pair);
    db_close(w->db);
    memory_free(w->pairs);
    memory_free(w);
}
