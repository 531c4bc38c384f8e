/*
 * program.h - run the real program on real files, and look at all it says.
 *
 *     struct said said = run_verso("translate --model '%s'", "one\ntwo\n", 8);
 *     ck_assert_int_eq(said.code, 0);
 *     said_release(&said);
 *
 * Input and output are files in `program_folder`, made by program_setup.
 */
#ifndef TESTS_SERVER_CMD_PROGRAM_H
#define TESTS_SERVER_CMD_PROGRAM_H

#include "tests/helpers.h"

#include <stdarg.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "tests/tiny_model.h"

#define SAID_BYTES_MAX ((size_t)64 << 20)
#define COMMAND_BYTES 1024

static char program_folder[64];
static char program_model[128]; // a tiny one, en to fr

struct said {
    struct bytes out, errors; // data is never NULL
    int code;                 // exit code
};

static inline void program_setup(void)
{
    make_folder(program_folder);
    snprintf(program_model, sizeof program_model, "%s/en-fr.safetensors", program_folder);
    write_tiny_model(program_model, "en", "fr", 1);
}

static inline void program_teardown(void)
{
    remove_folder(program_folder);
}

static inline void program_write(const char *name, const char *data, size_t len)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", program_folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, len, file), len);
    ck_assert_int_eq(fclose(file), 0);
}

static inline void program_read(const char *name, struct bytes *out)
{
    char path[192];
    struct error err;
    bytes_init(out, SAID_BYTES_MAX);
    snprintf(path, sizeof path, "%s/%s", program_folder, name);
    assert_ok(bytes_read_file(out, path, &err), err);
    ck_assert(bytes_append(out, "", 0) && bytes_reserve(out, 1));
    out->data[out->len] = '\0';
}

/* The words after "verso" are a shell's; they run in program_folder. */
static inline struct said run_verso(const char *words, const char *input, size_t len)
{
    struct said said;
    char command[COMMAND_BYTES];
    program_write("in", input, len);
    int wanted = snprintf(command, sizeof command, "cd '%s' && '%s/verso' %s < in > out 2> errors",
                          program_folder, PROGRAMS_DIR, words);
    ck_assert_int_lt(wanted, (int)sizeof command);
    int status = system(command);
    ck_assert(WIFEXITED(status));
    said.code = WEXITSTATUS(status);
    program_read("out", &said.out);
    program_read("errors", &said.errors);
    return said;
}

static inline void said_release(struct said *said)
{
    bytes_release(&said->out);
    bytes_release(&said->errors);
}

static inline int count_lines(const struct bytes *text)
{
    int count = 0;
    for (size_t i = 0; i < text->len; i++)
        count += text->data[i] == '\n';
    return count;
}

struct mistake { // in the words behind "verso"
    const char *words, *says;
    int code;
};

/* Each is said on standard error, and nothing on standard output. */
static inline void assert_mistakes(const struct mistake *mistakes, size_t count, const char *input)
{
    for (size_t i = 0; i < count; i++) {
        struct said said = run_verso(mistakes[i].words, input, strlen(input));
        ck_assert_msg(said.code == mistakes[i].code && strstr(said.errors.data, mistakes[i].says),
                      "verso %s: code %d, %s", mistakes[i].words, said.code, said.errors.data);
        ck_assert_msg(said.out.len == 0, "verso %s: %s", mistakes[i].words, said.out.data);
        said_release(&said);
    }
}

#endif
