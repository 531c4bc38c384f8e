/*
 * test_align_links.c - "verso align" with two directions, with files of links, and against links
 * that people made.
 */
#include "tests/server/cmd/program.h"

#include "base/json.h"

static const char pairs[] = "the cat sat\tthe hat\na b, c.\tx y (z)\n\nthe\tthe\n";

static char reverse_model[128];

static void setup(void)
{
    program_setup();
    snprintf(reverse_model, sizeof reverse_model, "%s/fr-en.safetensors", program_folder);
    write_tiny_model(reverse_model, "fr", "en", 2);
}

static struct said say(const char *words, const char *input)
{
    return run_verso(words, input, strlen(input));
}

static void assert_says(const char *words, const char *input, int code, const char *wanted)
{
    struct said said = say(words, input);
    ck_assert_msg(said.code == code, "%s: %d, %s", words, said.code, said.errors.data);
    ck_assert_str_eq(said.out.data, wanted);
    said_release(&said);
}

static void keep(const char *words, const char *name)
{
    struct said said = say(words, "the cat sat\tthe hat\na b, c.\tx y (z)\nthe\tthe\n");
    ck_assert_msg(said.code == 0, "%s: %s", words, said.errors.data);
    program_write(name, said.out.data, said.out.len);
    said_release(&said);
}

/* Of words that white space separates, so that joining before and after cutting is the same. */
START_TEST(two_models_at_once_say_what_their_files_do_when_joined)
{
    static const char *const methods[] = { "intersection", "union", "grow-diag-final-and" };
    static const char text[] = "the cat sat\tthe hat\nin the hat\ta cat in it\nthe\tthe\n";
    setup();
    struct said forward = say("align --model en-fr.safetensors", text);
    struct said reverse = say("align --model fr-en.safetensors --swap", text);
    ck_assert_int_eq(forward.code + reverse.code, 0);
    ck_assert_str_ne(forward.out.data, reverse.out.data);
    program_write("forward", forward.out.data, forward.out.len);
    program_write("reverse", reverse.out.data, reverse.out.len);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char words[256];
        snprintf(words, sizeof words,
                 "align --links forward --reverse-links reverse "
                 "--symmetrise %s",
                 methods[i]);
        struct said files = say(words, "");
        ck_assert_int_eq(files.code, 0);
        snprintf(words, sizeof words,
                 "align --model en-fr.safetensors --reverse fr-en.safetensors "
                 "--symmetrise %s",
                 methods[i]);
        assert_says(words, text, 0, files.out.data);
        snprintf(words, sizeof words,
                 "align --swap --model fr-en.safetensors --reverse "
                 "en-fr.safetensors --symmetrise %s --threads 2",
                 methods[i]);
        if (i < 2) // the third begins with the first model's where both stand apart
            assert_says(words, text, 0, files.out.data);
        said_release(&files);
    }
    said_release(&forward);
    said_release(&reverse);
    program_teardown();
}
END_TEST

START_TEST(json_has_the_words_that_links_count)
{
    setup();
    struct said said = say("align --model en-fr.safetensors --reverse fr-en.safetensors --json "
                           "--symmetrise union",
                           pairs);
    ck_assert_int_eq(said.code, 3); // of the empty line
    const char *line = said.out.data;
    for (int number = 1; number <= 4; number++, line = strchr(line, '\n') + 1) {
        struct error err;
        json_t *object;
        assert_ok(json_parse(&object, line, strcspn(line, "\n"), &err), err);
        ck_assert_int_eq(json_integer_value(json_object_get(object, "line")), number);
        if (number == 3) {
            ck_assert(json_is_string(json_object_get(object, "error")));
        } else {
            const json_t *links = json_object_get(object, "links");
            ck_assert_uint_gt(json_array_size(links), 0);
            ck_assert_uint_eq(json_array_size(json_object_get(object, "scores")), 2);
            for (size_t i = 0; i < json_array_size(links); i++)
                for (size_t side = 0; side < 2; side++)
                    ck_assert_int_lt(
                        json_integer_value(json_array_get(json_array_get(links, i), side)),
                        (json_int_t)json_array_size(
                            json_object_get(object, side == 0 ? "source" : "target")));
        }
        if (number == 2)
            ck_assert_str_eq(
                json_string_value(json_array_get(json_object_get(object, "source"), 1)), "b,");
        json_decref(object);
    }
    ck_assert_int_eq(*line, '\0');
    said_release(&said);
    program_teardown();
}
END_TEST

#define ROUNDED 1.1e-4 // weights have four decimals

static json_t *object_of(const char *words)
{
    struct error err;
    json_t *object;
    struct said said = say(words, "the cat sat in it\tin the hat\n");
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    assert_ok(json_parse(&object, said.out.data, strcspn(said.out.data, "\n"), &err), err);
    said_release(&said);
    return object;
}

static double weight_at(const json_t *matrix, json_int_t s, json_int_t t)
{
    return json_number_value(json_array_get(json_array_get(matrix, (size_t)t), (size_t)s));
}

/* Which has the most, along the rows or the columns of the table. */
START_TEST(each_word_read_or_said_has_its_strongest_link)
{
    const bool said = _i == 1;
    const int S = 5, T = 3;
    setup();
    json_t *table = object_of("align -m en-fr.safetensors --alignment matrix --json");
    const json_t *matrix =
        json_object_get(json_array_get(json_object_get(table, "sentences"), 0), "alignment");
    json_t *object = object_of(said ? "align -m en-fr.safetensors --json --each said"
                                    : "align -m en-fr.safetensors --json --each read");
    const json_t *links = json_object_get(object, "links");
    ck_assert(said ? json_array_size(links) <= T : json_array_size(links) == S);
    ck_assert_uint_gt(json_array_size(links), 0);
    bool seen[8] = { false };
    for (size_t i = 0; i < json_array_size(links); i++) {
        const json_int_t s = json_integer_value(json_array_get(json_array_get(links, i), 0));
        const json_int_t t = json_integer_value(json_array_get(json_array_get(links, i), 1));
        ck_assert(!seen[said ? t : s]);
        seen[said ? t : s] = true;
        for (int other = 0; other < (said ? S : T); other++)
            ck_assert_double_ge(weight_at(matrix, s, t) + ROUNDED,
                                said ? weight_at(matrix, other, t) : weight_at(matrix, s, other));
    }
    json_decref(table);
    json_decref(object);
    program_teardown();
}
END_TEST

START_TEST(a_threshold_links_a_word_to_as_many_as_reach_it)
{
    setup();
    assert_says("align --model en-fr.safetensors --threshold 0.0001", "the cat\tthe hat\n", 0,
                "0-0 1-0 0-1 1-1\n");
    assert_says("align --model en-fr.safetensors --threshold 1", "the cat\tthe hat\n", 0, "\n");
    program_teardown();
}
END_TEST

static const char gold[] = "the cat sat\tthe hat\t0-0 1-1\t2-1\n"
                           "a b , c .\tx y ( z )\t0-0\t1-1\n"
                           "the\tthe\t0-0\t\n";

START_TEST(files_of_links_are_measured_against_those_of_people)
{
    setup();
    program_write("gold", gold, strlen(gold));
    program_write("a", "0-0 1-1 2-1\n0-0 1-1 2-2\n0-0\n", 28);
    program_write("b", "0-0\n0-0\n0-0\n", 12);
    struct said said = say("align --gold gold --links a --reverse-links b --json", "");
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    struct error err;
    json_t *object;
    assert_ok(json_parse(&object, said.out.data, strcspn(said.out.data, "\n"), &err), err);
    static const struct {
        const char *set;
        double precision, recall, aer;
    } wanted[] = {
        // 7 links, 6 of them possible, 4 sure of 4
        { "forward", 600.0 / 7, 100, 100 - 100 * 10.0 / 11 },
        { "reverse", 100, 75, 100 - 100 * 6.0 / 7 },
        { "intersection", 100, 75, 100 - 100 * 6.0 / 7 },
        { "union", 600.0 / 7, 100, 100 - 100 * 10.0 / 11 },
    };
    ck_assert_int_eq(json_integer_value(json_object_get(object, "sure")), 4);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const json_t *set = json_object_get(object, wanted[i].set);
        ck_assert_double_eq_tol(json_number_value(json_object_get(set, "precision")),
                                wanted[i].precision, 1e-4);
        ck_assert_double_eq_tol(json_number_value(json_object_get(set, "recall")), wanted[i].recall,
                                1e-4);
        ck_assert_double_eq_tol(json_number_value(json_object_get(set, "aer")), wanted[i].aer,
                                1e-4);
        ck_assert_double_gt(
            json_number_value(json_object_get(json_object_get(set, "aer_shifted"), "target+1")),
            wanted[i].aer);
    }
    json_decref(object);
    said_release(&said);
    program_teardown();
}
END_TEST

/* The words of the gold are the white-space separated ones here, so a file of the model's own links
 * gets its figures. */
START_TEST(models_are_measured_as_the_links_they_write)
{
    setup();
    static const char spaced[] = "the cat sat\tthe hat\t0-0 1-1\t2-1\nthe\tthe\t0-0\t\n";
    program_write("gold", spaced, strlen(spaced));
    struct said forward =
        say("align --model en-fr.safetensors", "the cat sat\tthe hat\nthe\tthe\n");
    struct said reverse =
        say("align --model fr-en.safetensors --swap", "the cat sat\tthe hat\nthe\tthe\n");
    program_write("a", forward.out.data, forward.out.len);
    program_write("b", reverse.out.data, reverse.out.len);
    struct said files = say("align --gold gold --links a --reverse-links b", "");
    ck_assert_msg(files.code == 0, "%s", files.errors.data);
    ck_assert_ptr_nonnull(strstr(files.out.data, "2 pairs, 3 sure links"));
    assert_says("align --gold gold -m en-fr.safetensors --reverse fr-en.safetensors", "", 0,
                files.out.data);
    said_release(&forward);
    said_release(&reverse);
    said_release(&files);
    program_teardown();
}
END_TEST

START_TEST(mistakes_are_answered_by_what_to_write_instead)
{
    static const struct mistake mistakes[] = {
        { "align --links a", "--reverse-links", 2 },
        { "align --links a --reverse en-fr.safetensors", "--reverse-links with --links", 2 },
        { "align -m en-fr.safetensors --reverse-links a", "--reverse goes with --model", 2 },
        { "align -m en-fr.safetensors --symmetrise union", "--reverse FILE", 2 },
        { "align -m en-fr.safetensors --reverse fr-en.safetensors --symmetrise both",
          "grow-diag-final-and", 2 },
        { "align -m en-fr.safetensors --reverse fr-en.safetensors --alignment matrix",
          "leave --reverse out", 2 },
        { "align -m en-fr.safetensors --gold gold a", "no other pairs", 2 },
        { "align --links a --reverse-links nowhere", "nowhere", 5 },
        { "align --links bad --reverse-links a", "bad: line 1: links are pairs", 3 },
        { "align --links short --gold gold", "has 1 lines, but gold has 3 pairs", 3 },
        { "align --links far --gold gold", "count the words of the gold", 3 },
        { "align --links long --gold gold", "more lines than gold", 3 },
        { "align --links a --gold bad", "bad: line 1", 3 },
    };
    setup();
    program_write("gold", gold, strlen(gold));
    keep("align --model en-fr.safetensors", "a");
    program_write("short", "0-0\n", 4);
    program_write("bad", "0:0\n", 4);
    program_write("far", "0-9\n\n\n", 6);
    program_write("long", "\n\n\n\n", 4);
    assert_mistakes(mistakes, sizeof mistakes / sizeof mistakes[0], "");
    struct said said = say("align --links a --reverse-links short", ""); // whose first line is one
    ck_assert_int_eq(said.code, 3);
    ck_assert_ptr_nonnull(strstr(said.errors.data, "short has only 1 lines"));
    said_release(&said);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(two_models_at_once_say_what_their_files_do_when_joined),
    TEST(json_has_the_words_that_links_count),
    TEST_LOOP(each_word_read_or_said_has_its_strongest_link, 2),
    TEST(a_threshold_links_a_word_to_as_many_as_reach_it),
    TEST(files_of_links_are_measured_against_those_of_people),
    TEST(models_are_measured_as_the_links_they_write),
    TEST(mistakes_are_answered_by_what_to_write_instead),
};

TEST_MAIN("server/cmd/align_links", cases)
