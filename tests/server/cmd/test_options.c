/*
 * test_options.c - command lines against a table of every kind of option.
 */
#include "server/cmd/options.c"
#include "server/cmd/settings_file.c"

#include "tests/helpers.h"

static const struct option_spec specs[] = {
    { "fast", OPTION_FLAG, .letter = 'f', .environment = true, .help = "be fast" },
    { "model", OPTION_TEXT, .letter = 'm', .value = "FILE", .help = "the model" },
    { "name", OPTION_TEXT, .environment = true, .value = "NAME", .fallback = "verso",
      .help = "a name" },
    { "beam", OPTION_INT, .environment = true, .value = "N", .fallback = "5", .min = 1, .max = 64,
      .help = "width of the beam" },
    { "count", OPTION_INT, .value = "N", .help = "any number from 0" },
    { "shift", OPTION_INT, .value = "N", .min = -1e15, .max = 1e15,
      .help = "a number below 0 too" },
    { "rate", OPTION_REAL, .value = "R", .fallback = "0.5", .min = 0, .max = 1, .help = "a rate" },
    { "train-file", OPTION_LIST, .value = "FILE", .help = "files to train on" },
    { "config", OPTION_SETTINGS, .environment = true, .value = "FILE", .help = "file of settings" },
    { 0 },
};

#define WORDS_MAX 512

/* Words are separated by single spaces. The arguments must outlive the options. */
static char line_copy[8192];
static struct options *parsed;
static struct error err;

static enum status parse(const char *line)
{
    char *argv[WORDS_MAX];
    int argc = 0;
    snprintf(line_copy, sizeof line_copy, "%s", line);
    for (char *save, *word = strtok_r(line_copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    options_free(parsed);
    return options_parse(&parsed, specs, "test", argc, argv, &err);
}

#define assert_parses(line) ck_assert_msg(parse(line) == STATUS_OK, "%s: %s", line, err.text)

static void assert_refused(const char *line, const char *because)
{
    ck_assert_msg(parse(line) == STATUS_BAD_USAGE, "%s was accepted", line);
    ck_assert_ptr_null(parsed);
    ck_assert_msg(strstr(err.text, because) != NULL, "%s: \"%s\" does not say \"%s\"", line,
                  err.text, because);
}

START_TEST(without_options_there_are_the_fallbacks)
{
    int count;
    assert_parses("");
    ck_assert(!options_flag(parsed, "fast"));
    ck_assert_ptr_null(options_text(parsed, "model"));
    ck_assert_str_eq(options_text(parsed, "name"), "verso");
    ck_assert_int_eq(options_int(parsed, "beam"), 5);
    ck_assert_int_eq(options_int(parsed, "count"), 0);
    ck_assert_double_eq(options_real(parsed, "rate"), 0.5);
    options_list(parsed, "train-file", &count);
    ck_assert_int_eq(count, 0);
    ck_assert(!options_given(parsed, "beam"));
    ck_assert_int_eq(options_operand_count(parsed), 0);
}
END_TEST

START_TEST(values_follow_or_are_attached)
{
    assert_parses("--model a.bin --beam=8 --rate 1e-3 --shift -12 --fast");
    ck_assert_str_eq(options_text(parsed, "model"), "a.bin");
    ck_assert_int_eq(options_int(parsed, "beam"), 8);
    ck_assert_double_eq(options_real(parsed, "rate"), 1e-3);
    ck_assert_int_eq(options_int(parsed, "shift"), -12);
    ck_assert(options_flag(parsed, "fast"));
    ck_assert(options_given(parsed, "beam"));
    assert_parses("-m a.bin -f");
    ck_assert_str_eq(options_text(parsed, "model"), "a.bin");
    ck_assert(options_flag(parsed, "fast"));
    assert_parses("-ma.bin");
    ck_assert_str_eq(options_text(parsed, "model"), "a.bin");
    assert_parses("--model= --name=a=b");
    ck_assert_str_eq(options_text(parsed, "model"), "");
    ck_assert_str_eq(options_text(parsed, "name"), "a=b");
    assert_parses("--shift 1000000000000000");
    ck_assert_int_eq(options_int64(parsed, "shift"), 1000000000000000);
}
END_TEST

START_TEST(the_last_value_counts_but_a_list_keeps_all)
{
    int count;
    assert_parses("--beam 2 --train-file a --beam 3 --train-file=b --train-file c");
    ck_assert_int_eq(options_int(parsed, "beam"), 3);
    const char *const *files = options_list(parsed, "train-file", &count);
    ck_assert_int_eq(count, 3);
    ck_assert_str_eq(files[0], "a");
    ck_assert_str_eq(files[2], "c");
}
END_TEST

START_TEST(operands_stand_anywhere)
{
    assert_parses("import --beam 2 weights - -- --beam -x");
    ck_assert_int_eq(options_operand_count(parsed), 5);
    ck_assert_str_eq(options_operand(parsed, 0), "import");
    ck_assert_str_eq(options_operand(parsed, 1), "weights");
    ck_assert_str_eq(options_operand(parsed, 2), "-");
    ck_assert_str_eq(options_operand(parsed, 3), "--beam");
    ck_assert_str_eq(options_operand(parsed, 4), "-x");
    ck_assert_int_eq(options_int(parsed, "beam"), 2);
}
END_TEST

START_TEST(help_is_wanted_whatever_else_is_wrong)
{
    assert_parses("--beem 3 --help");
    ck_assert(options_help_wanted(parsed));
    assert_parses("-h");
    ck_assert(options_help_wanted(parsed));
    assert_parses("-- --help");
    ck_assert(!options_help_wanted(parsed));
}
END_TEST

START_TEST(mistakes_are_refused_and_named)
{
    assert_refused("--beem 3", "did you mean --beam?");
    assert_refused("--beem=3", "there is no option --beem;");
    assert_refused("--trian-file a", "did you mean --train-file?");
    assert_refused("--train a", "did you mean --train-file?");
    assert_refused("--quite-another", "see verso test --help");
    assert_refused("-x", "there is no option -x");
    assert_refused("--model", "--model needs a value: --model FILE");
    assert_refused("--model --beam 3", "--model needs a value");
    assert_refused("--fast=1", "--fast takes no value");
    assert_refused("--beam 0", "--beam: 0 is less than 1");
    assert_refused("--beam 65", "--beam: 65 is more than 64");
    assert_refused("--beam five", "\"five\" is not a whole number");
    assert_refused("--beam 5x", "is not a whole number");
    assert_refused("--beam 5.0", "is not a whole number");
    assert_refused("--beam=", "\"\" is not a whole number");
    assert_refused("--beam 99999999999999999999", "is not a whole number");
    assert_refused("--count -1", "--count: -1 is less than 0");
    assert_refused("--count 2147483648", "is more than 2147483647");
    assert_refused("--rate 1.5", "--rate: 1.5 is more than 1");
    assert_refused("--rate nan", "\"nan\" is not a number");
    assert_refused("--rate 1e999", "is not a number");
    assert_refused("--rate much", "\"much\" is not a number");
}
END_TEST

START_TEST(a_list_has_a_limit)
{
    char line[8192] = "";
    for (int i = 0; i < OPTION_LIST_MAX / 2; i++)
        strcat(line, "--train-file=a --train-file=b ");
    assert_parses(line);
    strcat(line, "--train-file=c");
    assert_refused(line, "more than 256 times");
}
END_TEST

START_TEST(the_environment_is_between_fallback_and_command_line)
{
    setenv("VERSO_BEAM", "7", 1);
    setenv("VERSO_FAST", "yes", 1);
    setenv("VERSO_MODEL", "ignored: the table does not say so", 1);
    assert_parses("");
    ck_assert_int_eq(options_int(parsed, "beam"), 7);
    ck_assert(options_given(parsed, "beam"));
    ck_assert(options_flag(parsed, "fast"));
    ck_assert_ptr_null(options_text(parsed, "model"));
    assert_parses("--beam 3");
    ck_assert_int_eq(options_int(parsed, "beam"), 3);
    setenv("VERSO_FAST", "0", 1);
    setenv("VERSO_BEAM", "", 1);
    assert_parses("");
    ck_assert(!options_flag(parsed, "fast"));
    ck_assert_int_eq(options_int(parsed, "beam"), 5);
    setenv("VERSO_BEAM", "many", 1);
    assert_refused("", "VERSO_BEAM: \"many\" is not a whole number");
    setenv("VERSO_FAST", "maybe", 1);
    assert_refused("--beam 3", "VERSO_FAST: \"maybe\" is neither 1 nor 0");
    unsetenv("VERSO_BEAM");
    unsetenv("VERSO_FAST");
    unsetenv("VERSO_MODEL");
}
END_TEST

static char folder[64], settings_path[96];

static void write_settings(const char *text)
{
    FILE *out = fopen(settings_path, "w");
    fputs(text, out);
    fclose(out);
}

static enum status parse_with_file(const char *text, const char *more)
{
    char line[256];
    write_settings(text);
    snprintf(line, sizeof line, "--config %s %s", settings_path, more);
    return parse(line);
}

static void assert_file_refused(const char *text, int line, const char *because)
{
    char where[128];
    snprintf(where, sizeof where, "%s:%d: ", settings_path, line);
    assert_status(parse_with_file(text, ""), STATUS_BAD_USAGE);
    ck_assert_msg(strncmp(err.text, where, strlen(where)) == 0, "%s lacks %s", err.text, where);
    ck_assert_msg(strstr(err.text, because) != NULL, "%s lacks %s", err.text, because);
}

static void setup_file(void)
{
    make_folder(folder);
    snprintf(settings_path, sizeof settings_path, "%s/verso.conf", folder);
}

START_TEST(a_file_of_settings_is_between_fallback_and_environment)
{
    setup_file();
    assert_ok(parse_with_file("# for people\n\n  beam = 9 \r\nname=a = b\n fast = on", ""), err);
    ck_assert_int_eq(options_int(parsed, "beam"), 9);
    ck_assert(options_given(parsed, "beam"));
    ck_assert_str_eq(options_text(parsed, "name"), "a = b");
    ck_assert(options_flag(parsed, "fast"));
    setenv("VERSO_BEAM", "7", 1);
    setenv("VERSO_FAST", "0", 1);
    assert_ok(parse_with_file("beam = 9\nname = a\nfast = on\n", "--name b"), err);
    ck_assert_int_eq(options_int(parsed, "beam"), 7);
    ck_assert_str_eq(options_text(parsed, "name"), "b");
    ck_assert(!options_flag(parsed, "fast"));
    setenv("VERSO_BEAM", "", 1);
    setenv("VERSO_CONFIG", settings_path, 1);
    assert_parses("");
    ck_assert_int_eq(options_int(parsed, "beam"), 9);
    unsetenv("VERSO_CONFIG");
    unsetenv("VERSO_BEAM");
    unsetenv("VERSO_FAST");
    assert_ok(parse_with_file("", ""), err);
    ck_assert_int_eq(options_int(parsed, "beam"), 5);
    assert_ok(parse_with_file("name =\n", ""), err); // nothing said
    ck_assert_str_eq(options_text(parsed, "name"), "verso");
    remove_folder(folder);
}
END_TEST

START_TEST(a_mistake_in_a_file_of_settings_is_named_with_its_line)
{
    setup_file();
    assert_file_refused("# a\nbeam 9\n", 2, "a setting is a line like");
    assert_file_refused("\n\nbeem = 9\n", 3, "there is no setting beem; did you mean beam?");
    assert_file_refused("model = a\n", 1, "there is no setting model"); // not by the environment
    assert_file_refused("config = a\n", 1, "there is no setting config");
    assert_file_refused("beam = 65\n", 1, "beam: 65 is more than 64");
    assert_file_refused("beam = many\n", 1, "\"many\" is not a whole number");
    assert_file_refused("fast = maybe\n", 1, "neither 1 nor 0");
    assert_file_refused("beam = 1\nname = a\nbeam = 2\n", 3, "beam is in line 1 already");
    assert_file_refused(" = 1\n", 1, "a setting is a line like");
    assert_status(parse_with_file("beam = 65\n", "--beam 2"), STATUS_BAD_USAGE);
    remove_folder(folder);
    assert_status(parse("--config /nowhere/verso.conf"), STATUS_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/verso.conf"));
}
END_TEST

START_TEST(a_file_of_settings_has_a_limit)
{
    setup_file();
    FILE *out = fopen(settings_path, "w");
    for (int i = 0; i < SETTINGS_FILE_BYTES_MAX; i++)
        fputc('#', out);
    fclose(out);
    char line[128];
    snprintf(line, sizeof line, "--config %s", settings_path);
    assert_parses(line);
    out = fopen(settings_path, "a");
    fputc('#', out);
    fclose(out);
    assert_status(parse(line), STATUS_TOO_LARGE);
    remove_folder(folder);
}
END_TEST

START_TEST(what_is_needed_is_named)
{
    assert_parses("--model a");
    assert_ok(options_need(parsed, &err, "model", "name", NULL), err);
    assert_status(options_need(parsed, &err, "model", "train-file", NULL), STATUS_BAD_USAGE);
    ck_assert_str_eq(err.text, "--train-file FILE is needed; see verso test --help");
}
END_TEST

START_TEST(the_nearest_name_is_near)
{
    static const char *const names[] = { "translate", "serve", "evaluate", "models", "train" };
    ck_assert_str_eq(nearest_name("trian", names, 5), "train");
    ck_assert_str_eq(nearest_name("eval", names, 5), "evaluate");
    ck_assert_str_eq(nearest_name("serv", names, 5), "serve");
    ck_assert_str_eq(nearest_name("translat", names, 5), "translate");
    ck_assert_ptr_null(nearest_name("xyzzy", names, 5));
    ck_assert_ptr_null(nearest_name("", names, 5));
    ck_assert_ptr_null(nearest_name("ab", names, 5));
}
END_TEST

static const char *help_text(void)
{
    static char text[8192];
    FILE *out = fmemopen(text, sizeof text, "w");
    options_print(specs, out);
    fclose(out);
    return text;
}

START_TEST(help_shows_kinds_limits_and_fallbacks)
{
    const char *help = help_text();
    ck_assert_ptr_nonnull(strstr(help, "  -m, --model FILE      the model\n"));
    ck_assert_ptr_nonnull(strstr(help,
                                 "  --beam N              width of the beam (1 to 64; default 5; "
                                 "VERSO_BEAM)\n"));
    ck_assert_ptr_nonnull(strstr(help, "files to train on (may be repeated)\n"));
    ck_assert_ptr_nonnull(strstr(help, "at least -1e+15"));
}
END_TEST

START_TEST(no_line_of_help_is_over_80_columns)
{
    char out[4096] = "";
    char words[2000] = "";
    for (int i = 0; i < 60; i++)
        strcat(words, i % 7 ? "word " : "a-much-longer-word ");
    FILE *file = fmemopen(out, sizeof out, "w");
    print_folded(words, 10, fprintf(file, "usage: something "), file);
    fclose(file);
    for (char *save, *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        ck_assert_msg(strlen(line) <= HELP_WIDTH, "%s", line);
}
END_TEST

START_TEST(each_status_has_its_exit_code)
{
    ck_assert_int_eq(exit_code_of(STATUS_OK), 0);
    ck_assert_int_eq(exit_code_of(STATUS_IO), 1);
    ck_assert_int_eq(exit_code_of(STATUS_BAD_USAGE), 2);
    ck_assert_int_eq(exit_code_of(STATUS_BAD_INPUT), 3);
    ck_assert_int_eq(exit_code_of(STATUS_BAD_FILE), 4);
    ck_assert_int_eq(exit_code_of(STATUS_NOT_FOUND), 5);
    ck_assert_int_eq(exit_code_of(STATUS_DIVERGED), 6);
    ck_assert_int_eq(exit_code_of(STATUS_CANCELLED), 130);
}
END_TEST

START_TEST(parsing_survives_every_failed_allocation)
{
    char line[256];
    setup_file();
    write_settings("beam = 3\n");
    snprintf(line, sizeof line, "--model a --train-file b c --config %s", settings_path);
    options_free(parsed);
    parsed = NULL;
    for (long nth = 1;; nth++) {
        memory_fail_at(nth);
        enum status status = parse(line);
        bool failed = memory_failed();
        memory_fail_at(0);
        assert_status(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        if (!failed)
            break;
        ck_assert_ptr_null(parsed);
        ck_assert_int_eq(memory_live(), 0);
    }
    options_free(parsed);
    parsed = NULL;
    ck_assert_int_eq(memory_live(), 0);
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(without_options_there_are_the_fallbacks),
    TEST(values_follow_or_are_attached),
    TEST(the_last_value_counts_but_a_list_keeps_all),
    TEST(operands_stand_anywhere),
    TEST(help_is_wanted_whatever_else_is_wrong),
    TEST(mistakes_are_refused_and_named),
    TEST(a_list_has_a_limit),
    TEST(the_environment_is_between_fallback_and_command_line),
    TEST(a_file_of_settings_is_between_fallback_and_environment),
    TEST(a_mistake_in_a_file_of_settings_is_named_with_its_line),
    TEST(a_file_of_settings_has_a_limit),
    TEST(what_is_needed_is_named),
    TEST(the_nearest_name_is_near),
    TEST(help_shows_kinds_limits_and_fallbacks),
    TEST(no_line_of_help_is_over_80_columns),
    TEST(each_status_has_its_exit_code),
    TEST(parsing_survives_every_failed_allocation),
};
TEST_MAIN("server/cmd/options", cases)
