/* test_access.c - who may do what, rule by rule, with a client that is no socket. */
#include "server/http/access.h"

#include "server/store/keys.h"
#include "tests/helpers.h"

static char folder[64], path[128];
static struct db *db;
static struct service service;
static struct client client;
static struct caller seen; // of the exchange that was let in last
static int last_code;
static char last_headers[512], last_body[512];

static void on_reply(struct client *c, const struct reply *reply)
{
    (void)c;
    last_code = reply->code;
    snprintf(last_headers, sizeof last_headers, "%s", reply->headers ? reply->headers : "");
    snprintf(last_body, sizeof last_body, "%.*s", (int)reply->len, reply->body);
}

static void open_service(struct access_options options, const char *listens)
{
    struct error err;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
    assert_ok(db_open(&db, path, &err), err);
    client = (struct client){ .reply = on_reply };
    ck_assert(address_read("192.0.2.7", 9, &client.peer));
    service = (struct service){ 0 };
    assert_ok(access_open(&service.access, &options, db, &err), err);
    access_listens(service.access, listens);
    bytes_init(&service.body, 4096);
    ck_assert(bytes_reserve(&service.body, 1024));
}

static void close_service(void)
{
    access_free(service.access);
    bytes_release(&service.body);
    db_close(db);
    remove_folder(folder);
}

/* Opens the rules again, so that they know it. */
static void give_key(struct access_options options, unsigned scopes, char header[KEY_BYTES + 16])
{
    static int number;
    struct error err;
    char key[KEY_BYTES], name[16];
    snprintf(name, sizeof name, "n%d", ++number);
    assert_ok(keys_add(db, name, scopes, 0, key, &err), err);
    access_free(service.access);
    assert_ok(access_open(&service.access, &options, db, &err), err);
    access_listens(service.access, "0.0.0.0");
    snprintf(header, KEY_BYTES + 16, "Bearer %s", key);
}

static struct slice slice(const char *text)
{
    return text ? (struct slice){ text, strlen(text) } : (struct slice){ 0 };
}

/* 200, or the status with which it was refused. */
static int ask(enum scope scope, const char *host, const char *origin, const char *authorization)
{
    const struct route route = { "GET", "/v1/x", NULL, .scope = scope };
    const struct message message = { .kind = MESSAGE_HTTP,
                                     .number = 1,
                                     .host = slice(host),
                                     .origin = slice(origin),
                                     .authorization = slice(authorization) };
    struct exchange x = {
        .service = &service, .client = &client, .message = &message, .route = &route, .is_v1 = true
    };
    last_code = 200;
    last_headers[0] = '\0';
    if (access_admits(&x))
        seen = x.caller;
    return last_code;
}

static void assert_statuses(const char *authorization, int translate, int read, int delete,
                            int admin)
{
    ck_assert_int_eq(ask(SCOPE_NONE, "localhost", NULL, authorization), 200);
    ck_assert_int_eq(ask(SCOPE_TRANSLATE, "localhost", NULL, authorization), translate);
    ck_assert_int_eq(ask(SCOPE_READ, "localhost", NULL, authorization), read);
    ck_assert_int_eq(ask(SCOPE_DELETE, "localhost", NULL, authorization), delete);
    ck_assert_int_eq(ask(SCOPE_ADMIN, "localhost", NULL, authorization), admin);
}

START_TEST(on_loopback_whoever_has_no_key_may_do_everything)
{
    open_service((struct access_options){ 0 }, "127.0.0.1");
    assert_statuses(NULL, 200, 200, 200, 200);
    ck_assert_int_eq(seen.rows, ROWS_OF_ALL);
    ck_assert_int_eq(seen.key_id, 0);
    close_service();
}
END_TEST

START_TEST(beyond_loopback_history_links_and_delete_are_off)
{
    static const char *const name = "verso.example";
    open_service((struct access_options){ 0 }, "0.0.0.0");
    assert_statuses(NULL, 200, 401, 401, 401);
    ck_assert_ptr_nonnull(strstr(last_headers, "WWW-Authenticate: Bearer\r\n"));
    ck_assert_int_eq(ask(SCOPE_READ, "localhost", NULL, NULL), 401);
    ck_assert_ptr_nonnull(strstr(last_body, "--public-history"));
    close_service();
    /* A name by which a proxy may be asked is as good as another network. */
    open_service((struct access_options){ .allowed_hosts = &name, .allowed_host_count = 1 },
                 "127.0.0.1");
    assert_statuses(NULL, 200, 401, 401, 401);
    close_service();
}
END_TEST

START_TEST(public_history_lets_all_read_and_delete)
{
    open_service((struct access_options){ .public_history = true }, "0.0.0.0");
    assert_statuses(NULL, 200, 200, 200, 401);
    close_service();
}
END_TEST

START_TEST(required_means_that_nothing_is_done_without_a_key)
{
    open_service((struct access_options){ .keys_required = true, .public_history = true },
                 "127.0.0.1");
    assert_statuses(NULL, 401, 401, 401, 401);
    assert_statuses("Bearer verso_1_nonsense", 401, 401, 401, 401);
    close_service();
}
END_TEST

START_TEST(a_key_may_do_what_its_scopes_say)
{
    char key[KEY_BYTES + 16];
    const struct access_options required = { .keys_required = true };
    open_service(required, "0.0.0.0");
    give_key(required, SCOPE_TRANSLATE, key);
    assert_statuses(key, 200, 403, 403, 403);
    give_key(required, SCOPE_READ, key);
    assert_statuses(key, 403, 200, 403, 403);
    give_key(required, SCOPE_TRANSLATE | SCOPE_READ, key);
    assert_statuses(key, 200, 200, 403, 403);
    give_key(required, SCOPE_ADMIN, key);
    assert_statuses(key, 403, 200, 200, 200);
    close_service();
}
END_TEST

START_TEST(a_key_sees_its_own_rows_and_an_admin_all)
{
    char reader[KEY_BYTES + 16], admin[KEY_BYTES + 16];
    open_service((struct access_options){ 0 }, "0.0.0.0");
    give_key((struct access_options){ 0 }, SCOPE_READ, reader);
    give_key((struct access_options){ 0 }, SCOPE_ADMIN, admin);
    ck_assert_int_eq(ask(SCOPE_READ, "localhost", NULL, reader), 200);
    ck_assert_int_eq(seen.key_id, 1);
    ck_assert_int_eq(seen.rows, 1);
    ck_assert_int_eq(ask(SCOPE_READ, "localhost", NULL, admin), 200);
    ck_assert_int_eq(seen.key_id, 2);
    ck_assert_int_eq(seen.rows, ROWS_OF_ALL);
    close_service();
}
END_TEST

START_TEST(stored_text_needs_a_host_that_is_known)
{
    static const enum scope stored[] = { SCOPE_READ, SCOPE_DELETE, SCOPE_ADMIN };
    open_service((struct access_options){ 0 }, "127.0.0.1");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(stored[i], "evil.example", NULL, NULL), 403);
        ck_assert_int_eq(ask(stored[i], "", NULL, NULL), 403);
        ck_assert_int_eq(ask(stored[i], "127.0.0.1:5000", NULL, NULL), 200);
        ck_assert_int_eq(ask(stored[i], NULL, NULL, NULL), 200); // HTTP/1.0: no browser
    }
    ck_assert_int_eq(ask(SCOPE_TRANSLATE, "evil.example", NULL, NULL), 200);
    close_service();
}
END_TEST

START_TEST(stored_text_is_for_pages_of_the_same_origin_only)
{
    static const enum scope stored[] = { SCOPE_READ, SCOPE_DELETE, SCOPE_ADMIN };
    open_service((struct access_options){ 0 }, "127.0.0.1");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(stored[i], "localhost:5000", "http://localhost:5000", NULL), 200);
        ck_assert_int_eq(ask(stored[i], "localhost:5000", "http://evil.example", NULL), 403);
        ck_assert_int_eq(ask(stored[i], "localhost:5000", "null", NULL), 403);
    }
    ck_assert_int_eq(ask(SCOPE_TRANSLATE, "localhost", "http://evil.example", NULL), 200);
    close_service();
}
END_TEST

START_TEST(a_rate_counts_each_address_and_each_key)
{
    char key[KEY_BYTES + 16];
    const struct access_options options = { .rate = 2 };
    open_service(options, "0.0.0.0");
    give_key(options, SCOPE_TRANSLATE, key);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(SCOPE_TRANSLATE, "a", NULL, NULL), 200);
        ck_assert_int_eq(ask(SCOPE_TRANSLATE, "a", NULL, key), 200);
    }
    ck_assert_int_eq(ask(SCOPE_TRANSLATE, "a", NULL, NULL), 429);
    ck_assert_ptr_nonnull(strstr(last_headers, "Retry-After: 30\r\n"));
    ck_assert_ptr_nonnull(strstr(last_body, "Slowdown: 2 per 1 minute"));
    ck_assert_int_eq(ask(SCOPE_TRANSLATE, "a", NULL, key), 429);
    ck_assert_int_eq(ask(SCOPE_NONE, "a", NULL, NULL), 200);
    ck_assert(address_read("192.0.2.8", 9, &client.peer));
    ck_assert_int_eq(ask(SCOPE_TRANSLATE, "a", NULL, NULL), 200);
    close_service();
}
END_TEST

static const struct test_case cases[] = {
    TEST(on_loopback_whoever_has_no_key_may_do_everything),
    TEST(beyond_loopback_history_links_and_delete_are_off),
    TEST(public_history_lets_all_read_and_delete),
    TEST(required_means_that_nothing_is_done_without_a_key),
    TEST(a_key_may_do_what_its_scopes_say),
    TEST(a_key_sees_its_own_rows_and_an_admin_all),
    TEST(stored_text_needs_a_host_that_is_known),
    TEST(stored_text_is_for_pages_of_the_same_origin_only),
    TEST(a_rate_counts_each_address_and_each_key),
};
TEST_MAIN("server/http/access", cases)
