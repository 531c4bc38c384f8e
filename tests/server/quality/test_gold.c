/*
 * test_gold.c - pairs that people linked: both forms, and what is refused of them.
 */
#include "server/quality/gold.h"

#include <unistd.h>

#include "tests/helpers.h"

static char folder[64], path[128];

static void write_gold(const char *text)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/gold", folder);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static enum status read_text(const char *text, struct gold *gold, struct error *err)
{
    write_gold(text);
    enum status status = gold_read(gold, path, err);
    remove_folder(folder);
    return status;
}

static void assert_word(const char *text, struct span word, const char *wanted)
{
    ck_assert_int_eq(word.to - word.from, (int)strlen(wanted));
    ck_assert_int_eq(strncmp(text + word.from, wanted, strlen(wanted)), 0);
}

START_TEST(words_of_natural_text_are_found_by_code_points)
{
    struct gold gold = { 0 };
    struct error err;
    ck_assert_int_eq(
        read_text("{\"id\":0,\"src\":\"\xC3\x89t\xC3\xA9 here.\",\"tgt\":\"du pain\","
                  "\"src_spans\":[[0,3],[4,8],[8,9]],\"tgt_spans\":[[0,2],[0,2],[3,7]],"
                  "\"sure\":[[0,0]],\"possible\":[[1,2]]}\n",
                  &gold, &err),
        STATUS_OK);
    ck_assert_int_eq(gold.count, 1);
    const struct gold_pair *pair = &gold.items[0];
    ck_assert_int_eq(pair->words.S, 3);
    assert_word(pair->source, pair->words.source[0], "\xC3\x89t\xC3\xA9");
    assert_word(pair->source, pair->words.source[1], "here");
    assert_word(pair->source, pair->words.source[2], ".");
    assert_word(pair->target, pair->words.target[0], "du");
    assert_word(pair->target, pair->words.target[1], "du");
    assert_word(pair->target, pair->words.target[2], "pain");
    ck_assert_int_eq(pair->sure.count, 1);
    ck_assert_int_eq(pair->possible.count, 2); // a sure one is possible
    gold_release(&gold);
}
END_TEST

START_TEST(words_of_columns_stand_between_spaces)
{
    struct gold gold = { 0 };
    struct error err;
    ck_assert_int_eq(read_text("it 's so .\tce est vrai .\t0-0 3-3\t1-1\n"
                               "a\tb\t0-0\t\n",
                               &gold, &err),
                     STATUS_OK);
    ck_assert_int_eq(gold.count, 2);
    ck_assert_int_eq(gold.items[0].words.S, 4);
    assert_word(gold.items[0].source, gold.items[0].words.source[1], "'s");
    ck_assert_int_eq(gold.items[0].possible.count, 3);
    ck_assert_int_eq(gold.items[1].possible.count, 1);
    gold_release(&gold);
}
END_TEST

static const char *const wrong[] = {
    "",
    "a b\tc\t0-0\n",
    "a\tb\t0-0\t0-0\t0-0\n",
    "a\tb\t0-1\t0-0\n", // there is no such word
    "a\tb\t0\t0-0\n",
    "a\xFF\tb\t0-0\t0-0\n",
    "{\"src\":\"a\",\"tgt\":\"b\",\"src_spans\":[[0,1]],\"tgt_spans\":[[0,1]],\"sure\":[]}\n",
    "{\"src\":\"a\",\"tgt\":\"b\",\"src_spans\":[[0,2]],\"tgt_spans\":[[0,1]],\"sure\":[],"
    "\"possible\":[]}\n",
    "{\"src\":\"a\",\"tgt\":\"b\",\"src_spans\":[[0,0]],\"tgt_spans\":[[0,1]],\"sure\":[],"
    "\"possible\":[]}\n",
    "{\"src\":\"ab\",\"tgt\":\"b\",\"src_spans\":[[1,2],[0,1]],\"tgt_spans\":[[0,1]],\"sure\":[],"
    "\"possible\":[]}\n",
    "{\"src\":\"a\",\"tgt\":\"b\",\"src_spans\":[[0,1]],\"tgt_spans\":[[0,1]],\"sure\":[[0,-1]],"
    "\"possible\":[]}\n",
    "{\"src\":\"a\",\"tgt\":\"b\",\"src_spans\":[[0,1]],\"tgt_spans\":[[0,1]],\"sure\":[[0]],"
    "\"possible\":[]}\n",
    "{\"src\":1,\"tgt\":\"b\",\"src_spans\":[[0,1]],\"tgt_spans\":[[0,1]],\"sure\":[],"
    "\"possible\":[]}\n",
    "{\"src\":\n",
};

START_TEST(a_line_that_is_wrong_is_refused)
{
    struct gold gold = { 0 };
    struct error err;
    ck_assert_int_eq(read_text(wrong[_i], &gold, &err), STATUS_BAD_INPUT);
    ck_assert_int_eq(gold.count, 0);
    ck_assert_ptr_null(gold.items);
    ck_assert(_i == 0 || strstr(err.text, "line 1"));
}
END_TEST

/* The counts that were published with the set. */
START_TEST(the_hansard_test_set_has_the_links_it_was_published_with)
{
    struct gold gold = { 0 };
    struct error err;
    long sure = 0, possible = 0, words = 0;
    const char *shared = SHARED_DIR "/gold/wpt03-test.en-fr.natural.jsonl";
    if (access(shared, R_OK) != 0) {
        printf("skipped: no %s\n", shared);
        return;
    }
    ck_assert_msg(gold_read(&gold, shared, &err) == STATUS_OK, "%s", err.text);
    for (int i = 0; i < gold.count; i++) {
        sure += gold.items[i].sure.count;
        possible += gold.items[i].possible.count;
        words += gold.items[i].words.S;
    }
    ck_assert_int_eq(gold.count, 447);
    ck_assert_int_eq(sure, 4038);
    ck_assert_int_eq(possible, 17438);
    ck_assert_int_eq(words, 7020);
    gold_release(&gold);
}
END_TEST

static const struct test_case cases[] = {
    TEST(words_of_natural_text_are_found_by_code_points),
    TEST(words_of_columns_stand_between_spaces),
    TEST_LOOP(a_line_that_is_wrong_is_refused, sizeof wrong / sizeof *wrong),
    TEST(the_hansard_test_set_has_the_links_it_was_published_with),
};

TEST_MAIN("server/quality/gold", cases)
