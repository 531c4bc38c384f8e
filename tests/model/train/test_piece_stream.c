/*
 * test_piece_stream.c - ids come back as they were added, and nothing stays on the disk.
 */
#include "model/train/piece_stream.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/helpers.h"

static char folder[64], beside[96];

static void begin(void)
{
    make_folder(folder);
    snprintf(beside, sizeof beside, "%s/model", folder);
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static struct piece_stream *open_stream(void)
{
    struct piece_stream *stream;
    struct error err;
    assert_ok(piece_stream_open(&stream, beside, &err), err);
    return stream;
}

START_TEST(ids_come_back_and_no_file_is_seen)
{
    static const int32_t first[] = { 7, 8, 9 }, second[] = { 100000, 3 };
    struct error err;
    begin();
    struct piece_stream *stream = open_stream();
    ck_assert_int_eq(files_in_folder(), 0);
    assert_ok(piece_stream_add(stream, first, 3, &err), err);
    assert_ok(piece_stream_add(stream, first, 0, &err), err);
    assert_ok(piece_stream_add(stream, second, 2, &err), err);
    assert_ok(piece_stream_finish(stream, &err), err);
    ck_assert_int_eq(piece_stream_count(stream), 5);
    ck_assert_mem_eq(piece_stream_ids(stream), first, sizeof first);
    ck_assert_mem_eq(piece_stream_ids(stream) + 3, second, sizeof second);
    ck_assert_int_eq(files_in_folder(), 0);
    piece_stream_close(stream);
    remove_folder(folder);
}
END_TEST

START_TEST(a_digest_is_that_of_the_ids_alone)
{
    static const int32_t ids[] = { 5, 6, 7, 6 };
    struct piece_stream *streams[3];
    struct error err;
    begin();
    for (int i = 0; i < 3; i++) {
        streams[i] = open_stream();
        assert_ok(piece_stream_add(streams[i], ids, i == 1 ? 1 : 3, &err), err);
        if (i == 1)
            assert_ok(piece_stream_add(streams[i], ids + 1, 2, &err), err);
        if (i == 2)
            assert_ok(piece_stream_add(streams[i], ids + 3, 1, &err), err);
        assert_ok(piece_stream_finish(streams[i], &err), err);
    }
    ck_assert_str_eq(piece_stream_digest(streams[0]), piece_stream_digest(streams[1]));
    ck_assert_str_ne(piece_stream_digest(streams[0]), piece_stream_digest(streams[2]));
    for (int i = 0; i < 3; i++)
        piece_stream_close(streams[i]);
    remove_folder(folder);
}
END_TEST

START_TEST(an_empty_stream_is_no_mistake)
{
    struct error err;
    begin();
    struct piece_stream *stream = open_stream();
    assert_ok(piece_stream_finish(stream, &err), err);
    ck_assert_int_eq(piece_stream_count(stream), 0);
    piece_stream_close(stream);
    remove_folder(folder);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    struct piece_stream *stream;
    struct error err;
    assert_status(piece_stream_open(&stream, "/nowhere/model", &err), STATUS_IO);
    ck_assert_ptr_null(stream);
    ck_assert_msg(strstr(err.text, "/nowhere/model"), "%s", err.text);
}
END_TEST

START_TEST(a_full_disk_is_said)
{
    static int32_t ids[4096];
    struct rlimit before, limit;
    struct error err;
    begin();
    struct piece_stream *stream = open_stream();
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = sizeof ids / 2;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum status status = piece_stream_add(stream, ids, 4096, &err);
    if (status == STATUS_OK)
        status = piece_stream_finish(stream, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, STATUS_IO);
    ck_assert_msg(strstr(err.text, beside), "%s", err.text);
    piece_stream_close(stream);
    remove_folder(folder);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    struct piece_stream *stream;
    struct error err;
    bool failed = true;
    begin();
    for (long nth = 1; failed; nth++) {
        memory_fail_at(nth);
        const enum status status = piece_stream_open(&stream, beside, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        piece_stream_close(stream);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(ids_come_back_and_no_file_is_seen),
    TEST(a_digest_is_that_of_the_ids_alone),
    TEST(an_empty_stream_is_no_mistake),
    TEST(a_folder_that_is_not_there_is_named),
    TEST(a_full_disk_is_said),
    TEST(every_failing_allocation_is_survived),
};
TEST_MAIN("model/train/piece_stream", cases)
