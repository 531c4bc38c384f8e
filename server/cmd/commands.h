/*
 * commands.h - what a command is, and the start of a program that has several.
 *
 *     const struct command command_align = {
 *         .name = "align", .summary = "show which words of two sentences belong together",
 *         .usage = "--model FILE [OPTION...] SOURCE TARGET", .operands_min = 2, .operands_max = 2,
 *         .examples = "  verso align --model en-fr.safetensors 'a house' 'une maison'\n",
 *         .options = specs, .run = run,
 *     };
 *
 * Each command is one file of this folder with such an entry below its run
 * function. To add one: write the file, and name it in its program's list here.
 * A name may be two words, "lm score": commands that share the first one are a
 * family, whose members may be of both programs.
 */
#ifndef SERVER_CMD_COMMANDS_H
#define SERVER_CMD_COMMANDS_H

#include "server/cmd/options.h"

struct command {
    const char *name;        // one word or two
    const char *summary;     // what it does, without full stop
    const char *usage;       // what follows the name
    const char *description; // a paragraph for the help; may be NULL
    const char *examples;    // lines, each indented by two; may be NULL
    const struct option_spec *options;
    int operands_min, operands_max;
    int (*run)(const struct options *o); // returns what the program exits with
};

/* clang-format off */
#define VERSO_COMMANDS(X)                                                                           \
    X(translate) X(align) X(serve) X(evaluate) X(models) X(detect) X(embed_nearest)                 \
    X(embed_analogy) X(lm_score) X(lm_sample) X(plot) X(bench_translate)                            \
    X(show) X(history) X(links) X(db_backup) X(db_check) X(db_prune) X(db_delete)        \
    X(keys) X(suggestions)
#define TRAIN_COMMANDS(X)                                                                           \
    X(train) X(shortlist) X(vocab) X(lm_train) X(detect_train) X(embed_train) X(bench_train)
/* clang-format on */

#define X(name) extern const struct command command_##name;
VERSO_COMMANDS(X)
TRAIN_COMMANDS(X)
#undef X

struct command_elsewhere {
    const char *name, *summary;
};

struct program {
    const char *name; // "verso"
    const char *summary;
    const struct command *const *commands; // (count)
    int count;
    const struct command_elsewhere *elsewhere; // (elsewhere_count) commands of another program
    int elsewhere_count;
    const char *elsewhere_program; // its name; it is started with the same words
};

/* All names of the program's commands, here and elsewhere, in that order; NULL behind the last. */
const char *program_command_name(const struct program *program, int i);

/* All of main(): help, version, completions, a command, or a suggestion of one. */
int program_run(const struct program *program, int argc, char **argv);

#endif
