/*
 * options.h - what stands on a command line, checked against a table.
 *
 *     static const struct option_spec specs[] = {
 *         { "model", OPTION_TEXT, .value = "FILE", .help = "model file to translate with" },
 *         { "beam", OPTION_INT, .value = "N", .fallback = "5", .min = 1, .max = 64,
 *           .help = "hypotheses kept at each step; 1 is greedy" },
 *         { 0 },
 *     };
 *     const char *model = options_text(o, "model");     // NULL: not given, no fallback
 *     int beam = options_int(o, "beam");
 *
 * One table gives names, kinds, limits, defaults and the help. Accepted are
 * "--beam 5" and "--beam=5", "-o FILE" for an option with a letter, options and
 * operands in any order, and "--" after which everything is an operand. A
 * later value replaces an earlier one, but of a list all are kept. What is not
 * on the command line may come from the environment (VERSO_BEAM for --beam)
 * where the table says so, else from the file of settings (settings_file.h)
 * that an option of kind OPTION_SETTINGS names, else is the fallback. Texts are
 * borrowed from argv and the environment. Asking for an option that the table does not have,
 * or as another kind, is a mistake of the program and stops it.
 */
#ifndef SERVER_CMD_OPTIONS_H
#define SERVER_CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

#define OPTION_LIST_MAX 256 // values of one list
#define OPERANDS_MAX 4096
#define THREADS_MAX 256 // of what translates or counts

enum option_kind {
    OPTION_FLAG, // given or not; takes no value
    OPTION_TEXT,
    OPTION_INT,
    OPTION_REAL,
    OPTION_LIST,     // of texts: the option may be given many times
    OPTION_SETTINGS, // a file that has values of those that may come from the environment; at most
                     // one of a table
};

struct option_spec {
    const char *name; // without its dashes; NULL ends the table
    enum option_kind kind;
    char letter;          // 'o' for -o; 0: none
    bool environment;     // also read from VERSO_NAME, and from a file of settings
    const char *value;    // what the help calls the value: "FILE"
    const char *fallback; // the value when there is none, as text; not for flags and lists
    double min, max;      // of a number, both included; both 0: from 0 up, integers within int
    const char *help;     // what it is for, without full stop
};

struct options;

/* specs and name (of the command, for messages) are borrowed. argv holds what comes behind the
 * command's name. STATUS_BAD_USAGE says what is wrong and what to write instead. When --help is
 * among the words nothing else is checked. */
MUST_CHECK enum status options_parse(struct options **out, const struct option_spec *specs,
                                     const char *name, int argc, char *const *argv,
                                     struct error *err);
void options_free(struct options *o); // NULL is fine

bool options_help_wanted(const struct options *o);
bool options_given(const struct options *o,
                   const char *name); // on the command line or by environment
bool options_flag(const struct options *o, const char *name);
const char *options_text(const struct options *o, const char *name);
int options_int(const struct options *o, const char *name); // limits of the table within int
int64_t options_int64(const struct options *o, const char *name);
double options_real(const struct options *o, const char *name);
int options_threads(const struct options *o, int most); // --threads, else one a core
const char *const *options_list(const struct options *o, const char *name, int *count);

/* Which of `names` (ended by NULL) option `name` has; STATUS_BAD_USAGE lists them. */
MUST_CHECK enum status option_choice(const struct options *o, const char *name,
                                     const char *const *names, int *found, struct error *err);

int options_operand_count(const struct options *o);
const char *options_operand(const struct options *o, int i);

/* STATUS_BAD_USAGE naming the first of these (a NULL ends them) that is missing. */
MUST_CHECK enum status options_need(const struct options *o, struct error *err, ...)
    __attribute__((sentinel));

/* The table as text: a line or more for each option, folded at 80 columns. */
void options_print(const struct option_spec *specs, FILE *out);

/* The words of a text in lines of at most 80 columns, all but the first starting at `indent`;
 * the first line has `column` columns already. */
void print_folded(const char *text, int indent, int column, FILE *out);

/* Of `count` names the one that `word` was probably meant to be; NULL if none is near. */
const char *nearest_name(const char *word, const char *const *names, int count);

/* ---- what a program ends with ---- */

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,        // something failed that may work another time: memory, a disk, a socket
    EXIT_USAGE = 2,         // the command line is wrong
    EXIT_BAD_INPUT = 3,     // a text or corpus is not what it should be, or over a limit
    EXIT_BAD_FILE = 4,      // a model, vocabulary or database is damaged or of another version
    EXIT_NOT_FOUND = 5,     // a file, model or language pair that is not there
    EXIT_DIVERGED = 6,      // training produced numbers that are not finite
    EXIT_INTERRUPTED = 130, // Ctrl-C; 143 for SIGTERM
};

enum exit_code exit_code_of(enum status status);

/* For the end of a command: what went wrong on standard error as "verso NAME: ...", the exit code
 * as result. Nothing is said of STATUS_OK and STATUS_CANCELLED. */
int options_finish(const struct options *o, enum status status, const struct error *err);

/* Before that: what was printed has to be written too. `status` as it came, if it is not OK. */
MUST_CHECK enum status output_flush(enum status status, struct error *err);

/* A whole command with memory of its own, more than a stack should hold: `bytes` of it, zeroed, go
 * to `run` and, however that ended, to `release` (NULL: they hold nothing). Returns the exit
 * code. */
int options_run(const struct options *o, size_t bytes,
                enum status (*run)(void *state, const struct options *o, struct error *err),
                void (*release)(void *state));

#endif
