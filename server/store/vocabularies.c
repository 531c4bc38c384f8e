/*
 * vocabularies.c - a vocabulary into rows, and out of rows again.
 */
#include "server/store/vocabularies.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "server/store/sql.h"

#define NOT_STORED (-1LL)

static const char *const kind_names[] = {
    [PIECE_NORMAL] = "normal",
    [PIECE_BYTE] = "byte",
    [PIECE_CONTROL] = "control",
    [PIECE_UNKNOWN] = "unknown",
};
#define KIND_COUNT (sizeof kind_names / sizeof kind_names[0])

static enum status hash_text(const char *text, char hex[SHA256_HEX_BYTES], struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    if (!sha256_of(text, strlen(text), digest))
        return error_set(err, STATUS_NO_MEMORY, "no memory to hash a vocabulary");
    sha256_to_hex(digest, hex);
    return STATUS_OK;
}

static enum status find(struct db *db, const char *sha256, long long *id, struct error *err)
{
    bool has_row = false;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, "SELECT id FROM vocabularies WHERE sha256 = ?1", err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 1, sha256, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK)
        *id = has_row ? sqlite3_column_int64(s, 0) : NOT_STORED;
    sqlite3_finalize(s);
    return status;
}

/* ---- into rows ---- */

static enum status insert_head(struct db *db, const char *sha256, const struct vocabulary *v,
                               long long *id, struct error *err)
{
    struct vocabulary_options options = vocabulary_options(v);
    sqlite3_stmt *s;
    enum status status =
        sql_prepare(db, &s,
                    "INSERT INTO vocabularies (sha256, form, casefold, piece_count, imported_ms) "
                    "VALUES (?1, ?2, ?3, ?4, ?5)",
                    err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 1, sha256, err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 2, options.form == FORM_NFC ? "nfc" : "nfkc", err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 3, options.casefold, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 4, vocabulary_size(v), err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 5, clock_wall_ms(), err);
    if (status == STATUS_OK)
        status = sql_step_once(db, s, err);
    if (status == STATUS_OK)
        *id = sqlite3_last_insert_rowid(db->handle);
    sqlite3_finalize(s);
    return status;
}

static enum status insert_piece(struct db *db, sqlite3_stmt *s, int number,
                                const struct piece *piece, struct error *err)
{
    enum status status = sql_bind_number(db, s, 2, number, err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 3, piece->text, err);
    if (status == STATUS_OK && sqlite3_bind_double(s, 4, (double)piece->score) != SQLITE_OK)
        status = sql_failed(db, err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 5, kind_names[piece->kind], err);
    if (status == STATUS_OK)
        status = sql_step_once(db, s, err);
    return status;
}

static enum status insert_pieces(struct db *db, const struct vocabulary *v, long long id,
                                 struct error *err)
{
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, "INSERT INTO pieces VALUES (?1, ?2, ?3, ?4, ?5)", err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, id, err);
    for (int i = 0; status == STATUS_OK && i < vocabulary_size(v); i++)
        status = insert_piece(db, s, i, vocabulary_piece(v, i), err);
    sqlite3_finalize(s);
    return status;
}

/* All rows or none; if another process stored the same meanwhile, its rows. */
static enum status store(struct db *db, const char *text, const char *sha256, long long *id,
                         struct error *err)
{
    struct vocabulary *v;
    enum status status = vocabulary_parse_tsv(&v, text, strlen(text), err);
    if (status != STATUS_OK)
        return status;
    status = sql_begin(db, err);
    if (status == STATUS_OK) {
        status = find(db, sha256, id, err);
        if (status == STATUS_OK && *id == NOT_STORED) {
            status = insert_head(db, sha256, v, id, err);
            if (status == STATUS_OK)
                status = insert_pieces(db, v, *id, err);
        }
        status = sql_end(db, status, err);
    }
    vocabulary_free(v);
    return status;
}

/* ---- out of rows ---- */

struct rows {
    struct piece *pieces; // (count) text is set at the end, when `texts` no longer moves
    struct bytes texts;   // one behind the other, each with its NUL
    int count;
    struct vocabulary_options options;
};

static enum status damaged(const struct db *db, long long id, struct error *err)
{
    return error_set(err, STATUS_BAD_FILE,
                     "%s: the pieces of vocabulary %lld are not as they were stored; restore a "
                     "backup, or move the file away and a new database is made",
                     db->path, id);
}

static enum status read_head(struct db *db, long long id, struct rows *rows, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    enum status status = sql_prepare(
        db, &s, "SELECT form, casefold, piece_count FROM vocabularies WHERE id = ?1", err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, id, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK && !has_row)
        status = damaged(db, id, err);
    const char *form;
    if (status == STATUS_OK)
        status = sql_text(db, s, 0, &form, err);
    if (status == STATUS_OK) {
        rows->options.form = strcmp(form, "nfc") == 0 ? FORM_NFC : FORM_NFKC;
        rows->options.casefold = sqlite3_column_int(s, 1) != 0;
        rows->count = sqlite3_column_int(s, 2);
        if (rows->count < 1 || rows->count > VOCABULARY_PIECES_MAX)
            status = damaged(db, id, err);
    }
    sqlite3_finalize(s);
    return status;
}

/* The statement's row as piece i. What else can be wrong with it, vocabulary_new finds. */
static enum status take_piece(struct db *db, sqlite3_stmt *s, long long id, struct rows *rows,
                              int i, struct error *err)
{
    const char *text, *kind;
    size_t k = 0;
    enum status status = sql_text(db, s, 1, &text, err);
    if (status == STATUS_OK)
        status = sql_text(db, s, 3, &kind, err);
    if (status != STATUS_OK)
        return status;
    while (k < KIND_COUNT && strcmp(kind, kind_names[k]) != 0)
        k++;
    if (i >= rows->count || sqlite3_column_int(s, 0) != i || k == KIND_COUNT)
        return damaged(db, id, err);

    struct piece *piece = &rows->pieces[i];
    *piece = (struct piece){ .len = (int)strlen(text),
                             .score = (float)sqlite3_column_double(s, 2),
                             .kind = (enum piece_kind)k };
    if (piece->kind == PIECE_BYTE && strncmp(text, "<0x", 3) == 0)
        piece->byte = (uint8_t)strtoul(text + 3, NULL, 16);
    bytes_append(&rows->texts, text, (size_t)piece->len + 1);
    return STATUS_OK;
}

static enum status read_pieces(struct db *db, long long id, struct rows *rows, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    int i = 0;
    enum status status = sql_prepare(
        db, &s,
        "SELECT number, text, score, kind FROM pieces WHERE vocabulary_id = ?1 ORDER BY number",
        err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, id, err);
    while (status == STATUS_OK) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        status = take_piece(db, s, id, rows, i++, err);
    }
    if (status == STATUS_OK)
        status = bytes_check(&rows->texts, "a stored vocabulary", err);
    if (status == STATUS_OK && i < rows->count)
        status = damaged(db, id, err);
    sqlite3_finalize(s);
    return status;
}

static enum status read_back(struct db *db, long long id, struct vocabulary **out,
                             struct error *err)
{
    struct rows rows = { 0 };
    enum status status = read_head(db, id, &rows, err);
    if (status != STATUS_OK)
        return status;
    bytes_init(&rows.texts, (size_t)rows.count * (PIECE_BYTES_MAX + 1));
    rows.pieces = memory_alloc((size_t)rows.count, sizeof *rows.pieces);
    if (!rows.pieces) {
        status =
            error_set(err, STATUS_NO_MEMORY, "no memory for a vocabulary of %d pieces", rows.count);
        goto done;
    }
    status = read_pieces(db, id, &rows, err);
    if (status != STATUS_OK)
        goto done;
    const char *text = rows.texts.data;
    for (int i = 0; i < rows.count; i++) {
        rows.pieces[i].text = text;
        text += rows.pieces[i].len + 1;
    }
    status = vocabulary_new(out, rows.pieces, rows.count, rows.options, err);
    if (status == STATUS_BAD_INPUT)
        status = damaged(db, id, err);
done:
    memory_free(rows.pieces);
    bytes_release(&rows.texts);
    return status;
}

enum status vocabularies_import(struct db *db, const char *text, long long *id,
                                struct vocabulary **out, struct error *err)
{
    char sha256[SHA256_HEX_BYTES];
    long long found = NOT_STORED;
    *out = NULL;
    enum status status = hash_text(text, sha256, err);
    if (status == STATUS_OK)
        status = find(db, sha256, &found, err);
    if (status == STATUS_OK && found == NOT_STORED)
        status = store(db, text, sha256, &found, err);
    if (status == STATUS_OK)
        status = read_back(db, found, out, err);
    if (status == STATUS_OK)
        *id = found;
    return status;
}

/* ---- kept with the connection ---- */

struct kept_vocabulary {
    struct kept_vocabulary *next;
    long long id;
    struct vocabulary *vocabulary;
};

static const struct vocabulary *find_kept(const struct db *db, long long id)
{
    for (const struct kept_vocabulary *k = db->vocabularies; k; k = k->next)
        if (k->id == id)
            return k->vocabulary;
    return NULL;
}

enum status vocabularies_borrow(struct db *db, long long id, const struct vocabulary **out,
                                struct error *err)
{
    *out = find_kept(db, id);
    if (*out)
        return STATUS_OK;
    struct kept_vocabulary *kept = memory_zeroed(1, sizeof *kept);
    if (!kept)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a vocabulary");
    kept->id = id;
    enum status status = read_back(db, id, &kept->vocabulary, err);
    if (status != STATUS_OK) {
        memory_free(kept);
        return status;
    }
    kept->next = db->vocabularies;
    db->vocabularies = kept;
    *out = kept->vocabulary;
    return STATUS_OK;
}

void vocabularies_give_back(struct db *db)
{
    while (db->vocabularies) {
        struct kept_vocabulary *kept = db->vocabularies;
        db->vocabularies = kept->next;
        vocabulary_free(kept->vocabulary);
        memory_free(kept);
    }
}
