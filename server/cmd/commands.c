/*
 * commands.c - from main() to the command that was asked for.
 */
#include "server/cmd/commands.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include "server/cmd/completions.h"

#define COMMANDS_MAX 64
#define USAGE_COLUMN 7 // of the second line on

static void print_program_help(const struct program *p, FILE *out)
{
    fprintf(out, "%s - %s\n\nusage: %s COMMAND [OPTION...]\n\ncommands:\n", p->name, p->summary,
            p->name);
    for (int i = 0; i < p->count; i++)
        fprintf(out, "  %-12s %s\n", p->commands[i]->name, p->commands[i]->summary);
    for (int i = 0; i < p->elsewhere_count; i++)
        fprintf(out, "  %-12s %s\n", p->elsewhere[i].name, p->elsewhere[i].summary);
    fprintf(out, "  %-12s %s\n", "completions", "print a script that completes commands in bash");
    fprintf(out, "\n%s COMMAND --help explains a command; %s --version says which this is.\n",
            p->name, p->name);
}

static void print_command_help(const struct command *c, FILE *out)
{
    fprintf(out, "verso %s - %s\n\n", c->name, c->summary);
    print_folded(c->usage, USAGE_COLUMN, fprintf(out, "usage: verso %s ", c->name), out);
    if (c->description) {
        fputc('\n', out);
        print_folded(c->description, 0, 0, out);
    }
    fprintf(out, "\noptions:\n");
    options_print(c->options, out);
    if (c->examples)
        fprintf(out, "\nexamples:\n%s", c->examples);
}

static enum status check_operands(const struct command *c, const struct options *o,
                                  struct error *err)
{
    int count = options_operand_count(o);
    if (count > c->operands_max)
        return error_set(err, STATUS_BAD_USAGE, "\"%s\" is one word too many; usage: verso %s %s",
                         options_operand(o, c->operands_max), c->name, c->usage);
    if (count < c->operands_min)
        return error_set(err, STATUS_BAD_USAGE, "something is missing; usage: verso %s %s", c->name,
                         c->usage);
    return STATUS_OK;
}

static int run_command(const struct command *c, int argc, char *const *argv)
{
    struct error err;
    struct options *o;
    int code;
    enum status status = options_parse(&o, c->options, c->name, argc, argv, &err);
    if (status != STATUS_OK) {
        fprintf(stderr, "verso %s: %s\n", c->name, err.text);
        return (int)exit_code_of(status);
    }
    if (options_help_wanted(o)) {
        print_command_help(c, stdout);
        code = EXIT_OK;
    } else {
        status = check_operands(c, o, &err);
        code = status == STATUS_OK ? c->run(o) : options_finish(o, status, &err);
    }
    options_free(o);
    return code;
}

/* The other program lies beside this one, or else on PATH. Returns only on failure. */
static int run_elsewhere(const struct program *p, char **argv)
{
    char self[PATH_MAX], path[PATH_MAX + NAME_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    argv[0] = (char *)(uintptr_t)p->elsewhere_program;
    if (len > 0) {
        self[len] = '\0';
        snprintf(path, sizeof path, "%s/%s", dirname(self), p->elsewhere_program);
        execv(path, argv);
    }
    if (len <= 0 || errno == ENOENT)
        execvp(p->elsewhere_program, argv);
    fprintf(stderr, "%s: cannot start %s: %s; is it installed beside %s?\n", p->name,
            p->elsewhere_program, strerror(errno), p->name);
    return EXIT_FAILED;
}

static int unknown_command(const struct program *p, const char *word)
{
    const char *names[COMMANDS_MAX];
    int count = 0;
    for (int i = 0; i < p->count && count < COMMANDS_MAX; i++)
        names[count++] = p->commands[i]->name;
    for (int i = 0; i < p->elsewhere_count && count < COMMANDS_MAX; i++)
        names[count++] = p->elsewhere[i].name;
    const char *nearest = nearest_name(word, names, count);
    if (nearest)
        fprintf(stderr, "%s: there is no command %s; did you mean %s?\n", p->name, word, nearest);
    else
        fprintf(stderr, "%s: there is no command %s; see %s --help\n", p->name, word, p->name);
    return EXIT_USAGE;
}

static const struct command *find_command(const struct program *p, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->commands[i]->name, name) == 0)
            return p->commands[i];
    return NULL;
}

static bool is_elsewhere(const struct program *p, const char *name)
{
    for (int i = 0; i < p->elsewhere_count; i++)
        if (strcmp(p->elsewhere[i].name, name) == 0)
            return true;
    return false;
}

/* "help" alone, or "help COMMAND" as "COMMAND --help". */
static int run_help(const struct program *p, int argc, char **argv)
{
    static char help[] = "--help";
    if (argc < 3) {
        print_program_help(p, stdout);
        return EXIT_OK;
    }
    char *words[] = { argv[0], argv[2], help, NULL };
    return program_run(p, 3, words);
}

static int run_completions(const struct program *p, int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[2], "bash") != 0) {
        fprintf(stderr, "%s completions: usage: %s completions bash\n", p->name, p->name);
        return EXIT_USAGE;
    }
    completions_print_bash(p, stdout);
    return EXIT_OK;
}

int program_run(const struct program *p, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *command = find_command(p, name);
    if (command)
        return run_command(command, argc - 2, argv + 2);
    if (is_elsewhere(p, name))
        return run_elsewhere(p, argv);
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return run_help(p, argc, argv);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("%s %s\n", p->name, VERSO_VERSION);
        return EXIT_OK;
    }
    if (strcmp(name, "completions") == 0)
        return run_completions(p, argc, argv);
    if (argc > 1)
        return unknown_command(p, name);
    print_program_help(p, stderr);
    return EXIT_USAGE;
}
