/*
 * test_upgrade.c - databases of every earlier version, with something in them, opened by this one.
 */
#include "server/store/care.h"
#include "server/store/vocabularies.h"
#include "tests/server/store/desk.h"

#define PATIENCE_MS 2000
#define VERSIONS_MAX 64

static struct error err;

/* What a version can hold, and how to see that it is still there; `from` is the number of
 * migrations it needs. */
struct content {
    int from;
    const char *put, *count;
};

static const struct content contents[] = {
    { 1,
      "INSERT INTO vocabularies VALUES (90, printf('%064d', 90), 'nfkc', 0, 1, 1);"
      "INSERT INTO pieces VALUES (90, 0, '<pad>', 0.0, 'control')",
      "SELECT count(*) FROM vocabularies v JOIN pieces p ON p.vocabulary_id = v.id "
      "WHERE v.id = 90" },
    { 2, "INSERT INTO models VALUES (91, printf('%064d', 91), 'aa-bb', 'aa', 'bb', NULL, 90, 1, 2)",
      "SELECT count(*) FROM models WHERE id = 91 AND vocabulary_id = 90" },
    { 3,
      "INSERT INTO keys (id, name, sha256, scopes, created_ms) VALUES (92, 'anna', "
      "printf('%064d', 92), 3, 1)",
      "SELECT count(*) FROM keys WHERE id = 92" },
    { 4,
      "INSERT INTO suggestions (id, source_language, target_language, source_text, "
      "suggested_text, key_id, client, created_ms) "
      "VALUES (93, 'aa', 'bb', 'good morning', 'x', 92, 'c', 1)",
      "SELECT count(*) FROM suggestions_fts f JOIN suggestions s ON s.id = f.rowid "
      "WHERE suggestions_fts MATCH 'morning' AND s.id = 93" },
    { 5,
      "INSERT INTO translations (id, model_id, key_id, source_text, target_text, source_length, "
      "target_length, beam, took_us) VALUES (94 << 21, 91, 92, 'a', 'b', 1, 1, 5, 7);"
      "INSERT INTO hypotheses VALUES (94 << 21, 0, 0, -1.0, x'00', x'00', x'00');"
      "INSERT INTO word_pairs VALUES (95, 'aa', 'bb', 'a', 'b', 1, 94 << 21);"
      "INSERT INTO links VALUES (94 << 21, 0, 0, 0, 95, 90)",
      "SELECT count(*) FROM aligned_words w JOIN translations t ON t.id = w.translation_id "
      "JOIN hypotheses h ON h.translation_id = t.id WHERE t.created_ms = 94 AND w.weight = 0.9" },
};
#define CONTENTS ((int)(sizeof contents / sizeof *contents))

static int versions(void)
{
    int count = 0;
    while (migrations[count].name)
        count++;
    ck_assert_int_lt(count, VERSIONS_MAX);
    return count;
}

/* As the program with the first `version` migrations left it; the oldest kept every page. */
static void make_old(const char *path, int version)
{
    struct db *db;
    struct migration history[VERSIONS_MAX] = { 0 };
    memcpy(history, migrations, (size_t)version * sizeof *history);
    assert_ok(db_open_as(&db, path, history, PATIENCE_MS, &err), err);
    for (int i = 0; i < CONTENTS; i++)
        if (contents[i].from <= version)
            assert_ok(sql_run(db, contents[i].put, &err), err);
    if (version <= 2)
        assert_ok(sql_run(db, "PRAGMA auto_vacuum = NONE; VACUUM", &err), err);
    db_close(db);
}

START_TEST(what_was_in_an_older_database_is_there_and_new_things_go_in)
{
    for (int version = 1; version <= versions(); version++) {
        struct desk desk;
        struct db *db;
        struct journal *journal;
        char path[128];
        const struct journal_limits limits = desk_limits();
        desk_open(&desk);
        snprintf(path, sizeof path, "%s/old.db", desk.live.folder);
        make_old(path, version);
        assert_ok(db_open(&db, path, &err), err);
        ck_assert_int_eq(database_number(db, "SELECT count(*) FROM migrations"), versions());
        ck_assert_int_eq(database_number(db, "PRAGMA auto_vacuum"), 2);
        for (int i = 0; i < CONTENTS && contents[i].from <= version; i++)
            ck_assert_msg(database_number(db, contents[i].count) == 1, "version %d: %s", version,
                          contents[i].count);
        assert_sound(db);

        struct registry *registry;
        assert_ok(registry_open(&registry, desk.live.folder, WEIGHT_F32, SHORTLIST_WHOLE, db, &err),
                  err);
        struct live_model *model = live_find(registry, "en", "fr");
        assert_ok(journal_open(&journal, path, &limits, &err), err);
        struct journal_entry entry = desk_translate(&desk, "the ant", 1);
        entry.model_id = live_model_id(model);
        desk_add(&desk, journal, &entry);
        journal_close(journal);
        ck_assert_int_eq(database_number(db, "SELECT count(*) FROM translations"),
                         version >= 5 ? 2 : 1);
        live_model_release(model);
        registry_close(registry);
        db_close(db);
        desk_close(&desk);
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST(what_was_in_an_older_database_is_there_and_new_things_go_in),
};
TEST_MAIN("server/store/upgrade", cases)
