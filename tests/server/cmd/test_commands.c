/*
 * test_commands.c - the programs from outside: help, suggestions, the other program, completion.
 */
#include "tests/server/cmd/program.h"

static void assert_says(const char *words, int code, const char *where, const char *text)
{
    struct said said = run_verso(words, "", 0);
    const char *found = strcmp(where, "out") == 0 ? said.out.data : said.errors.data;
    ck_assert_msg(said.code == code, "verso %s: exit code %d", words, said.code);
    ck_assert_msg(strstr(found, text) != NULL, "verso %s: no \"%s\" in \"%s\"", words, text, found);
    said_release(&said);
}

START_TEST(help_is_an_answer_and_a_mistake_is_not)
{
    program_setup();
    assert_says("--help", 0, "out", "evaluate ");
    assert_says("help", 0, "out", "train ");
    assert_says("", 2, "errors", "usage: verso COMMAND");
    assert_says("help evaluate", 0, "out", "usage: verso evaluate");
    assert_says("evaluate --help", 0, "out", "--hypothesis FILE");
    assert_says("--version", 0, "out", "verso " VERSO_VERSION "\n");
    assert_says("evalaute", 2, "errors", "there is no command evalaute; did you mean evaluate?");
    assert_says("vocap", 2, "errors", "did you mean vocab?");
    assert_says("quite-another", 2, "errors", "see verso --help");
    assert_says("evaluate --beem 3", 2, "errors", "did you mean --beam?");
    assert_says("evaluate a.txt", 2, "errors", "\"a.txt\" is one word too many");
    assert_says("lm", 2, "errors", "lm score");
    assert_says("lm --help", 0, "out", "lm train");
    assert_says("help lm", 0, "out", "lm sample");
    assert_says("help lm score", 0, "out", "usage: verso lm score MODEL");
    assert_says("lm scroe", 2, "errors", "lm score");
    assert_says("completions zsh", 2, "errors", "usage: verso completions bash");
    program_teardown();
}
END_TEST

START_TEST(training_is_started_in_the_other_program)
{
    program_setup();
    assert_says("train --help", 0, "out", "usage: verso train");
    assert_says("help vocab", 0, "out", "usage: verso vocab");
    assert_says("lm train --help", 0, "out", "usage: verso lm train");
    assert_says("train --no-such-thing", 2, "errors", "there is no option --no-such-thing");
    program_teardown();
}
END_TEST

/* A copy alone in a folder finds verso-train on PATH, or says what is missing. */
START_TEST(the_other_program_may_be_on_the_path)
{
    char command[1024];
    program_setup();
    snprintf(command, sizeof command,
             "cp '%s/verso' '%s/' && cd '%s' && PATH='%s':$PATH ./verso vocab --help > out",
             PROGRAMS_DIR, program_folder, program_folder, PROGRAMS_DIR);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof command,
             "cd '%s' && PATH=/nowhere ./verso vocab 2> errors; "
             "[ $? = 1 ] && grep -q 'cannot start verso-train' errors",
             program_folder);
    ck_assert_int_eq(system(command), 0);
    program_teardown();
}
END_TEST

/* What bash offers for the words, one a line. */
static void assert_completes(const char *words, int at, const char *wanted)
{
    char command[2048];
    snprintf(command, sizeof command,
             "cd '%s' && bash -c 'source <(%s/verso completions bash); "
             "source <(%s/verso-train completions bash); COMP_WORDS=(%s); COMP_CWORD=%d; _verso; "
             "printf \"%%s \" \"${COMPREPLY[@]}\"' > completed",
             program_folder, PROGRAMS_DIR, PROGRAMS_DIR, words, at);
    ck_assert_int_eq(system(command), 0);
    struct bytes out;
    program_read("completed", &out);
    ck_assert_str_eq(out.data, wanted);
    bytes_release(&out);
}

START_TEST(bash_completes_commands_options_and_files)
{
    program_setup();
    program_write("sentences.txt", "", 0);
    assert_completes("verso ev", 1, "evaluate ");
    assert_completes("verso tra", 1, "translate train ");
    assert_completes("verso evaluate --hyp", 2, "--hypothesis ");
    assert_completes("verso evaluate --model sen", 3, "sentences.txt ");
    assert_completes("verso train --vocab", 2, "--vocab --vocab-size ");
    assert_completes("verso l", 1, "lm links ");
    assert_completes("verso lm s", 2, "score sample ");
    assert_completes("verso lm tr", 2, "train ");
    assert_completes("verso lm score --js", 3, "--json ");
    assert_completes("verso lm train --bp", 3, "--bptt ");
    program_teardown();
}
END_TEST

/* Each line of the help's list of commands starts with two spaces and the name. */
START_TEST(the_man_page_has_every_command)
{
    struct bytes man;
    struct error err;
    program_setup();
    bytes_init(&man, 1 << 20);
    assert_ok(bytes_read_file(&man, TESTS_DIR "/../deploy/man/verso.1", &err), err);
    struct said said = run_verso("--help", "", 0);
    char *save, *list = strstr(said.out.data, "commands:\n");
    int count = 0;
    ck_assert_ptr_nonnull(list);
    for (char *line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char name[32];
        if (sscanf(line, "  %31s", name) != 1 || strncmp(line, "  ", 2) != 0)
            continue;
        ck_assert_msg(strstr(man.data, name) != NULL, "no %s in the man page", name);
        count++;
    }
    ck_assert_int_ge(count, 6);
    said_release(&said);
    bytes_release(&man);
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(help_is_an_answer_and_a_mistake_is_not), TEST(training_is_started_in_the_other_program),
    TEST(the_other_program_may_be_on_the_path),   TEST(bash_completes_commands_options_and_files),
    TEST(the_man_page_has_every_command),
};
TEST_MAIN("server/cmd/commands", cases)
