/*
 * real_server.h - the real "verso serve" on a free port, with tiny models and a tiny detector.
 *
 *     struct real_server server;
 *     real_server_start(&server, "--beam 5");
 *     ... server.port ...
 *     real_server_stop(&server);
 */
#ifndef TESTS_SERVER_CLIENT_REAL_SERVER_H
#define TESTS_SERVER_CLIENT_REAL_SERVER_H

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/helpers.h"
#include "tests/tiny_detector.h"
#include "tests/tiny_model.h"

#define START_TRIES 6000 // of 10 ms: sanitizers are slow

struct real_server {
    char folder[64];
    pid_t process;
    int port;
};

static inline void real_server_model(const char *folder, const char *source, const char *target,
                                     uint64_t seed)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s-%s.safetensors", folder, source, target);
    write_tiny_model(path, source, target, seed);
}

/* The port of the event "listening" in its log; 0 while there is none. */
static inline int real_server_port(const struct real_server *server)
{
    char path[128], log[8192];
    snprintf(path, sizeof path, "%s/log", server->folder);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    const char *event = strstr(log, "\"listening\""), *port;
    const char *end = event ? strchr(event, '\n') : NULL;
    if (!end || !(port = strstr(event, "\"port\":")) || port > end)
        return 0;
    return atoi(port + strlen("\"port\":"));
}

/* `words` is a part of a shell's command line. */
static inline void real_server_run(struct real_server *server, const char *words)
{
    char command[1024];
    snprintf(command, sizeof command,
             "exec '%s/verso' serve --models '%s' --database '%s/verso.db' --port 0 --threads 2 %s "
             "2> '%s/log'",
             PROGRAMS_DIR, server->folder, server->folder, words, server->folder);
    server->process = fork();
    ck_assert_int_ge(server->process, 0);
    if (server->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that fails leaves nothing behind
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    server->port = 0;
    for (int i = 0; i < START_TRIES && server->port == 0; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        server->port = real_server_port(server);
        ck_assert_int_eq(waitpid(server->process, NULL, WNOHANG), 0);
    }
    ck_assert_int_gt(server->port, 0);
}

static inline void real_server_start(struct real_server *server, const char *words)
{
    char path[128];
    make_folder(server->folder);
    real_server_model(server->folder, "en", "fr", 2);
    real_server_model(server->folder, "fr", "en", 3);
    real_server_model(server->folder, "en", "de", 4);
    snprintf(path, sizeof path, "%s/detect.safetensors", server->folder);
    write_tiny_detector(path, "[\"en\",\"fr\",\"und\"]", 3);
    real_server_run(server, words);
}

static inline void real_server_end(struct real_server *server)
{
    int status;
    ck_assert_int_eq(kill(server->process, SIGTERM), 0);
    ck_assert_int_eq(waitpid(server->process, &status, 0), server->process);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline void real_server_stop(struct real_server *server)
{
    real_server_end(server);
    remove_folder(server->folder);
}

#endif
