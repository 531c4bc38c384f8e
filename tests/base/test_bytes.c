/*
 * test_bytes.c - appending all or nothing, the maximum, and whole files.
 */
#include "tests/helpers.h"

#include <fcntl.h>

#include "base/bytes.h"

START_TEST(appends_follow_each_other)
{
    struct bytes b;
    bytes_init(&b, 1000);
    ck_assert_ptr_null(b.data);
    ck_assert(bytes_append(&b, "", 0));
    ck_assert_str_eq(b.data, "");
    ck_assert(bytes_append(&b, NULL, 0));
    ck_assert(bytes_append_text(&b, "one "));
    ck_assert(bytes_append_char(&b, '2'));
    ck_assert(bytes_append(&b, "\0x", 2));
    ck_assert(bytes_printf(&b, " %s=%d", "n", 31));
    ck_assert_uint_eq(b.len, 12);
    ck_assert_mem_eq(b.data, "one 2\0x n=31", 13);
    bytes_release(&b);
    ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(a_long_string_grows_byte_by_byte)
{
    struct bytes b;
    bytes_init(&b, 100000);
    for (int i = 0; i < 100000; i++)
        ck_assert(bytes_append_char(&b, (char)('a' + i % 26)));
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(b.data[i], 'a' + i % 26);
    ck_assert(!bytes_append_char(&b, 'x'));
    ck_assert_uint_eq(b.len, 100000);
    bytes_release(&b);
}
END_TEST

START_TEST(over_the_maximum_nothing_changes_and_it_is_remembered)
{
    struct bytes b;
    struct error err;
    bytes_init(&b, 5);
    ck_assert(bytes_append_text(&b, "12345"));
    assert_ok(bytes_check(&b, "the reply", &err), err);
    ck_assert(!bytes_append_char(&b, '6'));
    ck_assert(!bytes_printf(&b, "%d", 67));
    ck_assert_str_eq(b.data, "12345");
    assert_status(bytes_check(&b, "the reply", &err), STATUS_TOO_LARGE);
    ck_assert_str_eq(err.text, "the reply would be longer than the limit of 5 bytes");

    bytes_reset(&b);
    assert_ok(bytes_check(&b, "the reply", &err), err);
    ck_assert_str_eq(b.data, "");
    ck_assert(bytes_printf(&b, "%05d", 1));
    bytes_release(&b);
}
END_TEST

START_TEST(a_request_near_the_address_space_is_refused)
{
    struct bytes b;
    bytes_init(&b, SIZE_MAX);
    ck_assert(bytes_append_text(&b, "x"));
    ck_assert(!bytes_reserve(&b, SIZE_MAX));
    ck_assert(!bytes_reserve(&b, SIZE_MAX - 1));
    ck_assert_str_eq(b.data, "x");
    bytes_release(&b);
}
END_TEST

START_TEST(no_memory_changes_nothing)
{
    struct bytes b;
    struct error err;
    bytes_init(&b, 1000);
    memory_fail_at(1);
    ck_assert(!bytes_append_text(&b, "x"));
    ck_assert_ptr_null(b.data);
    assert_status(bytes_check(&b, "the reply", &err), STATUS_NO_MEMORY);
    ck_assert_str_eq(err.text, "there is no memory for the reply");
    bytes_reset(&b);
    ck_assert(bytes_append_text(&b, "x"));
    memory_fail_at(1);
    ck_assert(!bytes_printf(&b, "%0200d", 1));
    ck_assert_str_eq(b.data, "x");
    bytes_release(&b);
}
END_TEST

START_TEST(reserved_room_needs_no_memory)
{
    struct bytes b;
    bytes_init(&b, 1000);
    ck_assert(bytes_reserve(&b, 1000));
    memory_fail_at(1);
    for (int i = 0; i < 1000; i++)
        ck_assert(bytes_append_char(&b, 'x'));
    memory_fail_at(0);
    bytes_release(&b);
}
END_TEST

static char folder[64], file[128];

static void write_file(const char *text, size_t len)
{
    snprintf(file, sizeof file, "%s/file", make_folder(folder));
    FILE *f = fopen(file, "wb");
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    fclose(f);
}

START_TEST(a_file_is_read_whole)
{
    struct bytes b;
    struct error err;
    write_file("line\0two", 8);
    bytes_init(&b, 8);
    assert_ok(bytes_read_file(&b, file, &err), err);
    ck_assert_uint_eq(b.len, 8);
    ck_assert_mem_eq(b.data, "line\0two", 9);
    bytes_release(&b);
    remove_folder(folder);
}
END_TEST

START_TEST(a_file_over_the_maximum_is_refused_and_nothing_kept)
{
    struct bytes b;
    struct error err;
    write_file("12345678", 8);
    bytes_init(&b, 7);
    assert_status(bytes_read_file(&b, file, &err), STATUS_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(err.text, "longer than the limit of 7 bytes"));
    ck_assert_uint_eq(b.len, 0);
    assert_status(bytes_read_file(&b, "/dev/zero", &err), STATUS_TOO_LARGE);
    ck_assert_uint_eq(b.len, 0);
    bytes_release(&b);
    remove_folder(folder);
}
END_TEST

START_TEST(an_empty_file_is_an_empty_string)
{
    struct bytes b;
    struct error err;
    bytes_init(&b, 100);
    assert_ok(bytes_read_file(&b, "/dev/null", &err), err);
    ck_assert_str_eq(b.data, "");
    bytes_release(&b);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_says_why)
{
    struct bytes b;
    struct error err;
    bytes_init(&b, 100);
    assert_status(bytes_read_file(&b, "/nowhere/x", &err), STATUS_NOT_FOUND);
    ck_assert_str_eq(err.text, "cannot open /nowhere/x: No such file or directory");
    assert_status(bytes_read_file(&b, "/tmp", &err), STATUS_IO);
    ck_assert_str_eq(err.text, "cannot read /tmp: Is a directory");
    memory_fail_at(1);
    bytes_release(&b);
    assert_status(bytes_read_file(&b, "/dev/null", &err), STATUS_NO_MEMORY);
    memory_fail_at(0);
    bytes_release(&b);
}
END_TEST

START_TEST(standard_input_arrives_in_pieces)
{
    struct bytes b;
    struct error err;
    int before = dup(STDIN_FILENO);
    FILE *slow = popen("printf one; sleep 0.05; printf ' two'", "r");
    ck_assert_int_eq(dup2(fileno(slow), STDIN_FILENO), STDIN_FILENO);
    bytes_init(&b, 100);
    assert_ok(bytes_read_file(&b, "-", &err), err);
    ck_assert_str_eq(b.data, "one two");
    dup2(before, STDIN_FILENO);
    close(before);
    pclose(slow);
    bytes_release(&b);
}
END_TEST

static const struct test_case cases[] = {
    TEST(appends_follow_each_other),
    TEST(a_long_string_grows_byte_by_byte),
    TEST(over_the_maximum_nothing_changes_and_it_is_remembered),
    TEST(a_request_near_the_address_space_is_refused),
    TEST(no_memory_changes_nothing),
    TEST(reserved_room_needs_no_memory),
    TEST(a_file_is_read_whole),
    TEST(a_file_over_the_maximum_is_refused_and_nothing_kept),
    TEST(an_empty_file_is_an_empty_string),
    TEST(a_file_that_cannot_be_read_says_why),
    TEST(standard_input_arrives_in_pieces),
};
TEST_MAIN("base/bytes", cases)
