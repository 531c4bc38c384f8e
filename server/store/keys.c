/* keys.c - keys that are given out once and only recognised afterwards. */
#include "server/store/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/store/sql.h"

#define SECRET_BYTES 20 // 160 bits: 32 letters
#define PREFIX "verso_"
#define ID_DIGITS_MAX 12

struct key_set {
    struct known_key *keys; // (count) by id
    int count;
};

/* ---- giving out ---- */

/* Five bits a letter; no i, l, o and u, which are misread. */
static void write_letters(const uint8_t secret[SECRET_BYTES], char *out)
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned bits = 0;
    int bit_count = 0;
    for (int i = 0; i < SECRET_BYTES; i++) {
        bits = bits << 8 | secret[i];
        for (bit_count += 8; bit_count >= 5; bit_count -= 5)
            *out++ = letters[bits >> (bit_count - 5) & 31];
        bits &= 31;
    }
    *out = '\0';
}

static enum status make_key(long long id, char key[KEY_BYTES], char hex[SHA256_HEX_BYTES],
                            struct error *err)
{
    uint8_t secret[SECRET_BYTES], digest[SHA256_BYTES];
    if (!random_bytes(secret, sizeof secret))
        return error_set(err, STATUS_IO, "the system has no random numbers to make a key of");
    const int len = snprintf(key, KEY_BYTES, PREFIX "%lld_", id);
    write_letters(secret, key + len);
    if (!sha256_of(key, strlen(key), digest))
        return error_set(err, STATUS_NO_MEMORY, "no memory to hash a key");
    sha256_to_hex(digest, hex);
    return STATUS_OK;
}

static enum status check_name_is_free(struct db *db, const char *name, struct error *err)
{
    bool has_row = false;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, "SELECT 1 FROM keys WHERE name = ?1", err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 1, name, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    sqlite3_finalize(s);
    if (status == STATUS_OK && has_row)
        return error_set(err, STATUS_BAD_INPUT,
                         "there is a key named %s already (a revoked one keeps its name): choose "
                         "another name",
                         name);
    return status;
}

static enum status insert(struct db *db, long long id, const char *name, unsigned scopes, int rate,
                          const char *hex, struct error *err)
{
    sqlite3_stmt *s;
    enum status status =
        sql_prepare(db, &s,
                    "INSERT INTO keys (id, name, sha256, scopes, rate, created_ms) "
                    "VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), ?6)",
                    err);
    const long long numbers[] = { [1] = id, [4] = scopes, [5] = rate, [6] = clock_wall_ms() };
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 2, name, err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 3, hex, err);
    for (int i = 1; status == STATUS_OK && i <= 6; i += i == 1 ? 3 : 1)
        status = sql_bind_number(db, s, i, numbers[i], err);
    if (status == STATUS_OK)
        status = sql_step_once(db, s, err);
    sqlite3_finalize(s);
    return status;
}

static enum status add(struct db *db, const char *name, unsigned scopes, int rate,
                       char key[KEY_BYTES], struct error *err)
{
    char hex[SHA256_HEX_BYTES];
    long long newest = 0;
    enum status status = check_name_is_free(db, name, err);
    if (status == STATUS_OK)
        status = sql_number(db, "SELECT coalesce(max(id), 0) FROM keys", &newest, err);
    if (status == STATUS_OK && newest >= KEYS_MAX)
        status = error_set(err, STATUS_TOO_LARGE, "%d keys have been given out, and no more can be",
                           KEYS_MAX);
    if (status == STATUS_OK)
        status = make_key(newest + 1, key, hex, err);
    if (status == STATUS_OK)
        status = insert(db, newest + 1, name, scopes, rate, hex, err);
    return status;
}

enum status keys_add(struct db *db, const char *name, unsigned scopes, int rate,
                     char key[KEY_BYTES], struct error *err)
{
    const size_t len = strlen(name);
    if (len == 0 || len > KEY_NAME_MAX)
        return error_set(err, STATUS_BAD_INPUT, "a key's name has 1 to %d bytes", KEY_NAME_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 127)
            return error_set(err, STATUS_BAD_INPUT, "a key's name is one line of text");
    enum status status = sql_begin(db, err);
    if (status == STATUS_OK)
        status = sql_end(db, add(db, name, scopes, rate, key, err), err);
    return status;
}

enum status keys_revoke(struct db *db, const char *name, struct error *err)
{
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s,
                                     "UPDATE keys SET revoked_ms = max(?2, created_ms) "
                                     "WHERE name = ?1 AND revoked_ms IS NULL",
                                     err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 1, name, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 2, clock_wall_ms(), err);
    if (status == STATUS_OK)
        status = sql_step_once(db, s, err);
    if (status == STATUS_OK && sqlite3_changes(db->handle) == 0)
        status = error_set(err, STATUS_NOT_FOUND,
                           "there is no good key named %s; verso keys list shows all", name);
    sqlite3_finalize(s);
    return status;
}

enum status keys_each(struct db *db, void (*each)(void *context, const struct key_row *row),
                      void *context, struct error *err)
{
    bool has_row = true;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s,
                                     "SELECT id, name, scopes, rate, created_ms, revoked_ms "
                                     "FROM keys ORDER BY id",
                                     err);
    while (status == STATUS_OK) {
        struct key_row row;
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        row = (struct key_row){
            .id = sqlite3_column_int64(s, 0),
            .scopes = (unsigned)sqlite3_column_int(s, 2),
            .rate = sqlite3_column_int(s, 3),
            .created_ms = sqlite3_column_int64(s, 4),
            .revoked_ms = sqlite3_column_int64(s, 5),
        };
        status = sql_text(db, s, 1, &row.name, err);
        if (status == STATUS_OK)
            each(context, &row);
    }
    sqlite3_finalize(s);
    return status;
}

/* ---- recognising ---- */

enum status keys_stamp(struct db *db, long long *stamp, struct error *err)
{
    return sql_number(db,
                      "SELECT coalesce(sum(id * 1000003 + scopes * 101 + coalesce(rate, 0) "
                      "+ coalesce(revoked_ms, 0)), 0) FROM keys",
                      stamp, err);
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static enum status take_key(struct db *db, sqlite3_stmt *s, struct key_set *set, struct error *err)
{
    const char *hex;
    enum status status = sql_text(db, s, 3, &hex, err);
    if (status != STATUS_OK)
        return status;
    struct known_key *k = &set->keys[set->count];
    *k = (struct known_key){ .id = sqlite3_column_int64(s, 0),
                             .scopes = (unsigned)sqlite3_column_int(s, 1),
                             .rate = sqlite3_column_int(s, 2) };
    for (int i = 0; i < SHA256_BYTES; i++)
        k->sha256[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    set->count++;
    return STATUS_OK;
}

static enum status read_keys(struct db *db, struct key_set *set, int max, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s,
                                     "SELECT id, scopes, coalesce(rate, 0), sha256 FROM keys "
                                     "WHERE revoked_ms IS NULL ORDER BY id",
                                     err);
    while (status == STATUS_OK) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row || set->count == max)
            break;
        status = take_key(db, s, set, err);
    }
    sqlite3_finalize(s);
    return status;
}

enum status key_set_load(struct key_set **out, struct db *db, struct error *err)
{
    long long count = 0;
    *out = NULL;
    enum status status =
        sql_number(db, "SELECT count(*) FROM keys WHERE revoked_ms IS NULL", &count, err);
    if (status != STATUS_OK)
        return status;
    const int max = count < KEYS_MAX ? (int)count : KEYS_MAX;
    struct key_set *set = memory_zeroed(1, sizeof *set);
    if (set)
        set->keys = memory_alloc((size_t)max + 1, sizeof *set->keys);
    if (!set || !set->keys)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for %d keys", max);
    else
        status = read_keys(db, set, max, err);
    if (status != STATUS_OK) {
        key_set_free(set);
        return status;
    }
    *out = set;
    return STATUS_OK;
}

void key_set_free(struct key_set *set)
{
    if (!set)
        return;
    memory_free(set->keys);
    memory_free(set);
}

int key_set_count(const struct key_set *set)
{
    return set->count;
}

/* The number in "verso_NUMBER_..."; 0: it is written otherwise. */
static long long id_of(const char *text, size_t len)
{
    const size_t prefix = sizeof PREFIX - 1;
    long long id = 0;
    if (len <= prefix || len >= KEY_BYTES || memcmp(text, PREFIX, prefix) != 0)
        return 0;
    for (size_t i = prefix; i < len && i < prefix + ID_DIGITS_MAX; i++) {
        if (text[i] == '_')
            return id;
        if (text[i] < '0' || text[i] > '9')
            return 0;
        id = 10 * id + (text[i] - '0');
    }
    return 0;
}

static int compare_id(const void *id, const void *key)
{
    const long long wanted = *(const long long *)id, found = ((const struct known_key *)key)->id;
    return (wanted > found) - (wanted < found);
}

const struct known_key *key_set_find(const struct key_set *set, const char *text, size_t len)
{
    static const struct known_key nobody;
    uint8_t digest[SHA256_BYTES];
    const long long id = id_of(text, len);
    const struct known_key *found =
        bsearch(&id, set->keys, (size_t)set->count, sizeof *set->keys, compare_id);
    const struct known_key *k = found ? found : &nobody; // as long for nobody's as for somebody's
    if (len >= KEY_BYTES || !sha256_of(text, len, digest))
        return NULL;
    const bool is_equal = equal_in_constant_time(digest, k->sha256, SHA256_BYTES);
    return is_equal ? found : NULL;
}
