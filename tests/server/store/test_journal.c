/*
 * test_journal.c - translations of a tiny model stored, read, listed, counted, deleted.
 */
#include "base/clock.h"
#include "server/store/care.h"
#include "server/store/journal_prune.h"
#include "tests/server/engine/same_answer.h"
#include "tests/server/store/desk.h"

#define TEXT "The ant is in the hat. It is there!  \n\n  1234\tWhere is the other one, then?"

static struct desk desk;
static struct journal *journal;
static struct error err;

static void open_with(const struct journal_limits *limits)
{
    assert_ok(journal_open(&journal, desk.path, limits, &err), err);
}

static void setup(void)
{
    const struct journal_limits limits = desk_limits();
    desk_open(&desk);
    open_with(&limits);
}

static void teardown(void)
{
    journal_close(journal);
    desk_close(&desk);
}

static struct stored_translation read_back(long long id)
{
    struct stored_translation t;
    assert_ok(journal_read(desk.live.db, journal, id, ANY_KEY, &desk.scratch, &t, &err), err);
    return t;
}

static void assert_reads_as(long long id, const struct journal_entry *entry)
{
    const struct stored_translation t = read_back(id);
    ck_assert_int_eq(t.id, id);
    ck_assert_str_eq(t.source_text, entry->source.data);
    ck_assert_str_eq(t.target_text, entry->target.data);
    ck_assert_str_eq(t.model, "en-fr");
    ck_assert_str_eq(t.source_language, "en");
    ck_assert_str_eq(t.target_language, "fr");
    ck_assert_ptr_null(t.via);
    ck_assert_int_eq(t.beam, entry->beam);
    ck_assert_int_eq(t.took_us, entry->took_us);
    ck_assert_int_eq(t.key_id, entry->key_id);
    assert_same_answer(t.vocabulary, entry->answers, &t.answer, &desk.scratch);
}

START_TEST(what_was_translated_is_read_back_queued_or_stored)
{
    setup();
    for (int n_best = 1; n_best <= 3; n_best += 2) {
        const struct journal_entry entry = desk_translate(&desk, TEXT, n_best);
        const long long id = desk_add(&desk, journal, &entry);
        assert_reads_as(id, &entry); // most likely in the queue
        journal_flush(journal);
        assert_reads_as(id, &entry);
    }
    ck_assert_int_eq(database_number(desk.live.db, "SELECT count(*) FROM translations"), 2);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

START_TEST(it_is_read_by_who_has_no_journal_open)
{
    setup();
    const struct journal_entry entry = desk_translate(&desk, TEXT, 2);
    const long long id = desk_add(&desk, journal, &entry);
    journal_close(journal);
    journal = NULL;
    assert_reads_as(id, &entry);
    teardown();
}
END_TEST

START_TEST(an_id_that_is_none_is_not_found)
{
    struct stored_translation t;
    setup();
    assert_status(journal_read(desk.live.db, journal, 17, ANY_KEY, &desk.scratch, &t, &err),
                  STATUS_NOT_FOUND);
    teardown();
}
END_TEST

START_TEST(ids_rise_also_when_the_clock_stands_and_after_a_restart)
{
    long long last = 0;
    const struct journal_limits limits = desk_limits();
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    for (int i = 0; i < 500; i++) {
        if (i == 250) {
            journal_close(journal);
            open_with(&limits);
        }
        const long long id = desk_add(&desk, journal, &entry);
        ck_assert_int_gt(id, last);
        ck_assert_int_lt(llabs((id >> JOURNAL_ID_TIME_BITS) - clock_wall_ms()), 60000);
        last = id;
    }
    teardown();
}
END_TEST

START_TEST(ids_as_text_sort_as_numbers_and_come_back)
{
    static const long long ids[] = { 0, 1, 31, 32, 3765336562081246740, INT64_MAX };
    char text[JOURNAL_ID_BYTES], before[JOURNAL_ID_BYTES] = "";
    long long id;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        journal_id_write(text, "replica8", ids[i]);
        ck_assert_uint_eq(strlen(text), 8 + 1 + 13);
        ck_assert_str_gt(text, before);
        ck_assert(journal_id_read(text, &id));
        ck_assert_int_eq(id, ids[i]);
        ck_assert(journal_id_read(text + strlen("replica8-"), &id));
        ck_assert_int_eq(id, ids[i]);
        snprintf(before, sizeof before, "%s", text);
    }
    ck_assert(journal_id_read("a1-o0oo00000ooil", &id)); // what people write for 0 and 1
    ck_assert_int_eq(id, 33);
}
END_TEST

START_TEST(what_is_no_id_is_refused)
{
    static const char *const wrong[] = { "",
                                         "a1",
                                         "a1-",
                                         "-0000000000001",
                                         "a1-000000000001",
                                         "a1-00000000000011",
                                         "a1-000000000000U",
                                         "a1-8000000000000",
                                         "toolongtag-0000000000001",
                                         "a.1-0000000000001",
                                         "a1-0000000-00001" };
    long long id;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!journal_id_read(wrong[i], &id), "%s", wrong[i]);
    ck_assert(!journal_tag_is_valid("") && !journal_tag_is_valid("ninechars"));
    ck_assert(!journal_tag_is_valid("a-b") && !journal_tag_is_valid("\xC3\xA9"));
}
END_TEST

START_TEST(a_request_of_many_texts_is_stored_whole)
{
    enum { MANY = 40 };
    struct journal_entry entries[MANY];
    char ids[MANY][JOURNAL_ID_BYTES];
    setup();
    for (int i = 0; i < MANY; i++)
        entries[i] = desk_translate(&desk, i % 2 ? "the ant" : TEXT, 1);
    assert_ok(journal_add(journal, entries, MANY, &desk.scratch, ids, NULL, &err), err);
    journal_flush(journal);
    for (int i = 0; i < MANY; i++) {
        long long id;
        ck_assert(journal_id_read(ids[i], &id));
        assert_reads_as(id, &entries[i]);
    }
    teardown();
}
END_TEST

START_TEST(several_texts_of_the_model_are_one_translation)
{
    setup();
    const struct journal_entry one = desk_translate(&desk, "the ant", 2);
    const struct journal_entry two = desk_translate(&desk, TEXT, 2);
    const struct engine_text texts[] = { one.texts[0], two.texts[0] };
    const struct engine_answer answers[] = { one.answers[0], two.answers[0] };
    struct journal_entry page = one;
    page.source = (struct blob){ "<p>the ant</p>", 14 };
    page.target = (struct blob){ "<p>la</p>", 9 };
    page.texts = texts;
    page.answers = answers;
    page.count = 2;
    const long long id = desk_add(&desk, journal, &page);
    journal_flush(journal);
    const struct stored_translation t = read_back(id);
    ck_assert_str_eq(t.source_text, "<p>the ant</p>");
    ck_assert_str_eq(t.target_text, "<p>la</p>");
    ck_assert_str_eq(t.text, "the ant\n" TEXT);
    ck_assert_int_eq(t.answer.sentence_count,
                     one.answers->sentence_count + two.answers->sentence_count);
    for (int i = 0; i < t.answer.sentence_count; i++) {
        const struct engine_sentence *s = &t.answer.sentences[i];
        const int first = one.answers->sentence_count;
        const struct engine_sentence *was =
            i < first ? &one.answers->sentences[i] : &two.answers->sentences[i - first];
        ck_assert_str_eq(s->texts[0].text, was->texts[0].text);
        assert_same_hypothesis(&was->translation.best[0], &s->translation.best[0]);
    }
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

START_TEST(a_pair_through_english_keeps_all_three_texts)
{
    setup();
    struct live_model *first = live_find(desk.live.registry, "fr", "en");
    struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    entry.first_model_id = live_model_id(first);
    entry.source = (struct blob){ "la fourmi", 9 };
    const long long id = desk_add(&desk, journal, &entry);
    journal_flush(journal);
    const struct stored_translation t = read_back(id);
    ck_assert_str_eq(t.source_text, "la fourmi");
    ck_assert_str_eq(t.text, "the ant");
    ck_assert_str_eq(t.source_language, "fr");
    ck_assert_str_eq(t.via, "en");
    assert_same_answer(t.vocabulary, entry.answers, &t.answer, &desk.scratch);
    live_model_release(first);
    teardown();
}
END_TEST

START_TEST(words_of_people_have_no_alignment)
{
    setup();
    assert_ok(
        sql_run(desk.live.db,
                "INSERT INTO suggestions (id, source_language, target_language, source_text,"
                " suggested_text, client, created_ms) VALUES (5, 'en', 'fr', 'a', 'b', 'c', 1)",
                &err),
        err);
    struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    entry.suggestion_id = 5;
    entry.target = (struct blob){ "la fourmi", 9 };
    entry.count = 0;
    const long long id = desk_add(&desk, journal, &entry);
    journal_flush(journal);
    const struct stored_translation t = read_back(id);
    ck_assert_int_eq(t.suggestion_id, 5);
    ck_assert_str_eq(t.target_text, "la fourmi");
    ck_assert_str_eq(t.answer.text, "la fourmi");
    ck_assert_int_eq(t.answer.sentence_count, 0);
    teardown();
}
END_TEST

START_TEST(without_text_there_are_lengths_times_scores_and_matrices_only)
{
    struct journal_limits limits = desk_limits();
    limits.keep_text = false;
    desk_open(&desk);
    open_with(&limits);
    const struct journal_entry entry = desk_translate(&desk, TEXT, 2);
    const long long id = desk_add(&desk, journal, &entry);
    for (int i = 0; i < 2; i++) { // queued, then stored
        const struct stored_translation t = read_back(id);
        ck_assert_ptr_null(t.source_text);
        ck_assert_ptr_null(t.target_text);
        ck_assert_ptr_null(t.text);
        ck_assert_int_eq(t.answer.sentence_count, 0);
        ck_assert_int_eq(t.source_length, (int)strlen(TEXT));
        ck_assert_int_eq(t.took_us, entry.took_us);
        journal_flush(journal);
    }
    struct db *db = desk.live.db;
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM translations WHERE coalesce("
                                         "source_text, target_text, model_source, model_target) "
                                         "IS NOT NULL"),
                     0);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM hypotheses WHERE coalesce(source, "
                                         "target) IS NOT NULL"),
                     0);
    ck_assert_int_gt(
        database_number(db, "SELECT count(*) FROM hypotheses WHERE length(alignment) > 0"), 0);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM links"), 0);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM word_pairs"), 0);
    teardown();
}
END_TEST

START_TEST(words_are_counted_up_and_down_with_their_translations)
{
    setup();
    struct db *db = desk.live.db;
    const struct journal_entry entry = desk_translate(&desk, TEXT, 1);
    const long long first = desk_add(&desk, journal, &entry);
    const long long second = desk_add(&desk, journal, &entry);
    journal_flush(journal);
    const long long links = database_number(db, "SELECT count(*) FROM links");
    ck_assert_int_gt(links, 0);
    ck_assert_int_eq(database_number(db, "SELECT sum(count) FROM word_pairs"), links);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM aligned_words") +
                         database_number(db, "SELECT count(*) FROM uncovered_words"),
                     links);
    ck_assert_int_eq(database_number(db, "SELECT max(last_id) FROM lexicon"), second);
    assert_sound(desk.live.db);

    assert_ok(journal_delete(db, journal, second, ANY_KEY, &err), err);
    ck_assert_int_eq(database_number(db, "SELECT sum(count) FROM word_pairs"), links / 2);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM lexicon WHERE last_id IS NOT NULL"),
                     0);
    assert_sound(desk.live.db);
    assert_ok(journal_delete(db, journal, first, ANY_KEY, &err), err);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM word_pairs"), 0);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM hypotheses"), 0);
    assert_status(journal_delete(db, journal, first, ANY_KEY, &err), STATUS_NOT_FOUND);
    teardown();
}
END_TEST

START_TEST(what_is_still_queued_can_be_deleted)
{
    struct stored_translation t;
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    for (int i = 0; i < 4; i++) {
        const long long id = desk_add(&desk, journal, &entry);
        assert_ok(journal_delete(desk.live.db, journal, id, ANY_KEY, &err), err);
        assert_status(journal_read(desk.live.db, journal, id, ANY_KEY, &desk.scratch, &t, &err),
                      STATUS_NOT_FOUND);
    }
    teardown();
}
END_TEST

static void make_keys(void)
{
    assert_ok(sql_run(desk.live.db,
                      "INSERT INTO keys (id, name, sha256, scopes, created_ms) VALUES "
                      "(1, 'anna', printf('%064d', 1), 3, 1), (2, 'ben', printf('%064d', 2), 3, 1)",
                      &err),
              err);
}

START_TEST(a_key_sees_and_deletes_its_own_rows_only)
{
    struct stored_translation t, *list;
    struct stored_link *links;
    int count;
    long long ids[600], deleted;
    setup();
    make_keys();
    struct db *db = desk.live.db;
    struct journal_entry entry = desk_translate(&desk, "the ant in the hat", 1);
    for (int i = 0; i < 600; i++) {
        entry.key_id = i % 3; // 0: nobody's
        ids[i] = desk_add(&desk, journal, &entry);
        if (i == 1)
            assert_status(journal_read(db, journal, ids[1], 2, &desk.scratch, &t, &err),
                          STATUS_NOT_FOUND); // queued or not
    }
    journal_flush(journal);
    assert_ok(journal_read(db, journal, ids[1], 1, &desk.scratch, &t, &err), err);
    assert_status(journal_read(db, journal, ids[1], 2, &desk.scratch, &t, &err), STATUS_NOT_FOUND);
    assert_status(journal_read(db, journal, ids[0], 1, &desk.scratch, &t, &err), STATUS_NOT_FOUND);
    assert_status(journal_delete(db, journal, ids[1], 2, &err), STATUS_NOT_FOUND);

    const struct journal_query all = { .limit = JOURNAL_LIST_MAX };
    assert_ok(journal_list(db, &all, 1, &desk.scratch, &list, &count, &err), err);
    ck_assert_int_eq(count, 200);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(list[i].key_id, 1);
    const struct links_query words = { .source = "the", .limit = 10 };
    assert_ok(links_list(db, &words, ANY_KEY, &desk.scratch, &links, &count, &err), err);
    const long long everybody = count > 0 ? links[0].count : 0;
    assert_ok(links_list(db, &words, 1, &desk.scratch, &links, &count, &err), err);
    ck_assert_int_eq(everybody, count > 0 ? 3 * links[0].count : 0);

    assert_ok(journal_delete_of_key(db, journal, 1, &deleted, &err), err);
    ck_assert_int_eq(deleted, 200);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM translations WHERE key_id = 1"), 0);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM translations"), 400);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

static int list_count(struct journal_query query)
{
    struct stored_translation *list;
    int count;
    assert_ok(journal_list(desk.live.db, &query, ANY_KEY, &desk.scratch, &list, &count, &err), err);
    for (int i = 1; i < count; i++)
        ck_assert_int_lt(list[i].id, list[i - 1].id);
    return count;
}

START_TEST(the_list_is_newest_first_and_filtered)
{
    static const char *const texts[] = { "the ant", "The HAT", "100% in", "under_score", "a\\b" };
    long long ids[5];
    setup();
    for (int i = 0; i < 5; i++) {
        const struct journal_entry entry = desk_translate(&desk, texts[i], 1);
        ids[i] = desk_add(&desk, journal, &entry);
    }
    journal_flush(journal);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 100 }), 5);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 2 }), 2);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 100, .before = ids[3] }), 3);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .text = "hat" }), 1);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .text = "%" }), 1);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .text = "r_s" }), 1);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .text = "a\\b" }), 1);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .source = "en" }), 5);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .source = "fr" }), 0);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .target = "fr" }), 5);
    ck_assert_int_eq(list_count((struct journal_query){ .limit = 9, .model = "fr-en" }), 0);
    teardown();
}
END_TEST

/* The source word with the most links. */
static void most_linked(char word[LINK_WORD_BYTES_MAX + 1])
{
    bool has_row;
    const char *text;
    sqlite3_stmt *s;
    assert_ok(sql_prepare(desk.live.db, &s,
                          "SELECT source_word FROM lexicon GROUP BY source_word "
                          "ORDER BY sum(count) DESC, source_word",
                          &err),
              err);
    assert_ok(sql_step(desk.live.db, s, &has_row, &err), err);
    ck_assert(has_row);
    assert_ok(sql_text(desk.live.db, s, 0, &text, &err), err);
    snprintf(word, LINK_WORD_BYTES_MAX + 1, "%s", text);
    sqlite3_finalize(s);
}

START_TEST(links_of_a_word_are_the_most_frequent_first)
{
    struct stored_link *links;
    int count;
    setup();
    const struct journal_entry a = desk_translate(&desk, TEXT, 1);
    const struct journal_entry b = desk_translate(&desk, "the ant the hat the", 1);
    desk_add(&desk, journal, &a);
    desk_add(&desk, journal, &b);
    desk_add(&desk, journal, &b);
    journal_flush(journal);
    char word[LINK_WORD_BYTES_MAX + 1];
    most_linked(word);
    const struct links_query query = { .source = word, .limit = 100 };
    assert_ok(links_list(desk.live.db, &query, ANY_KEY, &desk.scratch, &links, &count, &err), err);
    ck_assert_int_gt(count, 0);
    long long sum = 0;
    for (int i = 0; i < count; i++) {
        ck_assert_str_eq(links[i].source, word);
        ck_assert(i == 0 || links[i].count <= links[i - 1].count);
        sum += links[i].count;
    }
    ck_assert_int_eq(sum,
                     database_number(desk.live.db,
                                     "SELECT sum(count) AS n FROM lexicon GROUP BY source_word "
                                     "ORDER BY n DESC, source_word"));
    const struct links_query reverse = { .target = links[0].target, .limit = 100 };
    assert_ok(links_list(desk.live.db, &reverse, ANY_KEY, &desk.scratch, &links, &count, &err),
              err);
    ck_assert_int_gt(count, 0);
    const struct links_query nothing = { .limit = 5 };
    assert_status(links_list(desk.live.db, &nothing, ANY_KEY, &desk.scratch, &links, &count, &err),
                  STATUS_BAD_INPUT);
    teardown();
}
END_TEST

/* Ids of another time, so that there is something old. */
static void age_rows(long long days)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "PRAGMA foreign_keys = OFF;"
             "UPDATE translations SET id = id - (%lld << 21);"
             "UPDATE hypotheses SET translation_id = translation_id - (%lld << 21);"
             "UPDATE links SET translation_id = translation_id - (%lld << 21);"
             "PRAGMA foreign_keys = ON",
             days * 86400000, days * 86400000, days * 86400000);
    assert_ok(sql_run(desk.live.db, sql, &err), err);
}

static long long prune_all(long long keep_ms, long long keep_bytes)
{
    long long deleted = 0;
    bool more = true;
    while (more) {
        int some;
        assert_ok(journal_prune(desk.live.db, keep_ms, keep_bytes, &some, &more, &err), err);
        deleted += some;
    }
    return deleted;
}

START_TEST(what_is_too_old_goes_and_the_rest_stays)
{
    setup();
    const struct journal_entry entry = desk_translate(&desk, TEXT, 1);
    for (int i = 0; i < 500; i++)
        desk_add(&desk, journal, &entry);
    journal_flush(journal);
    age_rows(10);
    for (int i = 0; i < 100; i++)
        desk_add(&desk, journal, &entry);
    journal_flush(journal);
    ck_assert_int_eq(prune_all(11LL * 86400000, 0), 0);
    ck_assert_int_eq(prune_all(9LL * 86400000, 0), 500);
    ck_assert_int_eq(database_number(desk.live.db, "SELECT count(*) FROM translations"), 100);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

START_TEST(what_is_too_much_goes_and_the_file_shrinks)
{
    setup();
    struct db *db = desk.live.db;
    const struct journal_entry entry = desk_translate(&desk, TEXT, 3);
    const long long empty = database_number(db, "PRAGMA page_count");
    for (int i = 0; i < 1000; i++)
        desk_add(&desk, journal, &entry);
    journal_flush(journal);
    const long long newest = database_number(db, "SELECT max(id) FROM translations");
    const long long full = database_number(db, "PRAGMA page_count");
    const long long keep = (empty + (full - empty) / 4) * 4096;
    ck_assert_int_gt(prune_all(0, keep), 300);
    ck_assert_int_le(database_number(db, "PRAGMA page_count") * 4096, keep);
    ck_assert_int_gt(database_number(db, "SELECT count(*) FROM translations"), 100);
    ck_assert_int_eq(database_number(db, "SELECT max(id) FROM translations"), newest);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

START_TEST(the_journal_itself_forgets_what_is_too_old)
{
    struct journal_counts counts;
    struct journal_limits limits = desk_limits();
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    for (int i = 0; i < 300; i++)
        desk_add(&desk, journal, &entry);
    journal_flush(journal);
    age_rows(3);
    journal_close(journal);
    limits.keep_ms = 2 * 86400000LL;
    open_with(&limits);
    do {
        usleep(1000);
        journal_count(journal, &counts);
    } while (counts.pruned < 300);
    ck_assert_int_eq(database_number(desk.live.db, "SELECT count(*) FROM translations"), 0);
    teardown();
}
END_TEST

START_TEST(a_backup_taken_while_it_writes_is_whole_and_never_overwrites)
{
    char copy[160];
    struct db *other;
    setup();
    const struct journal_entry entry = desk_translate(&desk, TEXT, 2);
    for (int i = 0; i < 300; i++) {
        desk_add(&desk, journal, &entry);
        if (i % 100 != 50)
            continue;
        snprintf(copy, sizeof copy, "%s/copy-%d.db", desk.live.folder, i);
        assert_ok(db_backup(desk.live.db, copy, &err), err);
        assert_status(db_backup(desk.live.db, copy, &err), STATUS_BAD_USAGE);
        assert_ok(db_open_existing(&other, copy, &err), err);
        assert_sound(other);
        ck_assert_int_le(database_number(other, "SELECT count(*) FROM translations"), i + 1);
        db_close(other);
    }
    teardown();
}
END_TEST

static void keep_problem(void *said, const char *problem)
{
    snprintf(said, 512, "%s", problem);
}

START_TEST(a_check_finds_what_was_changed_by_hand)
{
    int problems;
    setup();
    const struct journal_entry entry = desk_translate(&desk, TEXT, 1);
    desk_add(&desk, journal, &entry);
    journal_flush(journal);
    assert_ok(sql_run(desk.live.db, "UPDATE word_pairs SET count = count + 1 WHERE id = 1", &err),
              err);
    char said[512] = "";
    assert_ok(db_check(desk.live.db, keep_problem, said, &problems, &err), err);
    ck_assert_int_eq(problems, 1);
    ck_assert_ptr_nonnull(strstr(said, "count of"));
    teardown();
}
END_TEST

START_TEST(damaged_rows_are_said_to_be)
{
    struct stored_translation t;
    setup();
    const struct journal_entry entry = desk_translate(&desk, TEXT, 1);
    const long long id = desk_add(&desk, journal, &entry);
    journal_flush(journal);
    assert_ok(sql_run(desk.live.db, "UPDATE hypotheses SET alignment = x'0102'", &err), err);
    assert_status(journal_read(desk.live.db, journal, id, ANY_KEY, &desk.scratch, &t, &err),
                  STATUS_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(err.text, "restore a backup"));
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(what_was_translated_is_read_back_queued_or_stored),
    TEST(it_is_read_by_who_has_no_journal_open),
    TEST(an_id_that_is_none_is_not_found),
    TEST(ids_rise_also_when_the_clock_stands_and_after_a_restart),
    TEST(ids_as_text_sort_as_numbers_and_come_back),
    TEST(what_is_no_id_is_refused),
    TEST(a_request_of_many_texts_is_stored_whole),
    TEST(several_texts_of_the_model_are_one_translation),
    TEST(a_pair_through_english_keeps_all_three_texts),
    TEST(words_of_people_have_no_alignment),
    TEST(without_text_there_are_lengths_times_scores_and_matrices_only),
    TEST(words_are_counted_up_and_down_with_their_translations),
    TEST(what_is_still_queued_can_be_deleted),
    TEST(a_key_sees_and_deletes_its_own_rows_only),
    TEST(the_list_is_newest_first_and_filtered),
    TEST(links_of_a_word_are_the_most_frequent_first),
    TEST(what_is_too_old_goes_and_the_rest_stays),
    TEST(what_is_too_much_goes_and_the_file_shrinks),
    TEST(the_journal_itself_forgets_what_is_too_old),
    TEST(a_backup_taken_while_it_writes_is_whole_and_never_overwrites),
    TEST(a_check_finds_what_was_changed_by_hand),
    TEST(damaged_rows_are_said_to_be),
};
TEST_MAIN("server/store/journal", cases)
