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
        fprintf(out, "  %-15s %s\n", p->commands[i]->name, p->commands[i]->summary);
    for (int i = 0; i < p->elsewhere_count; i++)
        fprintf(out, "  %-15s %s\n", p->elsewhere[i].name, p->elsewhere[i].summary);
    fprintf(out, "  %-15s %s\n", "completions", "print a script that completes commands in bash");
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

const char *program_command_name(const struct program *p, int i)
{
    if (i < p->count)
        return p->commands[i]->name;
    return i < p->count + p->elsewhere_count ? p->elsewhere[i - p->count].name : NULL;
}

static bool is_family(const struct program *p, const char *word)
{
    const size_t len = strlen(word);
    const char *name;
    for (int i = 0; (name = program_command_name(p, i)) != NULL; i++)
        if (strncmp(name, word, len) == 0 && name[len] == ' ')
            return true;
    return false;
}

static const char *summary_of(const struct program *p, int i)
{
    return i < p->count ? p->commands[i]->summary : p->elsewhere[i - p->count].summary;
}

/* "verso lm" alone, or with a second word that is none of its commands. */
static int print_family(const struct program *p, const char *word, FILE *out, int code)
{
    const size_t len = strlen(word);
    const char *name;
    fprintf(out, "usage: %s %s COMMAND [OPTION...]\n\ncommands:\n", p->name, word);
    for (int i = 0; (name = program_command_name(p, i)) != NULL; i++)
        if (strncmp(name, word, len) == 0 && name[len] == ' ')
            fprintf(out, "  %-15s %s\n", name, summary_of(p, i));
    return code;
}

static int unknown_command(const struct program *p, const char *word)
{
    const char *names[COMMANDS_MAX], *name;
    int count = 0;
    while (count < COMMANDS_MAX && (name = program_command_name(p, count)) != NULL)
        names[count++] = name;
    const char *nearest = nearest_name(word, names, count);
    if (nearest)
        fprintf(stderr, "%s: there is no command %s; did you mean %s?\n", p->name, word, nearest);
    else
        fprintf(stderr, "%s: there is no command %s; see %s --help\n", p->name, word, p->name);
    return EXIT_USAGE;
}

/* How many words of the command line `name` is: 0, 1 or 2. */
static int words_taken(const char *name, int argc, char **argv)
{
    const char *space = strchr(name, ' ');
    if (argc < 2)
        return 0;
    if (!space)
        return strcmp(name, argv[1]) == 0;
    const size_t first = (size_t)(space - name);
    const bool taken = argc > 2 && strlen(argv[1]) == first && memcmp(name, argv[1], first) == 0 &&
                       strcmp(space + 1, argv[2]) == 0;
    return taken ? 2 : 0;
}

/* The command with the most words, so that "detect train" is not "detect" of a file. */
static const struct command *find_command(const struct program *p, int argc, char **argv,
                                          int *words)
{
    const struct command *found = NULL;
    *words = 0;
    for (int i = 0; i < p->count; i++) {
        const int taken = words_taken(p->commands[i]->name, argc, argv);
        if (taken > *words) {
            *words = taken;
            found = p->commands[i];
        }
    }
    return found;
}

static int words_elsewhere(const struct program *p, int argc, char **argv)
{
    int most = 0;
    for (int i = 0; i < p->elsewhere_count; i++) {
        const int taken = words_taken(p->elsewhere[i].name, argc, argv);
        most = taken > most ? taken : most;
    }
    return most;
}

/* "help" alone, or "help COMMAND" as "COMMAND --help"; a command is one word or two. */
static int run_help(const struct program *p, int argc, char **argv)
{
    static char help[] = "--help";
    if (argc < 3) {
        print_program_help(p, stdout);
        return EXIT_OK;
    }
    char *words[] = { argv[0], argv[2], argc > 3 ? argv[3] : help, help, NULL };
    return program_run(p, 4, words);
}

static bool is_help_wanted(int argc, char **argv)
{
    return argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
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
    int words;
    const struct command *command = find_command(p, argc, argv, &words);
    if (words_elsewhere(p, argc, argv) > words)
        return run_elsewhere(p, argv);
    if (command)
        return run_command(command, argc - 1 - words, argv + 1 + words);
    if (is_family(p, name))
        return is_help_wanted(argc, argv) ? print_family(p, name, stdout, EXIT_OK)
                                          : print_family(p, name, stderr, EXIT_USAGE);
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
