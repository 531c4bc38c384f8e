/*
 * test_shard.c - training pairs on disk: they come back, and a file that is damaged is refused.
 */
#include "model/train/shard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/rng.h"
#include "tests/helpers.h"

#define PAIRS (2 * SHARD_BLOCK_PAIRS + 100) // three blocks

static char folder[64], path[96];
static const uint8_t made_of[SHA256_BYTES] = { 1, 2, 3 };

/* Pair k: up to 9 ids a side, all of them k. */
static void pair_of(int k, int32_t ids[9], int *source_len, int *target_len)
{
    struct rng rng = rng_make(5, (uint64_t)k);
    *source_len = (int)rng_below(&rng, 10);
    *target_len = (int)rng_below(&rng, 10);
    for (int i = 0; i < 9; i++)
        ids[i] = k;
}

static enum status write_shard(int count, struct error *err)
{
    struct shard_writer *w;
    enum status status = shard_writer_open(&w, path, made_of, err);
    for (int k = 0; k < count && status == STATUS_OK; k++) {
        int32_t ids[9];
        int source_len, target_len;
        pair_of(k, ids, &source_len, &target_len);
        status = shard_writer_add(w, ids, source_len, ids, target_len, err);
    }
    if (status == STATUS_OK)
        status = shard_writer_commit(w, 7, 8, err);
    shard_writer_close(w);
    return status;
}

static void begin(int count)
{
    struct error err;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/toy.pairs", folder);
    assert_ok(write_shard(count, &err), err);
}

static struct shard *open_shard(void)
{
    struct shard *shard;
    struct error err;
    assert_ok(shard_open(&shard, path, &err), err);
    return shard;
}

START_TEST(pairs_come_back_block_by_block)
{
    struct pairs pairs = { 0 };
    struct error err;
    begin(PAIRS);
    struct shard *shard = open_shard();
    ck_assert_int_eq(shard_block_count(shard), 3);
    for (int i = 0; i < 3; i++)
        assert_ok(shard_read(shard, i, &pairs, &err), err);
    ck_assert_int_eq(pairs.count, PAIRS);
    for (int k = 0; k < PAIRS; k++) {
        int32_t ids[9];
        int source_len, target_len;
        pair_of(k, ids, &source_len, &target_len);
        ck_assert_int_eq(pairs.list[k].source_len, source_len + 1);
        ck_assert_int_eq(pairs.list[k].target_len, target_len + 1);
        for (int i = 0; i < source_len; i++)
            ck_assert_int_eq(pairs_source(&pairs, k)[i], k);
        ck_assert_int_eq(pairs_source(&pairs, k)[source_len], 3);
        ck_assert_int_eq(pairs_target(&pairs, k)[target_len], 3);
    }
    const struct shard_facts *facts = shard_facts(shard);
    ck_assert_int_eq(facts->pairs, PAIRS);
    ck_assert_int_eq(facts->ids, (int64_t)pairs.id_count);
    ck_assert_int_eq(facts->target_pieces, pairs_target_pieces(&pairs));
    ck_assert_int_eq(facts->bad_lines, 7);
    ck_assert_int_eq(facts->too_long, 8);
    ck_assert_int_eq(memcmp(facts->made_of, made_of, SHA256_BYTES), 0);
    shard_close(shard);
    pairs_release(&pairs);
    remove_folder(folder);
}
END_TEST

/* Pair k has k % 5 links, all of different pieces. */
START_TEST(links_come_back_behind_their_pairs)
{
    struct shard_writer *w;
    struct pairs pairs = { 0 };
    struct error err;
    begin(0);
    assert_ok(shard_writer_open(&w, path, made_of, &err), err);
    shard_writer_expect_links(w);
    for (int k = 0; k < PAIRS; k++) {
        int32_t ids[9], links[4];
        int source_len, target_len;
        pair_of(k, ids, &source_len, &target_len);
        for (int i = 0; i < k % 5; i++)
            links[i] = pair_link(k % 4000, i);
        assert_ok(shard_writer_add(w, ids, source_len, ids, target_len, &err), err);
        if (k % 5 > 0)
            assert_ok(shard_writer_add_links(w, links, k % 5, &err), err);
    }
    assert_status(shard_writer_add_links(w, NULL, PAIR_LINKS_MAX + 1, &err), STATUS_TOO_LARGE);
    assert_ok(shard_writer_commit(w, 0, 0, &err), err);
    shard_writer_close(w);
    struct shard *shard = open_shard();
    for (int i = 0; i < shard_block_count(shard); i++)
        assert_ok(shard_read(shard, i, &pairs, &err), err);
    ck_assert_int_eq(pairs.count, PAIRS);
    ck_assert_int_eq(shard_facts(shard)->ids, (int64_t)pairs.id_count);
    for (int k = 0; k < PAIRS; k++) {
        const int32_t *behind = pairs_target(&pairs, k) + pairs.list[k].target_len;
        ck_assert_int_eq(pairs_target(&pairs, k)[pairs.list[k].target_len - 1], 3);
        ck_assert_int_eq(pairs_link_count(&pairs, k), k % 5);
        for (int i = 0; i < k % 5; i++)
            ck_assert_int_eq(behind[i], pair_link(k % 4000, i));
    }
    shard_close(shard);
    pairs_release(&pairs);
    remove_folder(folder);
}
END_TEST

/* Programs from before there were links read it, and so does this one what they wrote. */
START_TEST(a_file_without_links_is_of_the_first_version)
{
    char magic[9] = "";
    begin(10);
    FILE *file = fopen(path, "rb");
    ck_assert_uint_eq(fread(magic, 1, 8, file), 8);
    fclose(file);
    ck_assert_str_eq(magic, "versopr1");
    remove_folder(folder);
}
END_TEST

START_TEST(an_empty_corpus_is_a_file_too)
{
    begin(0);
    struct shard *shard = open_shard();
    ck_assert_int_eq(shard_block_count(shard), 0);
    ck_assert_int_eq(shard_facts(shard)->pairs, 0);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

START_TEST(a_block_ends_before_it_has_too_many_ids)
{
    int32_t *ids = calloc(PAIR_LENGTH_MAX, sizeof *ids);
    struct pairs pairs = { 0 };
    struct shard_writer *w;
    struct error err;
    begin(0);
    assert_ok(shard_writer_open(&w, path, made_of, &err), err);
    for (int k = 0; k < 100; k++)
        assert_ok(shard_writer_add(w, ids, PAIR_LENGTH_MAX - 1, ids, PAIR_LENGTH_MAX - 1, &err),
                  err);
    assert_status(shard_writer_add(w, ids, PAIR_LENGTH_MAX, ids, 1, &err), STATUS_TOO_LARGE);
    assert_ok(shard_writer_commit(w, 0, 0, &err), err);
    shard_writer_close(w);
    struct shard *shard = open_shard();
    ck_assert_int_eq(shard_block_count(shard), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_le(shard_block(shard, i)->ids, SHARD_BLOCK_IDS);
        assert_ok(shard_read(shard, i, &pairs, &err), err);
    }
    ck_assert_int_eq(pairs.count, 100);
    shard_close(shard);
    pairs_release(&pairs);
    free(ids);
    remove_folder(folder);
}
END_TEST

START_TEST(the_digest_is_of_the_pairs)
{
    char a[SHA256_HEX_BYTES], b[SHA256_HEX_BYTES];
    struct error err;
    begin(PAIRS);
    struct shard *shard = open_shard();
    shard_digest(shard, a);
    shard_close(shard);
    assert_ok(write_shard(PAIRS - 1, &err), err);
    shard = open_shard();
    shard_digest(shard, b);
    ck_assert_str_ne(a, b);
    shard_close(shard);
    assert_ok(write_shard(PAIRS, &err), err);
    shard = open_shard();
    shard_digest(shard, b);
    ck_assert_str_eq(a, b);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

/* ---- what goes wrong ---- */

static long file_bytes(void)
{
    FILE *file = fopen(path, "r");
    fseek(file, 0, SEEK_END);
    const long bytes = ftell(file);
    fclose(file);
    return bytes;
}

static void flip(long at)
{
    uint8_t byte;
    int file = open(path, O_RDWR);
    ck_assert_int_eq(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    ck_assert_int_eq(pwrite(file, &byte, 1, at), 1);
    close(file);
}

/* Opened, and all of it read. */
static enum status read_all(struct error *err)
{
    struct pairs pairs = { 0 };
    struct shard *shard;
    enum status status = shard_open(&shard, path, err);
    for (int i = 0; status == STATUS_OK && i < shard_block_count(shard); i++)
        status = shard_read(shard, i, &pairs, err);
    shard_close(shard);
    pairs_release(&pairs);
    return status;
}

START_TEST(a_damaged_file_is_refused_wherever_it_is_damaged)
{
    struct error err;
    begin(300);
    const long bytes = file_bytes();
    for (long at = 0; at < bytes; at += at < 160 || at > bytes - 60 ? 1 : 97) {
        flip(at);
        ck_assert_msg(read_all(&err) == STATUS_BAD_FILE, "byte %ld: %s", at, err.text);
        ck_assert_ptr_nonnull(strstr(err.text, path));
        flip(at);
    }
    assert_ok(read_all(&err), err);
    remove_folder(folder);
}
END_TEST

START_TEST(a_file_that_is_cut_short_is_refused)
{
    struct error err;
    begin(300);
    for (long bytes = file_bytes() - 1; bytes > 0; bytes = bytes * 2 / 3) {
        ck_assert_int_eq(truncate(path, bytes), 0);
        assert_status(read_all(&err), STATUS_BAD_FILE);
        ck_assert_ptr_nonnull(strstr(err.text, path));
    }
    ck_assert_int_eq(truncate(path, 0), 0);
    assert_status(read_all(&err), STATUS_BAD_FILE);
    remove_folder(folder);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said)
{
    struct shard *shard;
    struct error err;
    begin(1);
    ck_assert_int_eq(unlink(path), 0);
    assert_status(shard_open(&shard, path, &err), STATUS_NOT_FOUND);
    ck_assert_ptr_null(shard);
    remove_folder(folder);
}
END_TEST

START_TEST(a_full_disk_leaves_the_file_that_was_there)
{
    struct rlimit before, little;
    struct error err;
    begin(10);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
    const enum status status = write_shard(PAIRS, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, STATUS_IO);
    struct shard *shard = open_shard();
    ck_assert_int_eq(shard_facts(shard)->pairs, 10);
    shard_close(shard);
    remove_folder(folder);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    struct error err;
    begin(300);
    const long live = memory_live();
    bool failed = true;
    for (long nth = 1; failed; nth++) {
        memory_fail_at(nth);
        enum status status = write_shard(300, &err);
        if (status == STATUS_OK)
            status = read_all(&err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert_int_eq(memory_live(), live);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(pairs_come_back_block_by_block),
    TEST(links_come_back_behind_their_pairs),
    TEST(a_file_without_links_is_of_the_first_version),
    TEST(an_empty_corpus_is_a_file_too),
    TEST(a_block_ends_before_it_has_too_many_ids),
    TEST(the_digest_is_of_the_pairs),
    TEST(a_damaged_file_is_refused_wherever_it_is_damaged),
    TEST(a_file_that_is_cut_short_is_refused),
    TEST(a_file_that_is_not_there_is_said),
    TEST(a_full_disk_leaves_the_file_that_was_there),
    TEST(every_failing_allocation_is_survived),
};
TEST_MAIN("model/train/shard", cases)
