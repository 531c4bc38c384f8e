/* socket.c - connect, send and receive, each with a deadline. */
#include "server/client/socket.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/client/error.h"

#define PORT_BYTES 8

int64_t verso_socket_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum verso_status timed_out(struct verso_error *err)
{
    return verso_error_set(
        err, VERSO_TIMED_OUT,
        "the server has not answered in time: raise timeout_ms, or ask for less");
}

static enum verso_status broken(struct verso_error *err, int number)
{
    return verso_error_set(err, VERSO_UNREACHABLE, "the connection to the server broke: %s",
                           strerror(number));
}

/* Waits until something of `events` is there; *ready is what. */
static enum verso_status wait_for(int fd, short events, int64_t deadline, short *ready,
                                  struct verso_error *err)
{
    struct pollfd wanted = { .fd = fd, .events = events };
    for (;;) {
        const int64_t left = deadline - verso_socket_now();
        if (left <= 0)
            return timed_out(err);
        const int count = poll(&wanted, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (count < 0 && errno != EINTR)
            return broken(err, errno);
        if (count > 0) {
            *ready = wanted.revents;
            return VERSO_OK;
        }
    }
}

static bool would_block(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

/* ---- connecting ---- */

/* *error is 0 once it stands, or why it does not. */
static enum verso_status await_connection(int fd, int64_t deadline, int *error)
{
    socklen_t len = sizeof *error;
    short ready;
    const enum verso_status status = wait_for(fd, POLLOUT, deadline, &ready, NULL);
    if (status == VERSO_OK && getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &len) != 0)
        *error = errno;
    return status;
}

static enum verso_status connect_to(int *out, const struct addrinfo *address, int64_t deadline,
                                    int *reason)
{
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    enum verso_status status = VERSO_OK;
    if (fd < 0) {
        *reason = errno;
        return VERSO_UNREACHABLE;
    }
    *reason = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (*reason == EINPROGRESS || *reason == EINTR)
        status = await_connection(fd, deadline, reason);
    if (status == VERSO_OK && *reason != 0)
        status = VERSO_UNREACHABLE;
    if (status != VERSO_OK) {
        close(fd);
        return status;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); // only slower without
    *out = fd;
    return VERSO_OK;
}

enum verso_status verso_socket_connect(int *out, const char *host, int port, int64_t deadline,
                                       struct verso_error *err)
{
    const struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    char service[PORT_BYTES];
    int reason = 0;
    *out = -1;
    snprintf(service, sizeof service, "%d", port);
    const int failed = getaddrinfo(host, service, &wanted, &list);
    if (failed == EAI_MEMORY)
        return verso_error_set(err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
    if (failed)
        return verso_error_set(err, VERSO_UNREACHABLE, "there is no host \"%s\": %s", host,
                               gai_strerror(failed));
    enum verso_status status = VERSO_UNREACHABLE;
    for (struct addrinfo *a = list; a && status == VERSO_UNREACHABLE; a = a->ai_next)
        status = connect_to(out, a, deadline, &reason);
    freeaddrinfo(list);
    if (status == VERSO_TIMED_OUT)
        return timed_out(err);
    if (status != VERSO_OK)
        return verso_error_set(err, status, "no server answers at %s, port %d: %s", host, port,
                               strerror(reason));
    return VERSO_OK;
}

/* ---- bytes ---- */

enum verso_status verso_socket_send(int fd, const char *bytes, size_t len, int64_t deadline,
                                    bool *is_cut, struct verso_error *err)
{
    *is_cut = false;
    for (size_t at = 0; at < len && !*is_cut;) {
        short ready;
        const enum verso_status status = wait_for(fd, POLLIN | POLLOUT, deadline, &ready, err);
        if (status != VERSO_OK)
            return status;
        const ssize_t sent = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
        if (sent >= 0)
            at += (size_t)sent;
        else if (errno == EPIPE || errno == ECONNRESET)
            *is_cut = true; // what it has said before may still be read
        else if (!would_block(errno))
            return broken(err, errno);
        if (ready & POLLIN)
            *is_cut = true;
    }
    return VERSO_OK;
}

enum verso_status verso_socket_receive(int fd, char *out, size_t size, size_t *len,
                                       int64_t deadline, struct verso_error *err)
{
    for (;;) {
        short ready;
        const enum verso_status status = wait_for(fd, POLLIN, deadline, &ready, err);
        if (status != VERSO_OK)
            return status;
        const ssize_t got = recv(fd, out, size, 0);
        if (got >= 0) {
            *len = (size_t)got;
            return VERSO_OK;
        }
        if (!would_block(errno))
            return broken(err, errno);
    }
}

bool verso_socket_is_idle(int fd)
{
    struct pollfd now = { .fd = fd, .events = POLLIN };
    return poll(&now, 1, 0) == 0;
}
