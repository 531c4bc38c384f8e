/* test_address.c - addresses as proxies write them, and who they are as far as limits go. */
#include "server/net/address.h"
#include "tests/helpers.h"

static const struct {
    const char *text, *name; // NULL: it is no address
} samples[] = {
    { "192.0.2.7", "192.0.2.7" },
    { "192.0.2.7:4711", "192.0.2.7" },
    { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
    { "[2001:db8:1:2::1]", "2001:db8:1:2::/64" },
    { "[2001:db8:1:2::1]:65535", "2001:db8:1:2::/64" },
    { "::1", "::/64" },
    { "::ffff:192.0.2.7", "192.0.2.7" },
    { "[::ffff:192.0.2.7]:80", "192.0.2.7" },
    { "", NULL },
    { "unknown", NULL },
    { "localhost", NULL },
    { "192.0.2", NULL },
    { "192.0.2.256", NULL },
    { "192.0.2.7:", NULL },
    { "192.0.2.7:x", NULL },
    { "192.0.2.7:123456", NULL },
    { "192.0.2.7 ", NULL },
    { "192.0.2.7, 192.0.2.8", NULL },
    { "[192.0.2.7]", NULL },
    { "[::1", NULL },
    { "::1]", NULL },
    { "[::1]80", NULL },
    { "[::1]:", NULL },
    { "2001:db8::1%eth0", NULL },
    { "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff", NULL },
};

START_TEST(an_address_is_read_with_or_without_its_port)
{
    struct address address;
    char name[ADDRESS_NAME_BYTES];
    const char *text = samples[_i].text;
    const bool is_one = address_read(text, strlen(text), &address);
    ck_assert_msg(is_one == (samples[_i].name != NULL), "%s", text);
    if (!is_one)
        return;
    address_name(&address, name);
    ck_assert_str_eq(name, samples[_i].name);
}
END_TEST

START_TEST(a_zero_is_in_no_address)
{
    struct address address;
    ck_assert(!address_read("192.0.2.7\0x", 11, &address));
}
END_TEST

START_TEST(an_ipv4_address_is_the_same_however_it_came)
{
    struct address plain, mapped, other;
    ck_assert(address_read("192.0.2.7", 9, &plain));
    ck_assert(address_read("::ffff:192.0.2.7", 16, &mapped));
    ck_assert(address_read("192.0.2.8", 9, &other));
    ck_assert(address_equals(&plain, &mapped));
    ck_assert(!address_equals(&plain, &other));
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(an_address_is_read_with_or_without_its_port, sizeof samples / sizeof samples[0]),
    TEST(a_zero_is_in_no_address),
    TEST(an_ipv4_address_is_the_same_however_it_came),
};
TEST_MAIN("server/net/address", cases)
