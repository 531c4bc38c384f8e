/*
 * train_program.h - run the real verso-train on a corpus of a few words, and look at what it says
 * and leaves.
 *
 *     begin();
 *     ck_assert_int_eq(train(in_folder("m"), "--epochs", "1"), EXIT_OK);
 *     assert_told("validation loss");
 *     remove_folder(folder);
 */
#ifndef TESTS_SERVER_CMD_TRAIN_PROGRAM_H
#define TESTS_SERVER_CMD_TRAIN_PROGRAM_H

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/rng.h"
#include "server/cmd/options.h"
#include "tests/helpers.h"
#include "tests/model/same_tensors.h"

#define PROGRAM PROGRAMS_DIR "/verso-train"
#define ARGUMENTS_MAX 64

static char folder[64];
static char told[20000]; // what the program last said, both streams

static inline const char *in_folder(const char *name)
{
    static char paths[16][128];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

/* Lines of two to five words, each word with its translation in the same place. */
static inline void write_corpus(const char *path, int lines, uint64_t seed, const char *bad_line)
{
    static const char *const words[][2] = {
        { "one", "un" },    { "two", "deux" },     { "three", "trois" }, { "red", "rouge" },
        { "blue", "bleu" }, { "house", "maison" }, { "cat", "chat" },    { "dog", "chien" },
    };
    struct rng rng = rng_make(seed, 0);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < lines; i++) {
        char source[100] = "", target[100] = "";
        for (int k = 2 + (int)rng_below(&rng, 4); k > 0; k--) {
            const char *const *word = words[rng_below(&rng, 8)];
            strcat(strcat(source, word[0]), k > 1 ? " " : "");
            strcat(strcat(target, word[1]), k > 1 ? " " : "");
        }
        fprintf(file, "%s\t%s\n", source, target);
        if (bad_line && i == 5)
            fprintf(file, "%s\n", bad_line);
    }
    fclose(file);
}

static inline void begin(void)
{
    make_folder(folder);
    write_corpus(in_folder("train.tsv"), 240, 1, NULL);
    write_corpus(in_folder("valid.tsv"), 24, 2, NULL);
}

static inline pid_t start(char *const *arguments)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    int out = open(in_folder("told"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(out, 1);
    dup2(out, 2);
    execv(PROGRAM, arguments);
    _exit(127);
}

static inline int finish(pid_t pid)
{
    int ended;
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    int file = open(in_folder("told"), O_RDONLY);
    ssize_t len = read(file, told, sizeof told - 1);
    told[len > 0 ? len : 0] = '\0';
    close(file);
    ck_assert_msg(WIFEXITED(ended), "killed by signal %d: %s", WTERMSIG(ended), told);
    return WEXITSTATUS(ended);
}

/* The arguments of a small training, with more behind them up to a NULL. */
static inline pid_t start_training(const char *out, const char *more, ...)
{
    const char *arguments[ARGUMENTS_MAX] = {
        PROGRAM,
        "train",
        "--source",
        "en",
        "--target",
        "fr",
        "--train",
        in_folder("train.tsv"),
        "--valid",
        in_folder("valid.tsv"),
        "--out",
        out,
        "--vocab-size",
        "300",
        "--embedding",
        "6",
        "--hidden",
        "8",
        "--attention-width",
        "6",
        "--batch-sentences",
        "16",
        "--warmup",
        "10",
        "--bleu-sentences",
        "8",
        "--threads",
        "2",
    };
    int count = 0;
    while (arguments[count])
        count++;
    va_list list;
    va_start(list, more);
    for (; more; more = va_arg(list, const char *))
        arguments[count++] = more;
    va_end(list);
    return start((char *const *)arguments);
}

#define train(...) finish(start_training(__VA_ARGS__, NULL))

static inline void assert_told(const char *part)
{
    ck_assert_msg(strstr(told, part), "\"%s\" is not in: %s", part, told);
}

static inline void pause_ms(long ms)
{
    const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

#endif
