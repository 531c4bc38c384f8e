/*
 * test_files.c - a target is replaced whole or not at all, whatever goes wrong on the way.
 */
#include "tests/helpers.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/files.h"
#include "base/rng.h"

static char folder[64], target[128];

static void begin(void)
{
    snprintf(target, sizeof target, "%s/target", make_folder(folder));
}

static void end(void)
{
    remove_folder(folder);
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void assert_content(const char *path, const char *text)
{
    struct bytes b;
    struct error err;
    bytes_init(&b, 1000);
    assert_ok(bytes_read_file(&b, path, &err), err);
    ck_assert_str_eq(b.data, text);
    bytes_release(&b);
}

static int files_in(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static enum status replace(const char *text, struct error *err)
{
    struct file_writer *w;
    enum status status = file_writer_open(&w, target, err);
    if (status != STATUS_OK)
        return status;
    status = file_writer_add(w, text, strlen(text), err);
    if (status == STATUS_OK)
        status = file_writer_commit(w, err);
    file_writer_close(w);
    return status;
}

START_TEST(a_committed_file_replaces_the_old_one)
{
    struct error err;
    begin();
    assert_ok(replace("first", &err), err);
    assert_content(target, "first");
    assert_ok(replace("second", &err), err);
    assert_content(target, "second");
    ck_assert_int_eq(files_in(folder), 1);
    end();
}
END_TEST

START_TEST(before_the_commit_nothing_happened)
{
    struct file_writer *w;
    struct error err;
    begin();
    put_file(target, "old");
    assert_ok(file_writer_open(&w, target, &err), err);
    assert_ok(file_writer_add(w, "new", 3, &err), err);
    assert_content(target, "old");
    ck_assert_int_eq(files_in(folder), 2);
    file_writer_close(w);
    assert_content(target, "old");
    ck_assert_int_eq(files_in(folder), 1);
    file_writer_close(NULL);
    end();
}
END_TEST

/* Parts around the size of the buffer, and patches anywhere in what is written so far. */
START_TEST(parts_and_patches_of_any_size_end_up_in_place)
{
    enum { TOTAL = 600000, PART = 150000 };
    struct file_writer *w;
    struct file_map map;
    struct error err;
    struct rng rng = rng_make(8, (uint64_t)_i);
    unsigned char *expected = memory_alloc(TOTAL, 1);
    size_t len = 0;
    for (size_t i = 0; i < TOTAL; i++)
        expected[i] = (unsigned char)rng_next(&rng);
    begin();
    assert_ok(file_writer_open(&w, target, &err), err);
    while (len < TOTAL) {
        size_t part = rng_below(&rng, rng_below(&rng, 2) ? PART : 50);
        part = part < TOTAL - len ? part : TOTAL - len;
        assert_ok(file_writer_add(w, expected + len, part, &err), err);
        len += part;
        size_t at = rng_below(&rng, len + 1), patched = rng_below(&rng, len - at + 1) % 100;
        for (size_t i = at; i < at + patched; i++)
            expected[i] ^= 0xFF;
        assert_ok(file_writer_patch(w, at, expected + at, patched, &err), err);
    }
    assert_ok(file_writer_commit(w, &err), err);
    file_writer_close(w);
    assert_ok(file_map_open(&map, target, &err), err);
    ck_assert_uint_eq(map.len, TOTAL);
    ck_assert_mem_eq(map.data, expected, TOTAL);
    file_map_close(&map);
    memory_free(expected);
    end();
}
END_TEST

START_TEST(an_empty_file_can_be_written)
{
    struct error err;
    begin();
    assert_ok(replace("", &err), err);
    assert_content(target, "");
    end();
}
END_TEST

START_TEST(a_path_without_a_folder_is_in_the_current_one)
{
    struct error err;
    char before[4096];
    begin();
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    strcpy(target, "target");
    assert_ok(replace("here", &err), err);
    assert_content("target", "here");
    ck_assert_int_eq(chdir(before), 0);
    end();
}
END_TEST

START_TEST(a_place_that_cannot_be_written_says_what_to_do)
{
    struct file_writer *w;
    struct error err;
    assert_status(file_writer_open(&w, "/nowhere/x", &err), STATUS_NOT_FOUND);
    ck_assert_ptr_null(w);
    ck_assert_ptr_nonnull(strstr(err.text, "No such file or directory; check the path"));
    assert_status(file_writer_open(&w, "/proc/x", &err), STATUS_NOT_FOUND);
}
END_TEST

START_TEST(a_target_that_is_a_folder_stays)
{
    struct error err;
    begin();
    ck_assert_int_eq(mkdir(target, 0777), 0);
    assert_status(replace("new", &err), STATUS_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "Is a directory"));
    ck_assert_int_eq(files_in(folder), 1);
    end();
}
END_TEST

/* In a child, so that the limit dies with it. _i: bytes that fit before the disk is "full". */
START_TEST(a_full_disk_leaves_the_old_file)
{
    static const rlim_t limits[] = { 0, 1, 65536, 100000 };
    begin();
    put_file(target, "old");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct error err = { 0 };
        static char big[200000];
        memset(big, 'x', sizeof big - 1);
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limits[_i], limits[_i] });
        enum status status = replace(big, &err);
        _exit(status == STATUS_IO && strstr(err.text, "limit on file sizes") ? 0 : 1);
    }
    int ended;
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert_int_eq(ended, 0);
    assert_content(target, "old");
    ck_assert_int_eq(files_in(folder), 1);
    end();
}
END_TEST

/* A file system of 16 pages of our own, where the system lets us mount one. */
static int fill_small_disk(void)
{
    struct error err = { 0 };
    static char big[200000];
    memset(big, 'x', sizeof big - 1);
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return TEST_SKIPPED;
    if (mount("none", folder, "tmpfs", 0, "size=64k") != 0)
        return TEST_SKIPPED;
    if (replace("old", &err) != STATUS_OK || replace(big, &err) != STATUS_IO)
        return 1;
    if (!strstr(err.text, "No space left on device; free some space there and try again"))
        return 2;
    assert_content(target, "old");
    return files_in(folder) == 1 ? 0 : 3;
}

START_TEST(a_disk_without_space_says_so)
{
    int ended;
    begin();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(fill_small_disk());
    ck_assert_int_eq(waitpid(child, &ended, 0), child);
    ck_assert(WIFEXITED(ended));
    if (WEXITSTATUS(ended) == TEST_SKIPPED)
        puts("skipped: no file system may be mounted here");
    else
        ck_assert_int_eq(WEXITSTATUS(ended), 0);
    end();
}
END_TEST

START_TEST(two_writers_of_one_target_do_not_mix)
{
    struct file_writer *first, *second;
    struct error err;
    begin();
    assert_ok(file_writer_open(&first, target, &err), err);
    assert_status(file_writer_open(&second, target, &err), STATUS_BUSY);
    ck_assert_ptr_nonnull(strstr(err.text, "is being written already"));
    assert_ok(file_writer_add(first, "first", 5, &err), err);
    assert_ok(file_writer_commit(first, &err), err);
    file_writer_close(first);
    assert_content(target, "first");
    ck_assert_int_eq(files_in(folder), 1);
    end();
}
END_TEST

START_TEST(what_a_dead_writer_left_is_replaced)
{
    struct error err;
    char left[256];
    begin();
    snprintf(left, sizeof left, "%s.tmp-%ld", target, (long)getpid());
    put_file(left, "half of a model, longer than what comes now");
    assert_ok(replace("new", &err), err);
    assert_content(target, "new");
    ck_assert_int_eq(files_in(folder), 1);
    end();
}
END_TEST

START_TEST(what_dead_writers_of_other_process_ids_left_is_removed)
{
    struct error err;
    char left[256], other[256], names[3][256];
    begin();
    snprintf(left, sizeof left, "%s.tmp-1", target);
    snprintf(other, sizeof other, "%s.tmp-2", target);
    put_file(left, "half of a model");
    put_file(other, "being written");
    int lock = open(other, O_RDWR);
    ck_assert_int_eq(flock(lock, LOCK_EX), 0);
    static const char *const not_ours[] = { ".tmp-", ".tmp-1a", "s.tmp-1" };
    for (int i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s%s", target, not_ours[i]);
        put_file(names[i], "of somebody else");
    }
    assert_ok(replace("new", &err), err);
    ck_assert_int_ne(access(left, F_OK), 0);
    assert_content(other, "being written");
    for (int i = 0; i < 3; i++)
        assert_content(names[i], "of somebody else");
    close(lock);
    end();
}
END_TEST

START_TEST(a_link_in_the_place_of_the_temporary_file_is_not_followed)
{
    struct file_writer *w;
    struct error err;
    char link[256], victim[256];
    begin();
    snprintf(link, sizeof link, "%s.tmp-%ld", target, (long)getpid());
    snprintf(victim, sizeof victim, "%s/victim", folder);
    put_file(victim, "untouched");
    ck_assert_int_eq(symlink(victim, link), 0);
    assert_status(file_writer_open(&w, target, &err), STATUS_BUSY);
    assert_content(victim, "untouched");
    end();
}
END_TEST

START_TEST(no_allocation_may_fail_unnoticed)
{
    struct error err;
    begin();
    put_file(target, "old");
    long before = memory_live();
    for (long nth = 1;; nth++) {
        memory_fail_at(nth);
        enum status status = replace("new", &err);
        if (!memory_failed())
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
        ck_assert_int_eq(memory_live(), before);
        ck_assert_int_eq(files_in(folder), 1);
    }
    memory_fail_at(0);
    assert_content(target, "new");
    end();
}
END_TEST

START_TEST(a_mapped_file_is_its_bytes)
{
    struct file_map map;
    struct error err;
    begin();
    put_file(target, "mapped");
    assert_ok(file_map_open(&map, target, &err), err);
    ck_assert_uint_eq(map.len, 6);
    ck_assert_mem_eq(map.data, "mapped", 6);
    file_map_close(&map);
    file_map_close(&map);
    put_file(target, "");
    assert_ok(file_map_open(&map, target, &err), err);
    ck_assert_ptr_null(map.data);
    ck_assert_uint_eq(map.len, 0);
    end();
}
END_TEST

START_TEST(only_files_can_be_mapped)
{
    struct file_map map = { .len = 1 };
    struct error err;
    assert_status(file_map_open(&map, "/nowhere/x", &err), STATUS_NOT_FOUND);
    assert_status(file_map_open(&map, "/tmp", &err), STATUS_BAD_FILE);
    assert_status(file_map_open(&map, "/dev/null", &err), STATUS_BAD_FILE);
    ck_assert_str_eq(err.text, "/dev/null is not a regular file; give a file");
    begin();
    ck_assert_int_eq(mkfifo(target, 0600), 0);
    assert_status(file_map_open(&map, target, &err), STATUS_BAD_FILE);
    ck_assert_uint_eq(map.len, 0);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_committed_file_replaces_the_old_one),
    TEST(before_the_commit_nothing_happened),
    TEST_LOOP(parts_and_patches_of_any_size_end_up_in_place, 5),
    TEST(an_empty_file_can_be_written),
    TEST(a_path_without_a_folder_is_in_the_current_one),
    TEST(a_place_that_cannot_be_written_says_what_to_do),
    TEST(a_target_that_is_a_folder_stays),
    TEST_LOOP(a_full_disk_leaves_the_old_file, 4),
    TEST(a_disk_without_space_says_so),
    TEST(two_writers_of_one_target_do_not_mix),
    TEST(what_a_dead_writer_left_is_replaced),
    TEST(what_dead_writers_of_other_process_ids_left_is_removed),
    TEST(a_link_in_the_place_of_the_temporary_file_is_not_followed),
    TEST(no_allocation_may_fail_unnoticed),
    TEST(a_mapped_file_is_its_bytes),
    TEST(only_files_can_be_mapped),
};
TEST_MAIN("base/files", cases)
