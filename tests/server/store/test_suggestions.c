/* test_suggestions.c - suggestions stored, decided and found. */
#include "server/store/suggestions.h"

#include "server/store/sql.h"
#include "tests/helpers.h"

static char folder[64], path[128];
static struct db *db;
static struct arena arena;
static struct error err;

static void open_db(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
    assert_ok(db_open(&db, path, &err), err);
    assert_ok(sql_run(db, "PRAGMA synchronous = OFF", &err), err); // thousands of small writes
    ck_assert(arena_init(&arena, 16 << 20));
}

static void close_db(void)
{
    arena_release(&arena);
    db_close(db);
    remove_folder(folder);
}

static enum status suggest(const char *source, const char *suggested, const char *client)
{
    return suggestions_add(db,
                           &(struct suggestion){ .source_language = "en",
                                                 .target_language = "fr",
                                                 .source_text = source,
                                                 .suggested_text = suggested },
                           client, &err);
}

static int list(enum suggestion_state state, struct suggestion **out)
{
    int count;
    assert_ok(suggestions_list(db, state, 0, 1000, &arena, out, &count, &err), err);
    return count;
}

static long long accept_new(const char *source, const char *suggested)
{
    struct suggestion *found;
    assert_ok(suggest(source, suggested, "c"), err);
    ck_assert_int_ge(list(SUGGESTION_PENDING, &found), 1);
    assert_ok(suggestions_decide(db, found[0].id, SUGGESTION_ACCEPTED, &err), err);
    return found[0].id;
}

static const char *answer_to(const char *text)
{
    static char answer[128];
    struct suggestion_set *set;
    struct suggested_text found = { .text = "-" };
    assert_ok(suggestion_set_load(&set, db, &err), err);
    if (suggestion_set_find(set, "en", "fr", text, strlen(text), &found))
        ck_assert_int_gt(found.id, 0);
    snprintf(answer, sizeof answer, "%s", found.text);
    ck_assert(!suggestion_set_find(set, "en", "de", text, strlen(text), &found));
    ck_assert(!suggestion_set_find(set, "enf", "r", text, strlen(text), &found));
    suggestion_set_free(set);
    return answer;
}

START_TEST(a_suggestion_is_given_once_it_is_accepted_and_no_longer_than_that)
{
    struct suggestion *found;
    open_db();
    assert_ok(suggest("Hello", "Salut", "c"), err);
    ck_assert_str_eq(answer_to("Hello"), "-");
    ck_assert_int_eq(list(SUGGESTION_PENDING, &found), 1);
    ck_assert_str_eq(found[0].source_text, "Hello");
    ck_assert_str_eq(found[0].suggested_text, "Salut");
    assert_ok(suggestions_decide(db, found[0].id, SUGGESTION_ACCEPTED, &err), err);
    ck_assert_str_eq(answer_to("Hello"), "Salut");
    ck_assert_str_eq(answer_to("hello"), "-");
    ck_assert_str_eq(answer_to("Hello "), "-");
    assert_ok(suggestions_decide(db, found[0].id, SUGGESTION_REJECTED, &err), err);
    ck_assert_str_eq(answer_to("Hello"), "-");
    ck_assert_int_eq(list(SUGGESTION_REJECTED, &found), 1);
    close_db();
}
END_TEST

START_TEST(accepting_another_one_puts_it_in_its_place)
{
    struct suggestion *found;
    long long stamps[3];
    open_db();
    accept_new("Hello", "Salut");
    assert_ok(suggestions_stamp(db, &stamps[0], &err), err);
    usleep(2000);
    const long long second = accept_new("Hello", "Bonjour");
    assert_ok(suggestions_stamp(db, &stamps[1], &err), err);
    ck_assert(stamps[0] != stamps[1]);
    ck_assert_str_eq(answer_to("Hello"), "Bonjour");
    ck_assert_int_eq(list(SUGGESTION_ACCEPTED, &found), 1);
    assert_ok(suggestions_decide(db, second, SUGGESTION_ACCEPTED, &err), err); // again: no matter
    ck_assert_str_eq(answer_to("Hello"), "Bonjour");
    assert_status(suggestions_decide(db, 999, SUGGESTION_ACCEPTED, &err), STATUS_NOT_FOUND);
    close_db();
}
END_TEST

START_TEST(the_same_is_stored_once)
{
    struct suggestion *found;
    open_db();
    for (int i = 0; i < 3; i++)
        assert_ok(suggest("Hello", "Salut", "c"), err);
    assert_ok(suggest("Hello", "Bonjour", "c"), err);
    ck_assert_int_eq(list(SUGGESTION_PENDING, &found), 2);
    close_db();
}
END_TEST

START_TEST(so_many_of_one_client_wait_and_others_are_not_kept_out)
{
    char text[32];
    open_db();
    for (int i = 0; i < SUGGESTIONS_PENDING_OF_ONE; i++) {
        snprintf(text, sizeof text, "text %d", i);
        assert_ok(suggest(text, "texte", "one"), err);
    }
    assert_status(suggest("one more", "texte", "one"), STATUS_BUSY);
    assert_ok(suggest("one more", "texte", "another"), err);
    close_db();
}
END_TEST

START_TEST(so_many_of_all_clients_wait)
{
    char sql[512];
    open_db();
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO suggestions (source_language, target_language, source_text, "
             "suggested_text, client, created_ms) SELECT 'en', 'fr', i, 'x', i, 1 FROM n",
             SUGGESTIONS_PENDING_MAX);
    assert_ok(sql_run(db, sql, &err), err);
    assert_status(suggest("one more", "texte", "new"), STATUS_BUSY);
    close_db();
}
END_TEST

START_TEST(a_text_that_is_too_long_is_refused)
{
    static char text[SUGGESTION_BYTES_MAX + 2];
    open_db();
    memset(text, 'a', SUGGESTION_BYTES_MAX + 1);
    assert_status(suggest(text, "texte", "c"), STATUS_TOO_LARGE);
    assert_status(suggest("text", text, "c"), STATUS_TOO_LARGE);
    text[SUGGESTION_BYTES_MAX] = '\0';
    accept_new(text, "texte");
    ck_assert_str_eq(answer_to(text), "texte");
    close_db();
}
END_TEST

/* ---- near ---- */

static int near(const char *text, int max, const char ***found)
{
    int count;
    assert_ok(suggestions_near(db, "en", "fr", text, max, &arena, found, &count, &err), err);
    return count;
}

START_TEST(nearly_the_same_text_is_found_the_best_first)
{
    const char **found;
    open_db();
    accept_new("The cat sat on the mat.", "Le chat est sur le tapis.");
    accept_new("The cat sat on the hat.", "Le chat est sur le chapeau.");
    accept_new("A dog barks at night.", "Un chien aboie la nuit.");
    ck_assert_int_eq(near("The cat sat on a mat", 4, &found), 2);
    ck_assert_str_eq(found[0], "Le chat est sur le tapis.");
    ck_assert_int_eq(near("The cat sat on a mat", 1, &found), 1);
    ck_assert_int_eq(near("the CAT sat on the mat", 4, &found), 2);
    ck_assert_int_eq(near("cat", 4, &found), 0); // a word in common is not enough
    close_db();
}
END_TEST

START_TEST(near_ones_are_others_of_this_pair_that_were_accepted)
{
    const char **found;
    open_db();
    assert_ok(suggest("The cat sat on the mat", "en attente", "c"), err);
    ck_assert_int_eq(near("The cat sat on a mat", 4, &found), 0);
    accept_new("The cat sat on a mat", "accepté");
    ck_assert_int_eq(near("The cat sat on a mat", 4, &found), 0); // this one is the answer itself
    int count;
    assert_ok(
        suggestions_near(db, "en", "de", "The cat sat on mats", 4, &arena, &found, &count, &err),
        err);
    ck_assert_int_eq(count, 0);
    close_db();
}
END_TEST

START_TEST(texts_that_look_like_search_expressions_are_words)
{
    const char **found;
    static const char *const texts[] = {
        "\"", "* OR NOT", "a\" OR \"b", "NEAR(a b)",        "col:x", "^",
        "",   "!?",       "é",          "\xf0\x9f\x98\x80", "a AND", "{x} - y"
    };
    open_db();
    accept_new("something else", "autre chose");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_int_eq(near(texts[i], 4, &found), 0);
    close_db();
}
END_TEST

START_TEST(a_client_is_a_hash)
{
    char a[SUGGESTION_CLIENT_BYTES], b[SUGGESTION_CLIENT_BYTES], c[SUGGESTION_CLIENT_BYTES];
    assert_ok(suggestion_client(0, "192.0.2.7", a, &err), err);
    assert_ok(suggestion_client(0, "192.0.2.8", b, &err), err);
    assert_ok(suggestion_client(3, "192.0.2.7", c, &err), err);
    ck_assert_str_ne(a, b);
    ck_assert_str_ne(a, c);
    ck_assert_ptr_null(strstr(a, "192"));
}
END_TEST

START_TEST(loading_gives_back_what_it_took)
{
    open_db();
    accept_new("Hello", "Salut");
    for (long nth = 1;; nth++) {
        struct suggestion_set *set;
        const long before = memory_live();
        memory_fail_at(nth);
        const enum status status = suggestion_set_load(&set, db, &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        suggestion_set_free(set);
        ck_assert_int_eq(memory_live(), before);
        if (!failed)
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
    }
    close_db();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_suggestion_is_given_once_it_is_accepted_and_no_longer_than_that),
    TEST(accepting_another_one_puts_it_in_its_place),
    TEST(the_same_is_stored_once),
    TEST(so_many_of_one_client_wait_and_others_are_not_kept_out),
    TEST(so_many_of_all_clients_wait),
    TEST(a_text_that_is_too_long_is_refused),
    TEST(nearly_the_same_text_is_found_the_best_first),
    TEST(near_ones_are_others_of_this_pair_that_were_accepted),
    TEST(texts_that_look_like_search_expressions_are_words),
    TEST(a_client_is_a_hash),
    TEST(loading_gives_back_what_it_took),
};
TEST_MAIN("server/store/suggestions", cases)
