/*
 * test_gzip.c - lines of plain and gzipped files, whole, split, cut short and damaged.
 */
#include "tests/helpers.h"

#include <fcntl.h>
#include <pthread.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/gzip.h"
#include "base/rng.h"

static char folder[64], path[128];
static struct bytes file;      // what the tests put into it
static struct bytes read_text; // what read_through() found there

static void begin(void)
{
    snprintf(path, sizeof path, "%s/lines", make_folder(folder));
    bytes_init(&file, (size_t)64 << 20);
    bytes_init(&read_text, (size_t)64 << 20);
}

static void end(void)
{
    bytes_release(&file);
    bytes_release(&read_text);
    remove_folder(folder);
}

static void save(const char *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

/* Append one gzip member that holds `text`. */
static void add_member(const char *text, size_t len)
{
    z_stream z = { 0 };
    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert(bytes_reserve(&file, deflateBound(&z, len)));
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)len;
    z.next_out = (unsigned char *)file.data + file.len;
    z.avail_out = (unsigned)(file.capacity - file.len);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    file.len += z.total_out;
    deflateEnd(&z);
}

static void add_text_line(size_t len, const char *ending)
{
    ck_assert(bytes_reserve(&file, len));
    memset(file.data + file.len, 'x', len);
    file.len += len;
    ck_assert(bytes_append_text(&file, ending));
}

static void gzip_file(void)
{
    struct bytes plain = file;
    bytes_init(&file, plain.max);
    add_member(plain.data, plain.len);
    bytes_release(&plain);
}

static struct line_reader *open_lines(const char *from)
{
    struct line_reader *in;
    struct error err;
    assert_ok(line_reader_open(&in, from, &err), err);
    return in;
}

static void assert_next(struct line_reader *in, const char *text, size_t len, long number)
{
    struct line line;
    struct error err;
    assert_ok(line_reader_next(in, &line, &err), err);
    ck_assert_ptr_nonnull(line.text);
    ck_assert_uint_eq(line.len, len);
    ck_assert_mem_eq(line.text, text, len);
    ck_assert_int_eq(line.text[len], '\0');
    ck_assert_int_eq(line.number, number);
}

static void assert_end(struct line_reader *in)
{
    for (int i = 0; i < 2; i++) {
        struct line line;
        struct error err;
        assert_ok(line_reader_next(in, &line, &err), err);
        ck_assert_ptr_null(line.text);
        ck_assert_uint_eq(line.len, 0);
    }
    ck_assert_double_eq(line_reader_progress(in), 1);
    line_reader_close(in);
}

static const char mixed[] = "one\n\ntwo\r\n\r\n\rthree\r\rfour\0five\n\xC3\xA9\nlast";

static void assert_mixed_lines(struct line_reader *in)
{
    assert_next(in, "one", 3, 1);
    assert_next(in, "", 0, 2);
    assert_next(in, "two", 3, 3);
    assert_next(in, "", 0, 4);
    assert_next(in, "\rthree\r\rfour\0five", 17, 5);
    assert_next(in, "\xC3\xA9", 2, 6);
    assert_next(in, "last", 4, 7);
    assert_end(in);
}

START_TEST(plain_lines_lose_only_their_ends)
{
    begin();
    save(mixed, sizeof mixed - 1);
    assert_mixed_lines(open_lines(path));
    end();
}
END_TEST

START_TEST(gzipped_lines_are_the_same)
{
    begin();
    add_member(mixed, sizeof mixed - 1);
    save(file.data, file.len);
    assert_mixed_lines(open_lines(path));
    end();
}
END_TEST

/* Split anywhere into two members, with an empty one between. */
START_TEST(members_in_a_row_are_one_text)
{
    for (size_t at = 0; at < sizeof mixed; at++) {
        begin();
        add_member(mixed, at);
        add_member("", 0);
        add_member(mixed + at, sizeof mixed - 1 - at);
        save(file.data, file.len);
        assert_mixed_lines(open_lines(path));
        end();
    }
}
END_TEST

static int pipe_end;

/* Write file.data byte by byte into a pipe. */
static void *trickle(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < file.len; i++) {
        ck_assert_int_eq(write(pipe_end, file.data + i, 1), 1);
        if (i % 8 == 0)
            usleep(200);
    }
    close(pipe_end);
    return NULL;
}

/* _i = 0: plain, 1: gzipped. Standard input, so "-" is tested on the way. */
START_TEST(a_pipe_may_deliver_byte_by_byte)
{
    int ends[2], stdin_before = dup(STDIN_FILENO);
    pthread_t writer;
    begin();
    if (_i)
        add_member(mixed, sizeof mixed - 1);
    else
        bytes_append(&file, mixed, sizeof mixed - 1);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    pipe_end = ends[1];
    ck_assert_int_eq(pthread_create(&writer, NULL, trickle, NULL), 0);
    struct line_reader *in = open_lines("-");
    ck_assert_double_eq(line_reader_progress(in), 0);
    assert_mixed_lines(in);
    pthread_join(writer, NULL);
    dup2(stdin_before, STDIN_FILENO);
    close(stdin_before);
    end();
}
END_TEST

static void feed(const char *bytes, size_t len)
{
    ck_assert_int_eq(write(pipe_end, bytes, len), (ssize_t)len);
}

/* A reader of standard input, which is a pipe that `feed` fills. */
static struct line_reader *open_fed_lines(const char *first, size_t len)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pipe_end = ends[1];
    feed(first, len);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    return open_lines("-");
}

START_TEST(a_line_is_ready_when_it_is_there)
{
    int stdin_before = dup(STDIN_FILENO);
    struct line_reader *in = open_fed_lines("o", 1);
    ck_assert(!line_reader_ready(in));
    feed("ne\ntwo", 6);
    ck_assert(line_reader_ready(in));
    assert_next(in, "one", 3, 1);
    ck_assert(!line_reader_ready(in));
    feed("\n\n", 2);
    for (int i = 0; i < 2; i++) {
        ck_assert(line_reader_ready(in));
        assert_next(in, i ? "" : "two", i ? 0 : 3, 2 + i);
    }
    ck_assert(!line_reader_ready(in));
    feed("last", 4);
    ck_assert(!line_reader_ready(in));
    close(pipe_end);
    ck_assert(line_reader_ready(in));
    assert_next(in, "last", 4, 4);
    ck_assert(line_reader_ready(in));
    assert_end(in);
    dup2(stdin_before, STDIN_FILENO);
    close(stdin_before);
}
END_TEST

/* How many lines zlib itself gets out of the first `len` bytes of `file`. */
static int lines_in(size_t len)
{
    static char text[2 * LINE_BYTES_MAX];
    z_stream z = { .next_in = (unsigned char *)file.data, .avail_in = (unsigned)len };
    ck_assert_int_eq(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    z.next_out = (unsigned char *)text;
    z.avail_out = sizeof text;
    ck_assert_int_ge(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    int lines = 0;
    for (size_t i = 0; i < z.total_out; i++)
        lines += text[i] == '\n';
    inflateEnd(&z);
    return lines;
}

/* All but the last `withheld` bytes are in the pipe: every line that they hold is ready. */
static void assert_ready_without_the_last(size_t withheld)
{
    struct line line;
    struct error err;
    int stdin_before = dup(STDIN_FILENO);
    int expected = lines_in(file.len - withheld);
    struct line_reader *in = open_fed_lines(file.data, file.len - withheld);
    for (int i = 0; i < expected; i++) {
        ck_assert_msg(line_reader_ready(in), "line %d of %d is not ready", i + 1, expected);
        assert_ok(line_reader_next(in, &line, &err), err);
    }
    ck_assert(!line_reader_ready(in));
    feed(file.data + file.len - withheld, withheld);
    close(pipe_end);
    while (line_reader_next(in, &line, &err) == STATUS_OK && line.text)
        ck_assert(line_reader_ready(in));
    ck_assert_double_eq(line_reader_progress(in), 1);
    line_reader_close(in);
    dup2(stdin_before, STDIN_FILENO);
    close(stdin_before);
}

/* A long line and short ones, a little more than the reader has room for: it stops in the middle
 * of a repetition that zlib has taken from the pipe already. */
START_TEST(lines_that_zlib_holds_are_ready_though_the_pipe_is_empty)
{
    for (size_t more = 1; more < 300; more += 43)
        for (size_t withheld = 8; withheld <= 12; withheld++) {
            begin();
            add_text_line(LINE_BYTES_MAX - 4000, "\n");
            for (size_t i = 0; i < 2000 + more / 2; i++)
                add_text_line(1, "\n");
            gzip_file();
            assert_ready_without_the_last(withheld);
            end();
        }
}
END_TEST

START_TEST(small_files_have_the_lines_they_seem_to_have)
{
    static const struct {
        const char *text;
        int lines;
    } files[] = { { "", 0 },     { "\n", 1 }, { "x", 1 },      { "x\n", 1 },
                  { "\x1F", 1 }, { "\r", 1 }, { "\n\n\n", 3 }, { "\x1F\n\x8B", 2 } };
    begin();
    save(files[_i].text, strlen(files[_i].text));
    struct line_reader *in = open_lines(path);
    for (int i = 0; i < files[_i].lines; i++) {
        struct line line;
        struct error err;
        assert_ok(line_reader_next(in, &line, &err), err);
        ck_assert_ptr_nonnull(line.text);
    }
    assert_end(in);
    end();
}
END_TEST

static void assert_too_large(struct line_reader *in, long number)
{
    struct line line;
    struct error err;
    assert_status(line_reader_next(in, &line, &err), STATUS_TOO_LARGE);
    ck_assert_int_eq(line.number, number);
    ck_assert_ptr_null(line.text);
    ck_assert_ptr_nonnull(strstr(err.text, "is longer than the limit of 1048576 bytes"));
}

static void assert_long_line(struct line_reader *in, size_t len, long number)
{
    struct line line;
    struct error err;
    assert_ok(line_reader_next(in, &line, &err), err);
    ck_assert_int_eq(line.number, number);
    ck_assert_uint_eq(line.len, len);
    ck_assert_uint_eq(strspn(line.text, "x"), len);
}

/* _i = 0: plain, 1: gzipped. */
START_TEST(a_line_over_the_limit_is_refused_and_the_next_one_read)
{
    static const char *const endings[] = { "\n", "\r\n" };
    const size_t max = LINE_BYTES_MAX;
    begin();
    for (int i = 0; i < 2; i++) {
        add_text_line(max, endings[i]);
        add_text_line(max + 1, endings[i]);
        add_text_line(5, endings[i]);
        add_text_line(max + 2, endings[i]);
        add_text_line(3 * max + 7, endings[i]);
        add_text_line(max, endings[i]);
    }
    add_text_line(max + 1, "");
    if (_i)
        gzip_file();
    save(file.data, file.len);
    struct line_reader *in = open_lines(path);
    for (int i = 0; i < 2; i++) {
        assert_long_line(in, max, 6 * i + 1);
        assert_too_large(in, 6 * i + 2);
        assert_long_line(in, 5, 6 * i + 3);
        assert_too_large(in, 6 * i + 4);
        assert_too_large(in, 6 * i + 5);
        assert_long_line(in, max, 6 * i + 6);
    }
    assert_too_large(in, 13);
    assert_end(in);
    end();
}
END_TEST

START_TEST(a_last_line_of_the_longest_length_needs_no_end)
{
    begin();
    add_text_line(10, "\n");
    add_text_line(LINE_BYTES_MAX, "");
    save(file.data, file.len);
    struct line_reader *in = open_lines(path);
    assert_long_line(in, 10, 1);
    assert_long_line(in, LINE_BYTES_MAX, 2);
    assert_end(in);
    end();
}
END_TEST

/* Many lines, so that buffers are refilled in the middle of lines of all lengths. */
static void add_many_lines(int count)
{
    for (int i = 0; i < count; i++)
        ck_assert(bytes_printf(&file, "%d:%0*d\n", i, 1 + i % 300, i));
}

static void assert_many_lines(struct line_reader *in, int count)
{
    char text[400];
    double progress = 0;
    for (int i = 0; i < count; i++) {
        int len = snprintf(text, sizeof text, "%d:%0*d", i, 1 + i % 300, i);
        assert_next(in, text, (size_t)len, i + 1);
        ck_assert(line_reader_progress(in) >= progress && line_reader_progress(in) <= 1);
        progress = line_reader_progress(in);
    }
    assert_end(in);
}

START_TEST(long_files_are_read_to_their_end_with_rising_progress)
{
    begin();
    add_many_lines(30000);
    if (_i)
        gzip_file();
    save(file.data, file.len);
    assert_many_lines(open_lines(path), 30000);
    end();
}
END_TEST

START_TEST(progress_of_a_plain_file_counts_the_lines_taken)
{
    begin();
    save("123\n567\n", 8);
    struct line_reader *in = open_lines(path);
    ck_assert_double_eq(line_reader_progress(in), 0);
    assert_next(in, "123", 3, 1);
    ck_assert_double_eq(line_reader_progress(in), 0.5);
    assert_next(in, "567", 3, 2);
    ck_assert_double_eq(line_reader_progress(in), 1);
    assert_end(in);
    end();
}
END_TEST

/* Read to the first failure or the end. */
static enum status read_through(long *lines, struct error *err)
{
    struct line_reader *in;
    struct line line;
    *lines = 0;
    bytes_reset(&read_text);
    enum status status = line_reader_open(&in, path, err);
    if (status != STATUS_OK)
        return status;
    while ((status = line_reader_next(in, &line, err)) == STATUS_OK && line.text) {
        ck_assert(bytes_append(&read_text, line.text, line.len));
        ck_assert(bytes_append_char(&read_text, '\n'));
        ++*lines;
    }
    if (status != STATUS_OK) // a failure stays
        assert_status(line_reader_next(in, &line, err), status);
    line_reader_close(in);
    return status;
}

START_TEST(a_gzip_file_cut_anywhere_is_bad)
{
    struct error err;
    long lines;
    begin();
    add_many_lines(20);
    gzip_file();
    size_t first_member = file.len;
    add_member("more\n", 5);
    for (size_t len = 2; len < file.len; len++) {
        save(file.data, len);
        enum status status = read_through(&lines, &err);
        if (len == first_member) {
            assert_ok(status, err);
            continue;
        }
        ck_assert_int_eq(status, STATUS_BAD_FILE);
        ck_assert_ptr_nonnull(strstr(err.text, "its gzip data ends too early"));
        ck_assert_ptr_nonnull(strstr(err.text, "the last whole line was"));
    }
    end();
}
END_TEST

/* Behind the magic number every bit matters to the checksum, but for a few of the header's and a
 * few that only pad. */
START_TEST(a_flipped_bit_never_changes_the_text_quietly)
{
    struct bytes plain;
    struct error err;
    long lines;
    int harmless = 0;
    begin();
    add_many_lines(20);
    bytes_init(&plain, file.max);
    ck_assert(bytes_append(&plain, file.data, file.len));
    gzip_file();
    for (size_t bit = 8 * 2; bit < 8 * file.len; bit++) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        save(file.data, file.len);
        enum status status = read_through(&lines, &err);
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        if (status == STATUS_BAD_FILE)
            continue;
        assert_ok(status, err);
        ck_assert_uint_eq(read_text.len, plain.len);
        ck_assert_mem_eq(read_text.data, plain.data, plain.len);
        harmless++;
    }
    ck_assert_int_lt(harmless, 8 * 8); // time, level, system; padding
    bytes_release(&plain);
    end();
}
END_TEST

START_TEST(lines_before_the_damage_are_read_and_the_last_is_named)
{
    struct error err;
    long lines;
    char expected[100];
    begin();
    add_many_lines(30000);
    gzip_file();
    file.len /= 2;
    save(file.data, file.len);
    ck_assert_int_eq(read_through(&lines, &err), STATUS_BAD_FILE);
    ck_assert_int_gt(lines, 10000);
    snprintf(expected, sizeof expected, "(the last whole line was %ld)", lines);
    ck_assert_ptr_nonnull(strstr(err.text, expected));
    end();
}
END_TEST

START_TEST(zeros_behind_a_gzip_file_are_padding_and_the_rest_is_damage)
{
    static const struct {
        const char *tail;
        size_t len;
        enum status status;
    } tails[] = { { "\0", 1, STATUS_OK },
                  { "\0\0\0\0\0\0\0", 7, STATUS_OK },
                  { "\0\0x", 3, STATUS_BAD_FILE },
                  { "\x1F", 1, STATUS_BAD_FILE },
                  { "\x1F\x8B", 2, STATUS_BAD_FILE },
                  { "text\n", 5, STATUS_BAD_FILE } };
    struct error err;
    long lines;
    begin();
    add_member("one\n", 4);
    bytes_append(&file, tails[_i].tail, tails[_i].len);
    save(file.data, file.len);
    ck_assert_int_eq(read_through(&lines, &err), tails[_i].status);
    ck_assert_int_eq(lines, 1);
    end();
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_says_why)
{
    struct line_reader *in;
    struct error err;
    assert_status(line_reader_open(&in, "/nowhere/x.gz", &err), STATUS_NOT_FOUND);
    ck_assert_ptr_null(in);
    ck_assert_str_eq(err.text, "cannot open /nowhere/x.gz: No such file or directory");
    assert_status(line_reader_open(&in, "/tmp", &err), STATUS_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "Is a directory"));
    line_reader_close(NULL);
}
END_TEST

START_TEST(no_allocation_may_fail_unnoticed)
{
    struct error err;
    long lines, before, nth;
    begin();
    add_member("one\ntwo\n", 8);
    add_member("three\n", 6);
    save(file.data, file.len);
    ck_assert(bytes_reserve(&read_text, 100)); // takes no part in the failures below
    before = memory_live();
    for (nth = 1;; nth++) {
        memory_fail_at(nth);
        enum status status = read_through(&lines, &err);
        if (!memory_failed())
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
        ck_assert_int_eq(memory_live(), before);
    }
    memory_fail_at(0);
    ck_assert_int_ge(nth, 4);
    ck_assert_int_eq(lines, 3);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(plain_lines_lose_only_their_ends),
    TEST(gzipped_lines_are_the_same),
    TEST(members_in_a_row_are_one_text),
    TEST_LOOP(a_pipe_may_deliver_byte_by_byte, 2),
    TEST(a_line_is_ready_when_it_is_there),
    TEST(lines_that_zlib_holds_are_ready_though_the_pipe_is_empty),
    TEST_LOOP(small_files_have_the_lines_they_seem_to_have, 8),
    TEST_LOOP(a_line_over_the_limit_is_refused_and_the_next_one_read, 2),
    TEST(a_last_line_of_the_longest_length_needs_no_end),
    TEST_LOOP(long_files_are_read_to_their_end_with_rising_progress, 2),
    TEST(progress_of_a_plain_file_counts_the_lines_taken),
    TEST(a_gzip_file_cut_anywhere_is_bad),
    TEST(a_flipped_bit_never_changes_the_text_quietly),
    TEST(lines_before_the_damage_are_read_and_the_last_is_named),
    TEST_LOOP(zeros_behind_a_gzip_file_are_padding_and_the_rest_is_damage, 6),
    TEST(a_file_that_cannot_be_opened_says_why),
    TEST(no_allocation_may_fail_unnoticed),
};
TEST_MAIN("base/gzip", cases)
