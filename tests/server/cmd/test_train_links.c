/*
 * test_train_links.c - "verso train" with links that attention is to follow.
 */
#include "tests/server/cmd/train_program.h"

#define LINES 240

/* The words of the toy corpus stand in the same places on both sides. */
static void write_links(const char *name, int lines, const char *other)
{
    FILE *file = fopen(in_folder(name), "w");
    FILE *pairs = fopen(in_folder("train.tsv"), "r");
    char line[256];
    for (int i = 0; i < lines && fgets(line, sizeof line, pairs); i++) {
        int words = 1;
        for (const char *at = line; *at != '\t'; at++)
            words += *at == ' ';
        for (int k = 0; k < words && !other; k++)
            fprintf(file, "%d-%d ", k, k);
        fprintf(file, "%s\n", other ? other : "");
    }
    fclose(file);
    fclose(pairs);
}

/* Alignment error rate on the training pairs themselves. */
static double error_rate(const char *model, bool swapped)
{
    char command[1024];
    snprintf(
        command, sizeof command,
        "cd '%s' && paste train.tsv links | awk -F '\\t' '{ print $1 FS $2 FS $3 FS $3 }' > "
        "gold && '%s/verso' align -m '%s' %s --gold gold | awk '/^forward/ { print $4 }' > aer",
        folder, PROGRAMS_DIR, model, swapped ? "--swap" : "");
    ck_assert_int_eq(system(command), 0);
    double rate = -1;
    FILE *file = fopen(in_folder("aer"), "r");
    ck_assert_int_eq(fscanf(file, "%lf", &rate), 1);
    fclose(file);
    return rate;
}

START_TEST(attention_follows_links_that_are_given)
{
    const bool swapped = _i == 1;
    begin();
    write_links("links", LINES, NULL);
    ck_assert_int_eq(
        train(in_folder("plain"), "--epochs", "25", "--rate", "0.01", swapped ? "--swap" : NULL),
        EXIT_OK);
    ck_assert_msg(train(in_folder("guided"), "--epochs", "25", "--rate", "0.01",
                        "--guided-alignment", in_folder("links"), "--guided-alignment-weight", "3",
                        swapped ? "--swap" : NULL) == EXIT_OK,
                  "%s", told);
    const double plain = error_rate("plain", swapped), guided = error_rate("guided", swapped);
    ck_assert_msg(guided < 20 && guided < plain - 20, "%g without, %g with", plain, guided);
    remove_folder(folder);
}
END_TEST

START_TEST(links_that_do_not_fit_the_pairs_are_refused)
{
    begin();
    write_links("short", LINES - 1, NULL);
    write_links("long", LINES, NULL);
    FILE *file = fopen(in_folder("long"), "a");
    fputs("0-0\n", file);
    fclose(file);
    write_links("far", LINES, "0-9");
    write_links("wrong", LINES, "0:0");
    static const struct {
        const char *name, *reason;
    } wrong[] = { { "short", "has only 239 lines" },
                  { "long", "has more than 240 lines" },
                  { "far", "line 1: a link of words 0 and 9" },
                  { "wrong", "line 1: links are pairs of numbers" } };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(train(in_folder("m"), "--guided-alignment", in_folder(wrong[i].name)),
                         EXIT_BAD_INPUT);
        assert_told(wrong[i].reason);
        ck_assert_int_ne(access(in_folder("m.pairs"), F_OK), 0);
    }
    remove_folder(folder);
}
END_TEST

/* Lines of no use have lines of links, too. */
START_TEST(links_keep_their_places_beside_bad_lines_and_long_pairs)
{
    begin();
    FILE *file = fopen(in_folder("three.tsv"), "w");
    fputs("one two\tun deux\nno tab\none one one one one one one one one one one one one\tun\n"
          "two\tdeux\n",
          file);
    fclose(file);
    file = fopen(in_folder("links"), "w");
    fputs("0-0 1-1\n5-5\n12-0\n0-0\n", file);
    fclose(file);
    ck_assert_msg(train(in_folder("m"), "--epochs", "1", "--train", in_folder("three.tsv"),
                        "--max-pieces", "20", "--guided-alignment",
                        in_folder("both")) == EXIT_NOT_FOUND,
                  "%s", told);
    char command[512];
    snprintf(command, sizeof command, "cd '%s' && yes '0-0' | head -n %d | cat - links > both",
             folder, LINES);
    ck_assert_int_eq(system(command), 0);
    ck_assert_msg(train(in_folder("m"), "--epochs", "1", "--train", in_folder("three.tsv"),
                        "--max-pieces", "20", "--guided-alignment", in_folder("both")) == EXIT_OK,
                  "%s", told);
    remove_folder(folder);
}
END_TEST

START_TEST(a_training_goes_on_only_with_the_same_links_and_weight)
{
    begin();
    write_links("links", LINES, NULL);
    ck_assert_int_eq(
        train(in_folder("m"), "--epochs", "1", "--guided-alignment", in_folder("links")), EXIT_OK);
    ck_assert_int_ne(train(in_folder("m"), "--epochs", "2", "--resume"), EXIT_OK);
    ck_assert_int_ne(train(in_folder("m"), "--epochs", "2", "--resume", "--guided-alignment",
                           in_folder("links"), "--guided-alignment-weight", "2"),
                     EXIT_OK);
    assert_told("guided-alignment-weight");
    ck_assert_msg(train(in_folder("m"), "--epochs", "2", "--resume", "--guided-alignment",
                        in_folder("links")) == EXIT_OK,
                  "%s", told);
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(attention_follows_links_that_are_given, 2),
    TEST(links_that_do_not_fit_the_pairs_are_refused),
    TEST(links_keep_their_places_beside_bad_lines_and_long_pairs),
    TEST(a_training_goes_on_only_with_the_same_links_and_weight),
};

TEST_MAIN("server/cmd/train_links", cases)
