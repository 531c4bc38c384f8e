/* test_outbox.c - bytes on their way to a client that may read slowly. */
#include "server/net/outbox.h"
#include "tests/helpers.h"

static struct outbox outbox;

static void assert_taken(const char *expected)
{
    char *bytes;
    size_t len;
    ck_assert(outbox_take(&outbox, &bytes, &len));
    ck_assert_uint_eq(len, strlen(expected));
    ck_assert_mem_eq(bytes, expected, len);
}

START_TEST(what_is_added_while_bytes_fly_leaves_next)
{
    char *bytes;
    size_t len;
    outbox_init(&outbox, 100);
    ck_assert(!outbox_take(&outbox, &bytes, &len));
    ck_assert(outbox_add(&outbox, "one ", 4));
    ck_assert(outbox_add(&outbox, "two ", 4));
    assert_taken("one two ");
    ck_assert(outbox_add(&outbox, "three", 5));
    ck_assert(!outbox_take(&outbox, &bytes, &len));
    ck_assert_uint_eq(outbox_bytes(&outbox), 13);
    outbox_written(&outbox);
    ck_assert_uint_eq(outbox_bytes(&outbox), 5);
    assert_taken("three");
    outbox_written(&outbox);
    ck_assert_uint_eq(outbox_bytes(&outbox), 0);
    outbox_release(&outbox);
}
END_TEST

START_TEST(flying_bytes_count_towards_the_maximum)
{
    outbox_init(&outbox, 10);
    ck_assert(outbox_add(&outbox, "123456", 6));
    assert_taken("123456");
    ck_assert(outbox_add(&outbox, "1234", 4));
    ck_assert(!outbox_add(&outbox, "5", 1));
    outbox_written(&outbox);
    ck_assert(outbox_add(&outbox, "5", 1));
    assert_taken("12345");
    outbox_release(&outbox);
}
END_TEST

START_TEST(without_memory_nothing_is_added)
{
    outbox_init(&outbox, 10);
    memory_fail_at(1);
    ck_assert(!outbox_add(&outbox, "1", 1));
    memory_fail_at(0);
    ck_assert_uint_eq(outbox_bytes(&outbox), 0);
    outbox_release(&outbox);
}
END_TEST

START_TEST(large_buffers_are_given_back)
{
    static char large[1 << 20];
    outbox_init(&outbox, sizeof large);
    ck_assert(outbox_add(&outbox, large, sizeof large));
    char *bytes;
    size_t len;
    ck_assert(outbox_take(&outbox, &bytes, &len));
    outbox_written(&outbox);
    ck_assert_uint_eq(outbox.flying.capacity, 0);
    outbox_release(&outbox);
}
END_TEST

static const struct test_case cases[] = {
    TEST(what_is_added_while_bytes_fly_leaves_next),
    TEST(flying_bytes_count_towards_the_maximum),
    TEST(without_memory_nothing_is_added),
    TEST(large_buffers_are_given_back),
};
TEST_MAIN("server/net/outbox", cases)
