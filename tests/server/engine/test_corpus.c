/*
 * test_corpus.c - files of pairs and texts: their order, bad lines, and ids of a vocabulary.
 */
#include "server/engine/corpus.h"

#include "tests/helpers.h"
#include "tokenizer/learn.h"

static char folder[64], path[96], second_path[96], joined[200];
static const char *paths[3];
static char said[1000];

static void begin(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/a.tsv", folder);
    snprintf(second_path, sizeof second_path, "%s/b.tsv", folder);
    snprintf(joined, sizeof joined, "%s,%s", path, second_path);
    paths[0] = path;
    paths[1] = second_path;
    said[0] = '\0';
}

static void write_bytes(const char *to, const char *bytes, size_t len)
{
    FILE *file = fopen(to, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_text(const char *to, const char *text)
{
    write_bytes(to, text, strlen(text));
}

static void note_bad_line(void *context, const char *what)
{
    (void)context;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", what);
}

static struct corpus *open_corpus(int count, struct corpus_options options)
{
    struct corpus *corpus;
    struct error err;
    options.on_bad_line = note_bad_line;
    assert_ok(corpus_open(&corpus, paths, count, &options, &err), err);
    return corpus;
}

static void assert_next(struct corpus *corpus, const char *source, const char *target)
{
    struct corpus_pair pair;
    struct error err;
    assert_ok(corpus_next(corpus, &pair, &err), err);
    if (!source) {
        ck_assert_ptr_null(pair.source);
        return;
    }
    ck_assert_ptr_nonnull(pair.source);
    ck_assert_uint_eq(pair.source_len, strlen(source));
    ck_assert_mem_eq(pair.source, source, pair.source_len);
    ck_assert_uint_eq(pair.target_len, strlen(target));
    ck_assert_mem_eq(pair.target, target, pair.target_len);
}

START_TEST(files_are_read_one_after_the_other)
{
    begin();
    write_text(path, "\xEF\xBB\xBFone\tun\ntwo\tdeux\r\n");
    write_text(second_path, "three\ttrois");
    struct corpus *corpus = open_corpus(2, (struct corpus_options){ 0 });
    assert_next(corpus, "one", "un");
    assert_next(corpus, "two", "deux");
    assert_next(corpus, "three", "trois");
    assert_next(corpus, NULL, NULL);
    assert_next(corpus, NULL, NULL);
    ck_assert_double_eq(corpus_progress(corpus), 1);
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

START_TEST(two_parallel_files_make_pairs)
{
    begin();
    write_text(path, "one\ntwo\tand\n");
    write_text(second_path, "un\ndeux\n");
    paths[0] = joined;
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ 0 });
    assert_next(corpus, "one", "un");
    assert_next(corpus, "two\tand", "deux");
    assert_next(corpus, NULL, NULL);
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

START_TEST(parallel_files_of_different_lengths_are_refused)
{
    struct corpus_pair pair;
    struct error err;
    begin();
    write_text(path, _i == 0 ? "one\n" : "one\ntwo\n");
    write_text(second_path, _i == 0 ? "un\ndeux\n" : "un\n");
    paths[0] = joined;
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ .skip_bad_lines = true });
    assert_next(corpus, "one", "un");
    assert_status(corpus_next(corpus, &pair, &err), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, _i == 0 ? path : second_path) && strstr(err.text, "has 1 lines"),
                  "%s", err.text);
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

START_TEST(swapping_exchanges_the_sides)
{
    begin();
    write_text(path, "one\tun\n");
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ .swap = true });
    assert_next(corpus, "un", "one");
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

static const struct {
    const char *line, *reason;
} bad[] = {
    { "no tab", "found 0 tabs" },
    { "a\tb\tc", "found 2 tabs" },
    { "\tb", "the first column is empty" },
    { "a\t  ", "the second column is empty" },
    { "", "found 0 tabs" },
    { "a\tb\xC3", "the second column: invalid UTF-8" },
};
#define BAD_COUNT ((int)(sizeof bad / sizeof *bad))

START_TEST(a_bad_line_is_left_out_with_its_file_and_number)
{
    char text[200];
    begin();
    snprintf(text, sizeof text, "one\tun\n%s\ntwo\tdeux\n", bad[_i].line);
    write_text(path, text);
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ .skip_bad_lines = true });
    assert_next(corpus, "one", "un");
    assert_next(corpus, "two", "deux");
    assert_next(corpus, NULL, NULL);
    ck_assert_int_eq(corpus_bad_lines(corpus), 1);
    ck_assert_msg(strstr(said, bad[_i].reason) && strstr(said, "a.tsv:2: "), "%s", said);
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

START_TEST(a_bad_line_can_be_refused)
{
    char text[200];
    struct corpus_pair pair;
    struct error err;
    begin();
    snprintf(text, sizeof text, "one\tun\n%s\n", bad[_i].line);
    write_text(path, text);
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ 0 });
    assert_next(corpus, "one", "un");
    assert_status(corpus_next(corpus, &pair, &err), STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, bad[_i].reason) && strstr(err.text, "a.tsv:2: "), "%s",
                  err.text);
    ck_assert_ptr_null(pair.source);
    ck_assert_str_eq(said, "");
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

/* A line the reader cannot hold, then one whose side is over our limit, then a good one. */
START_TEST(lines_over_a_limit_are_bad_lines)
{
    const size_t huge = (1 << 20) + 10, large = CORPUS_SIDE_BYTES_MAX + 1;
    begin();
    char *text = malloc(huge + large + 100), *p = text;
    memset(p, 'x', huge);
    p += huge;
    p += sprintf(p, "\tun\n");
    memset(p, 'y', large);
    p += large;
    p += sprintf(p, "\tun\none\tun\n");
    write_bytes(path, text, (size_t)(p - text));
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ .skip_bad_lines = true });
    assert_next(corpus, "one", "un");
    ck_assert_int_eq(corpus_bad_lines(corpus), 2);
    ck_assert_msg(strstr(said, "a.tsv:1: ") && strstr(said, "a.tsv:2: "), "%s", said);
    corpus_close(corpus);
    remove_folder(folder);
    free(text);
}
END_TEST

static void assert_next_text(struct corpus *corpus, const char *text)
{
    struct corpus_pair pair;
    struct error err;
    assert_ok(corpus_next(corpus, &pair, &err), err);
    ck_assert_ptr_nonnull(pair.source);
    ck_assert_uint_eq(pair.source_len, strlen(text));
    ck_assert_mem_eq(pair.source, text, pair.source_len);
    ck_assert_ptr_null(pair.target);
}

START_TEST(texts_are_whole_lines_and_blank_ones_are_passed_over)
{
    begin();
    write_text(path, "\xEF\xBB\xBFone\ttwo\n \t\nthree, four\n\n\xFF\nfive\n");
    struct corpus *corpus =
        open_corpus(1, (struct corpus_options){ .texts = true, .skip_bad_lines = true });
    assert_next_text(corpus, "one\ttwo");
    assert_next_text(corpus, "three, four");
    assert_next_text(corpus, "five");
    assert_next(corpus, NULL, NULL);
    ck_assert_int_eq(corpus_bad_lines(corpus), 1);
    ck_assert_msg(strstr(said, ":5: invalid UTF-8"), "%s", said);
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

/* A comma in its name makes no two files of a file of texts. */
START_TEST(a_column_can_be_the_text)
{
    begin();
    paths[0] = joined;
    snprintf(joined, sizeof joined, "%s/a,b.tsv", folder);
    write_text(joined, "one\tun\teins\ntwo\tdeux\nthree\ttrois\tdrei\r\n");
    struct corpus *corpus = open_corpus(
        1, (struct corpus_options){ .texts = true, .column = 3, .skip_bad_lines = true });
    assert_next_text(corpus, "eins");
    assert_next_text(corpus, "drei");
    assert_next(corpus, NULL, NULL);
    ck_assert_msg(strstr(said, ":2: it has 2 columns, so none is --column 3"), "%s", said);
    corpus_close(corpus);
    corpus = open_corpus(1, (struct corpus_options){ .texts = true, .column = 2 });
    assert_next_text(corpus, "un");
    assert_next_text(corpus, "deux");
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    struct corpus *corpus;
    struct corpus_pair pair;
    struct error err;
    const struct corpus_options options = { .skip_bad_lines = true };
    begin();
    assert_status(corpus_open(&corpus, paths, 1, &options, &err), STATUS_NOT_FOUND);
    ck_assert_ptr_null(corpus);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    write_text(path, "one\tun\n");
    assert_ok(corpus_open(&corpus, paths, 2, &options, &err), err);
    assert_next(corpus, "one", "un");
    assert_status(corpus_next(corpus, &pair, &err), STATUS_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.text, second_path));
    corpus_close(corpus);
    remove_folder(folder);
}
END_TEST

START_TEST(pairs_become_ids)
{
    struct learner *learner;
    struct vocabulary *vocabulary;
    struct corpus_pair pair;
    struct corpus_ids ids;
    struct error err;
    const struct learn_options learn = { .size = 280, .coverage = 1, .threads = 1 };
    assert_ok(learner_new(&learner, learn, &err), err);
    for (int i = 0; i < 9; i++)
        assert_ok(learner_add(learner, "one un", 6, &err), err);
    assert_ok(learner_finish(learner, &vocabulary, &err), err);
    begin();
    write_text(path, "one\tun\n");
    struct corpus *corpus = open_corpus(1, (struct corpus_options){ 0 });
    assert_ok(corpus_next(corpus, &pair, &err), err);
    assert_ok(corpus_encode(corpus, vocabulary, &pair, &ids, &err), err);
    ck_assert_int_eq(ids.source_len, 1);
    ck_assert_int_eq(ids.source[0], vocabulary_find(vocabulary, "▁one", 6));
    ck_assert_int_eq(ids.target_len, 1);
    ck_assert_int_eq(ids.target[0], vocabulary_find(vocabulary, "▁un", 5));
    corpus_close(corpus);
    vocabulary_free(vocabulary);
    learner_free(learner);
    remove_folder(folder);
}
END_TEST

START_TEST(every_failing_allocation_is_survived)
{
    struct corpus_pair pair;
    struct error err;
    begin();
    write_text(path, "one\n");
    write_text(second_path, "un\n");
    paths[0] = joined;
    const long live = memory_live();
    bool failed = true;
    for (long nth = 1; failed; nth++) {
        struct corpus *corpus;
        const struct corpus_options options = { .skip_bad_lines = true };
        memory_fail_at(nth);
        enum status status = corpus_open(&corpus, paths, 1, &options, &err);
        if (status == STATUS_OK)
            status = corpus_next(corpus, &pair, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        corpus_close(corpus);
        ck_assert_int_eq(memory_live(), live);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(files_are_read_one_after_the_other),
    TEST(two_parallel_files_make_pairs),
    TEST_LOOP(parallel_files_of_different_lengths_are_refused, 2),
    TEST(swapping_exchanges_the_sides),
    TEST_LOOP(a_bad_line_is_left_out_with_its_file_and_number, BAD_COUNT),
    TEST_LOOP(a_bad_line_can_be_refused, BAD_COUNT),
    TEST(lines_over_a_limit_are_bad_lines),
    TEST(texts_are_whole_lines_and_blank_ones_are_passed_over),
    TEST(a_column_can_be_the_text),
    TEST(a_missing_file_is_named),
    TEST(pairs_become_ids),
    TEST(every_failing_allocation_is_survived),
};
TEST_MAIN("server/engine/corpus", cases)
