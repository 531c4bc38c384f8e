/* service_manager.c - two plain protocols: a socket that is passed, and lines in a datagram. */
#include "server/cmd/service_manager.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define FIRST_FD 3 // passed sockets begin here

/* 0: not there, or no number. */
static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* ---- a socket ---- */

static bool is_listening_tcp(int fd)
{
    int is_listening = 0;
    struct sockaddr_storage address;
    socklen_t len = sizeof is_listening, address_len = sizeof address;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) != 0 || !is_listening)
        return false;
    if (getsockname(fd, (struct sockaddr *)&address, &address_len) != 0)
        return false;
    return address.ss_family == AF_INET || address.ss_family == AF_INET6;
}

enum status manager_socket(int *fd, struct error *err)
{
    *fd = -1;
    const uint64_t count = number_of("LISTEN_FDS");
    if (count == 0 || number_of("LISTEN_PID") != (uint64_t)getpid())
        return STATUS_OK;
    if (count > 1)
        return error_set(err, STATUS_BAD_USAGE,
                         "%" PRIu64 " sockets were passed: give the socket unit one ListenStream",
                         count);
    if (!is_listening_tcp(FIRST_FD))
        return error_set(
            err, STATUS_BAD_USAGE,
            "the socket that was passed is no listening TCP socket: check ListenStream "
            "and Accept=no");
    fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
    *fd = FIRST_FD;
    return STATUS_OK;
}

/* ---- what the server says ---- */

void manager_tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0'; // a name without a file
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                 (const struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    close(fd);
}

void manager_tell_reloading(void)
{
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_now_ns() / 1000);
    manager_tell(state);
}

uint64_t manager_watchdog_ms(void)
{
    const uint64_t pid = number_of("WATCHDOG_PID");
    if (pid != 0 && pid != (uint64_t)getpid())
        return 0;
    const uint64_t ms = number_of("WATCHDOG_USEC") / 2000;
    return ms > 0 || number_of("WATCHDOG_USEC") == 0 ? ms : 1;
}
