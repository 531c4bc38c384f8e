/* test_hosts.c - which names a browser may know the server by. */
#include "server/http/hosts.h"

#include "tests/helpers.h"

static struct hosts *hosts_of(const char *listens, const char *name)
{
    struct error err;
    struct hosts *hosts;
    assert_ok(hosts_new(&hosts, &name, name ? 1 : 0, &err), err);
    if (listens)
        hosts_listen(hosts, listens);
    return hosts;
}

static bool knows(const char *listens, const char *name, const char *host)
{
    struct hosts *hosts = hosts_of(listens, name);
    const bool known = hosts_know(hosts, (struct slice){ host, strlen(host) });
    hosts_free(hosts);
    return known;
}

static bool is_loopback(const char *listens, const char *name)
{
    struct hosts *hosts = hosts_of(listens, name);
    const bool is = hosts_are_loopback(hosts);
    hosts_free(hosts);
    return is;
}

START_TEST(loopback_is_known_by_all_its_names)
{
    static const char *const names[] = { "localhost",     "LOCALHOST:5000", "localhost.",
                                         "a.localhost:1", "127.0.0.1",      "127.9.9.9:80",
                                         "[::1]",         "[::1]:5000" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(knows("127.0.0.1", NULL, names[i]), "%s", names[i]);
}
END_TEST

START_TEST(other_names_are_not_known)
{
    static const char *const names[] = { "",
                                         ":80",
                                         "evil.example",
                                         "localhost.evil.example",
                                         "xlocalhost",
                                         "192.0.2.7",
                                         "[2001:db8::1]",
                                         "[::1",
                                         "128.0.0.1",
                                         "127.0.0.1.evil.example" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(!knows("127.0.0.1", NULL, names[i]), "%s", names[i]);
}
END_TEST

START_TEST(a_name_that_the_server_was_told_is_known)
{
    ck_assert(knows("0.0.0.0", "Verso.Example", "verso.example:443"));
    ck_assert(!knows("0.0.0.0", "verso.example", "other.example"));
    ck_assert(knows("127.0.0.1", "2001:db8::7", "[2001:DB8::7]:5000"));
}
END_TEST

START_TEST(the_address_that_is_listened_on_is_known)
{
    ck_assert(knows("192.0.2.7", NULL, "192.0.2.7:5000"));
    ck_assert(!knows("192.0.2.7", NULL, "192.0.2.8:5000"));
    ck_assert(knows("0.0.0.0", NULL, "192.0.2.8:5000"));
    ck_assert(knows("::", NULL, "[2001:db8::1]"));
    ck_assert(!knows("::", NULL, "evil.example"));
}
END_TEST

START_TEST(only_this_machine_can_ask_where_that_is_certain)
{
    ck_assert(is_loopback("127.0.0.1", NULL));
    ck_assert(is_loopback("::1", "verso.localhost"));
    ck_assert(!is_loopback(NULL, NULL));
    ck_assert(!is_loopback("0.0.0.0", NULL));
    ck_assert(!is_loopback("192.0.2.7", NULL));
    ck_assert(!is_loopback("127.0.0.1", "verso.example"));
}
END_TEST

static bool is_same(const char *origin, const char *host)
{
    return hosts_same_origin((struct slice){ origin, strlen(origin) },
                             (struct slice){ host, strlen(host) });
}

START_TEST(an_origin_is_the_hosts_or_another)
{
    ck_assert(is_same("http://localhost:5000", "localhost:5000"));
    ck_assert(is_same("https://Verso.example", "verso.example"));
    ck_assert(!is_same("http://localhost:5001", "localhost:5000"));
    ck_assert(!is_same("http://localhost", "localhost:5000"));
    ck_assert(!is_same("null", "localhost:5000"));
    ck_assert(!is_same("http://evil.example", "localhost"));
    ck_assert(!is_same("", ""));
}
END_TEST

START_TEST(what_is_no_name_of_a_host_is_refused)
{
    struct error err;
    struct hosts *hosts;
    const char *const bad[] = { "", ":80", "[::1" };
    for (int i = 0; i < 3; i++) {
        assert_status(hosts_new(&hosts, &bad[i], 1, &err), STATUS_BAD_USAGE);
        ck_assert_ptr_null(hosts);
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST(loopback_is_known_by_all_its_names),
    TEST(other_names_are_not_known),
    TEST(a_name_that_the_server_was_told_is_known),
    TEST(the_address_that_is_listened_on_is_known),
    TEST(only_this_machine_can_ask_where_that_is_certain),
    TEST(an_origin_is_the_hosts_or_another),
    TEST(what_is_no_name_of_a_host_is_refused),
};
TEST_MAIN("server/http/hosts", cases)
