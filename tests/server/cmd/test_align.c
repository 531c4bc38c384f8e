/*
 * test_align.c - "verso align" as its users see it: pairs in, links out, a line for each.
 */
#include "tests/server/cmd/program.h"

#include <math.h>

#define MODEL "align --model en-fr.safetensors "
#define PAIRS 1100 // more than are aligned together

static struct said align(const char *options, const char *input)
{
    char words[512];
    snprintf(words, sizeof words, MODEL "%s", options);
    return run_verso(words, input, strlen(input));
}

static void assert_says(const char *options, const char *input, const char *wanted)
{
    struct said said = align(options, input);
    ck_assert_int_eq(said.code, 0);
    ck_assert_str_eq(said.out.data, wanted);
    ck_assert_str_eq(said.errors.data, "");
    said_release(&said);
}

/* Pairs that say their number in letters, of all lengths. */
static void make_pairs(struct bytes *text, int count)
{
    bytes_init(text, 1 << 22);
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < 1 + i * 7919 % 13; k++)
            bytes_printf(text, "%c%c ", 'a' + i % 26, 'a' + k);
        bytes_printf(text, "\t");
        for (int k = 0; k < 1 + i * 104729 % 11; k++)
            bytes_printf(text, "%c%c ", 'a' + i / 26 % 26, 'a' + k);
        bytes_printf(text, "\n");
    }
    ck_assert(bytes_append(text, "", 1));
}

/* "0-0 1-2": words of the source below S, of the target below T and rising. */
static void assert_links(const char *from, int S, int T)
{
    char line[256], *links = line;
    snprintf(line, sizeof line, "%.*s", (int)strcspn(from, "\n"), from);
    int source, target, used, last = -1;
    while (sscanf(links, " %d-%d%n", &source, &target, &used) == 2) {
        ck_assert_int_ge(source, 0);
        ck_assert_int_lt(source, S);
        ck_assert_int_gt(target, last);
        ck_assert_int_lt(target, T);
        last = target;
        links += used;
    }
    ck_assert_msg(*links == '\0', "%s", links);
}

START_TEST(a_pair_gives_a_line_of_links_between_its_words)
{
    program_setup();
    struct bytes pairs;
    make_pairs(&pairs, 60);
    struct said said = align("--each said", pairs.data);
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 60);
    const char *line = said.out.data;
    int linked = 0;
    for (int i = 0; i < 60; i++, line = strchr(line, '\n') + 1) {
        assert_links(line, 1 + i * 7919 % 13, 1 + i * 104729 % 11);
        linked += *line != '\n';
    }
    ck_assert_int_gt(linked, 30);
    said_release(&said);
    bytes_release(&pairs);
    program_teardown();
}
END_TEST

START_TEST(words_files_standard_input_and_gzip_say_the_same)
{
    static const char pair[] = "the cat sat\tthe hat\n";
    program_setup();
    struct said said = align("--scores 'the cat sat' 'the hat'", "");
    ck_assert_int_eq(said.code, 0);
    ck_assert_int_eq(count_lines(&said.out), 1);
    assert_says("--scores", pair, said.out.data);
    assert_says("--scores -", pair, said.out.data);
    program_write("pairs.tsv", pair, strlen(pair));
    assert_says("--scores pairs.tsv", "", said.out.data);
    program_write("a.en", "the cat sat\n", 12);
    program_write("a.fr", "the hat\n", 8);
    assert_says("--scores a.en,a.fr", "", said.out.data);
    char command[256];
    snprintf(command, sizeof command, "gzip '%s/pairs.tsv'", program_folder);
    ck_assert_int_eq(system(command), 0);
    assert_says("--scores pairs.tsv.gz", "", said.out.data);
    said_release(&said);
    program_teardown();
}
END_TEST

/* Many in flight, in blocks and on two threads: as if each were alone, and in order. */
START_TEST(pairs_are_answered_in_order_whatever_their_company)
{
    program_setup();
    struct bytes pairs;
    make_pairs(&pairs, PAIRS);
    struct said one = align("--scores --threads 1", pairs.data);
    ck_assert_int_eq(one.code, 0);
    ck_assert_int_eq(count_lines(&one.out), PAIRS);
    assert_says("--scores --threads 2", pairs.data, one.out.data);
    const char *line = one.out.data, *pair = pairs.data;
    for (int i = 0; i < PAIRS; i++) {
        const size_t len = strcspn(line, "\n") + 1, pair_len = strcspn(pair, "\n") + 1;
        if (i % 100 == 7) {
            char alone[512], wanted[512];
            snprintf(alone, sizeof alone, "%.*s", (int)pair_len, pair);
            snprintf(wanted, sizeof wanted, "%.*s", (int)len, line);
            assert_says("--scores", alone, wanted);
        }
        line += len;
        pair += pair_len;
    }
    said_release(&one);
    bytes_release(&pairs);
    program_teardown();
}
END_TEST

START_TEST(a_line_that_is_no_pair_is_said_and_keeps_its_place)
{
    program_setup();
    struct said good = align("", "the cat\tthe\nin the\tan end\n");
    struct said said =
        align("", "no tab\nthe cat\tthe\n\t\n\xff\tx\na\tb\tc\nin the\tan end\nlast one");
    const char *second = strchr(good.out.data, '\n') + 1;
    char wanted[512];
    ck_assert_int_eq(said.code, 3);
    snprintf(wanted, sizeof wanted, "\n%.*s\n\n\n%s\n", (int)(second - good.out.data),
             good.out.data, second);
    ck_assert_str_eq(said.out.data, wanted);
    ck_assert_int_eq(count_lines(&said.errors), 5);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "verso align: -:1: expected source, one tab"));
    ck_assert_ptr_nonnull(strstr(said.errors.data, "-:4: the first column"));
    ck_assert_ptr_nonnull(strstr(said.errors.data, "-:7: "));
    said_release(&said);
    said_release(&good);
    program_teardown();
}
END_TEST

START_TEST(a_pair_that_is_too_long_costs_the_others_nothing)
{
    program_setup();
    struct bytes pairs;
    bytes_init(&pairs, 1 << 20);
    bytes_printf(&pairs, "the cat\tthe\n");
    for (int i = 0; i < 3000; i++)
        bytes_append_text(&pairs, "Q ");
    bytes_printf(&pairs, "\tthe\nthe cat\tthe\n");
    ck_assert(bytes_append(&pairs, "", 1));
    struct said said = align("", pairs.data);
    ck_assert_int_eq(said.code, 3);
    ck_assert_int_eq(count_lines(&said.out), 3);
    const char *second = strchr(said.out.data, '\n') + 1;
    ck_assert_int_eq(*second, '\n');
    ck_assert_int_eq(strncmp(second + 1, said.out.data, (size_t)(second - said.out.data)), 0);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "-:2: a sentence has"));
    said_release(&said);
    bytes_release(&pairs);
    program_teardown();
}
END_TEST

START_TEST(a_matrix_has_a_row_a_target_word_that_sums_to_one)
{
    program_setup();
    struct said said = align("--alignment matrix 'the cat sat' 'the hat'", "");
    char words[2][8];
    double weights[2][4];
    ck_assert_int_eq(said.code, 0);
    const char *at = strstr(said.out.data, "the hat\n");
    ck_assert_ptr_eq(at, said.out.data);
    at = strchr(at + 8, '\n') + 1; // the header of the table
    for (int t = 0; t < 2; t++, at = strchr(at, '\n') + 1) {
        ck_assert_int_eq(sscanf(at, "%7s %lf %lf %lf %lf", words[t], &weights[t][0], &weights[t][1],
                                &weights[t][2], &weights[t][3]),
                         5);
        ck_assert_double_le(fabs(weights[t][0] + weights[t][1] + weights[t][2] + weights[t][3] - 1),
                            0.021);
    }
    ck_assert_str_eq(words[0], "the");
    ck_assert_str_eq(words[1], "hat");
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_answered_by_what_to_write_instead)
{
    static const struct mistake mistakes[] = {
        { "align a b", "--model", 2 },
        { MODEL "a b c", "one word too many", 2 },
        { MODEL "--alignment table a b", "matrix", 2 },
        { MODEL "nowhere.tsv", "nowhere.tsv", 5 },
        { MODEL "a \"$(printf '\\377')\"", "UTF-8", 3 },
    };
    program_setup();
    assert_mistakes(mistakes, sizeof mistakes / sizeof mistakes[0], "");
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_pair_gives_a_line_of_links_between_its_words),
    TEST(words_files_standard_input_and_gzip_say_the_same),
    TEST(pairs_are_answered_in_order_whatever_their_company),
    TEST(a_line_that_is_no_pair_is_said_and_keeps_its_place),
    TEST(a_pair_that_is_too_long_costs_the_others_nothing),
    TEST(a_matrix_has_a_row_a_target_word_that_sums_to_one),
    TEST(mistakes_are_answered_by_what_to_write_instead),
};

TEST_MAIN("server/cmd/align", cases)
