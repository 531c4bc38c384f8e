/*
 * test_word_vectors.c - word2vec's text format read strictly, searched, written exactly.
 */
#include "server/engine/word_vectors.h"

#include "base/rng.h"
#include "base/bytes.h"
#include "tests/helpers.h"

static char folder[64], path[96];
static struct word_vectors *vectors;

static void begin(const char *text, size_t len)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/vectors.txt", folder);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static void begin_text(const char *text)
{
    struct error err;
    begin(text, strlen(text));
    assert_ok(word_vectors_load(&vectors, path, &err), err);
}

static void end(void)
{
    word_vectors_free(vectors);
    vectors = NULL;
    remove_folder(folder);
}

static int32_t find(const char *word)
{
    return word_vectors_find(vectors, word, strlen(word));
}

/* As word2vec itself writes it: a space behind the last number. */
START_TEST(words_and_numbers_come_out_as_they_stand)
{
    begin_text("3 2\nking 1 -0.5 \n\xC3\xA9t\xC3\xA9 2.5e-1 4\n</s> 0 +1\n");
    ck_assert_int_eq(word_vectors_count(vectors), 3);
    ck_assert_int_eq(word_vectors_size(vectors), 2);
    ck_assert_int_eq(find("\xC3\xA9t\xC3\xA9"), 1);
    ck_assert_int_eq(find("queen"), -1);
    ck_assert_str_eq(word_vectors_word(vectors, 2), "</s>");
    ck_assert(word_vectors_row(vectors, 0)[1] == -0.5f);
    ck_assert(word_vectors_row(vectors, 1)[0] == 0.25f);
    ck_assert_double_eq_tol(word_vectors_norm(vectors, 0), sqrt(1.25), 1e-12);
    end();
}
END_TEST

START_TEST(the_nearest_point_the_same_way_whatever_their_length)
{
    struct neighbour near[5];
    begin_text("5 2\na 1 0\nb 9 1\nc 0 0\nd -1 0\ne 0.01 0.01\n");
    const int32_t a = find("a");
    ck_assert_int_eq(word_vectors_nearest(vectors, word_vectors_row(vectors, a), &a, 1, near, 5),
                     4);
    static const char *const order[] = { "b", "e", "c", "d" };
    static const double cosines[] = { 0.99388373, 0.70710678, 0, -1 };
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(word_vectors_word(vectors, near[i].word), order[i]);
        ck_assert_double_eq_tol(near[i].cosine, cosines[i], 1e-8);
    }
    ck_assert_int_eq(word_vectors_nearest(vectors, word_vectors_row(vectors, a), NULL, 0, near, 2),
                     2);
    ck_assert_str_eq(word_vectors_word(vectors, near[0].word), "a");
    ck_assert_str_eq(word_vectors_word(vectors, near[1].word), "b");
    end();
}
END_TEST

START_TEST(of_equally_near_words_the_earlier_comes_first)
{
    struct neighbour near[2];
    begin_text("4 1\na 1\nb 2\nc 3\nd 4\n");
    const int32_t b = 1;
    word_vectors_nearest(vectors, word_vectors_row(vectors, b), &b, 1, near, 2);
    ck_assert_int_eq(near[0].word, 0);
    ck_assert_int_eq(near[1].word, 2);
    end();
}
END_TEST

START_TEST(what_is_no_such_file_is_refused_by_name)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        { "", "empty" },
        { "\n", "line 1" },
        { "2\nа 1\nb 1\n", "line 1" },
        { "2 1 1\na 1\nb 1\n", "line 1" },
        { "0 1\n", "line 1" },
        { "1 0\na\n", "line 1" },
        { "-1 1\na 1\n", "line 1" },
        { "1e3 1\na 1\n", "line 1" },
        { "16777217 1\na 1\n", "line 1" },
        { "1 4097\na 1\n", "line 1" },
        { "99999999999999999999 1\na 1\n", "line 1" },
        { "16777216 4096\na 1\n", "limit" },
        { "2 1\na 1\n", "cut short" },
        { "1 1\na 1\nb 1\n", "there are more" },
        { "1 2\na 1\n", "number 2" },
        { "1 2\na 1 \n", "number 2" },
        { "1 2\na 1 2 3\n", "goes on" },
        { "1 2\na 1  2\n", "number 2" },
        { "1 2\n 1 2\n", "start with a word" },
        { "1 1\n\xFF 1\n", "start with a word" },
        { "2 1\na 1\na 2\n", "word of line 2" },
        { "1 1\na nan\n", "finite" },
        { "1 1\na inf\n", "finite" },
        { "1 1\na 1e99\n", "finite" },
        { "1 1\na 0x10\n", "finite" },
        { "1 1\na 1,5\n", "finite" },
        { "1 1\na 00000000000000000000000000000000000000000000000001\n", "finite" },
        { "1 1\na 1e\n", "finite" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err;
        begin(wrong[i].text, strlen(wrong[i].text));
        const enum status status = word_vectors_load(&vectors, path, &err);
        ck_assert_msg(status == STATUS_BAD_FILE || status == STATUS_TOO_LARGE, "%s: %s",
                      wrong[i].text, status_name(status));
        ck_assert_ptr_null(vectors);
        ck_assert_msg(strstr(err.text, wrong[i].says), "%s: %s", wrong[i].text, err.text);
        ck_assert_ptr_nonnull(strstr(err.text, "vectors.txt"));
        end();
    }
}
END_TEST

START_TEST(a_file_cut_anywhere_is_refused)
{
    static const char text[] = "3 2\nking 1 -0.5\nqueen 0.25 4\nman 0 11\n";
    for (size_t len = 0; len < sizeof text - 3; len++) { // the last digit: 1 is a number too
        struct error err;
        begin(text, len);
        ck_assert_msg(word_vectors_load(&vectors, path, &err) != STATUS_OK, "%zu bytes", len);
        end();
    }
}
END_TEST

START_TEST(a_word_with_a_nul_is_refused)
{
    static const char text[] = "1 1\na\0b 1\n";
    struct error err;
    begin(text, sizeof text - 1);
    assert_status(word_vectors_load(&vectors, path, &err), STATUS_BAD_FILE);
    end();
}
END_TEST

/* Promises 64 GB, holds a line: reading costs what the line costs. */
START_TEST(a_promise_costs_no_memory)
{
    struct error err;
    begin("16777216 64\na 1\n", 17);
    assert_status(word_vectors_load(&vectors, path, &err), STATUS_BAD_FILE);
    end();
}
END_TEST

START_TEST(what_is_written_is_read_to_the_same_bits)
{
    enum { COUNT = 300, SIZE = 7 };
    struct error err;
    struct rng rng = rng_make(1, 1);
    static float values[COUNT * SIZE];
    static char names[COUNT][16];
    const char *words[COUNT];
    for (int i = 0; i < COUNT * SIZE; i++)
        values[i] = (float)ldexp(rng_normal(&rng), (int)rng_below(&rng, 80) - 40);
    values[0] = -0.0f, values[1] = 1e-45f, values[2] = 3.4028234e38f;
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "word%d", i);
        words[i] = names[i];
    }
    begin("", 0);
    assert_ok(word_vectors_save(path, words, values, COUNT, SIZE, &err), err);
    assert_ok(word_vectors_load(&vectors, path, &err), err);
    ck_assert_int_eq(word_vectors_count(vectors), COUNT);
    ck_assert_mem_eq(word_vectors_row(vectors, 0), values, sizeof values);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(find(words[i]), i);
    end();
}
END_TEST

/* Every allocation of a save fails once: the old file is there, or the whole new one. */
START_TEST(a_save_that_fails_leaves_no_half_file)
{
    static const float values[] = { 1, 2 };
    static const char *const words[] = { "a", "b" };
    struct error err;
    const long live = memory_live();
    begin("old", 3);
    for (long n = 1;; n++) {
        struct bytes text;
        memory_fail_at(n);
        const enum status status = word_vectors_save(path, words, values, 2, 1, &err);
        const bool happened = memory_failed();
        memory_fail_at(0);
        bytes_init(&text, 100);
        assert_ok(bytes_read_file(&text, path, &err), err);
        const bool is_new = strcmp(text.data, "2 1\na 1\nb 2\n") == 0;
        ck_assert(is_new || (happened && strcmp(text.data, "old") == 0));
        bytes_release(&text);
        ck_assert_int_eq(memory_live(), live);
        ck_assert_int_eq(status, happened ? STATUS_NO_MEMORY : STATUS_OK);
        if (!happened)
            break;
    }
    assert_status(word_vectors_save("/nowhere/x", words, values, 2, 1, &err), STATUS_NOT_FOUND);
    end();
}
END_TEST

START_TEST(without_memory_a_load_leaves_nothing)
{
    struct error err;
    const long live = memory_live();
    begin("2 2\na 1 2\nb 3 4\n", 16);
    for (long n = 1;; n++) {
        memory_fail_at(n);
        const enum status status = word_vectors_load(&vectors, path, &err);
        const bool happened = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, happened ? STATUS_NO_MEMORY : STATUS_OK);
        if (!happened)
            break;
        ck_assert_ptr_null(vectors);
        ck_assert_int_eq(memory_live(), live);
    }
    end();
    ck_assert_int_eq(memory_live(), live);
}
END_TEST

static const struct test_case cases[] = {
    TEST(words_and_numbers_come_out_as_they_stand),
    TEST(the_nearest_point_the_same_way_whatever_their_length),
    TEST(of_equally_near_words_the_earlier_comes_first),
    TEST(what_is_no_such_file_is_refused_by_name),
    TEST(a_file_cut_anywhere_is_refused),
    TEST(a_word_with_a_nul_is_refused),
    TEST(a_promise_costs_no_memory),
    TEST(what_is_written_is_read_to_the_same_bits),
    TEST(a_save_that_fails_leaves_no_half_file),
    TEST(without_memory_a_load_leaves_nothing),
};
TEST_MAIN("server/engine/word_vectors", cases)
