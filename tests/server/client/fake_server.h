/*
 * fake_server.h - a server that says what it is told to, whatever it is asked.
 *
 *     struct fake fake;
 *     fake_start(&fake);
 *     fake_say(&fake, bytes, len, true);      // to each request from now on; then it closes
 *     ... fake.port, fake_connections(&fake) ...
 *     fake_stop(&fake);                        // once its clients are gone
 *
 * It serves one connection after the other, on a thread of its own.
 */
#ifndef TESTS_SERVER_CLIENT_FAKE_SERVER_H
#define TESTS_SERVER_CLIENT_FAKE_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "tests/helpers.h"

#define FAKE_REQUEST_BYTES 65536
#define FAKE_REPLY_BYTES 131072

struct fake {
    int listener, port;
    pthread_t thread;
    pthread_mutex_t lock; // of what follows
    char reply[FAKE_REPLY_BYTES];
    size_t len;
    bool closes;
    int connections, requests;
};

/* Whether there was a request, and not the connection's end. */
static inline bool fake_read_request(int fd)
{
    static char bytes[FAKE_REQUEST_BYTES];
    size_t len = 0, wanted = 0;
    while (wanted == 0 || len < wanted) {
        const ssize_t got = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        bytes[len] = '\0';
        const char *end = strstr(bytes, "\r\n\r\n"), *length = strstr(bytes, "Content-Length: ");
        if (end)
            wanted = (size_t)(end + 4 - bytes) + (length ? (size_t)atoi(length + 16) : 0);
    }
    return true;
}

/* Whether the connection stays. */
static inline bool fake_answer(struct fake *fake, int fd)
{
    if (!fake_read_request(fd))
        return false;
    pthread_mutex_lock(&fake->lock);
    fake->requests++;
    const bool sent = send(fd, fake->reply, fake->len, MSG_NOSIGNAL) == (ssize_t)fake->len;
    const bool stays = sent && !fake->closes;
    pthread_mutex_unlock(&fake->lock);
    return stays;
}

static inline void *fake_run(void *context)
{
    struct fake *fake = context;
    int fd;
    while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&fake->lock);
        fake->connections++;
        pthread_mutex_unlock(&fake->lock);
        while (fake_answer(fake, fd))
            ;
        close(fd);
    }
    return NULL;
}

static inline void fake_start(struct fake *fake)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof address;
    memset(fake, 0, sizeof *fake);
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fake->listener, 0);
    ck_assert_int_eq(bind(fake->listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fake->listener, 16), 0);
    ck_assert_int_eq(getsockname(fake->listener, (struct sockaddr *)&address, &len), 0);
    fake->port = ntohs(address.sin_port);
    pthread_mutex_init(&fake->lock, NULL);
    ck_assert_int_eq(pthread_create(&fake->thread, NULL, fake_run, fake), 0);
}

static inline void fake_say(struct fake *fake, const char *bytes, size_t len, bool closes)
{
    ck_assert_uint_le(len, sizeof fake->reply);
    pthread_mutex_lock(&fake->lock);
    memcpy(fake->reply, bytes, len);
    fake->len = len;
    fake->closes = closes;
    pthread_mutex_unlock(&fake->lock);
}

static inline int fake_connections(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    const int connections = fake->connections;
    pthread_mutex_unlock(&fake->lock);
    return connections;
}

static inline void fake_stop(struct fake *fake)
{
    shutdown(fake->listener, SHUT_RDWR); // accept() returns
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    pthread_mutex_destroy(&fake->lock);
}

#endif
