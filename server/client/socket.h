/*
 * socket.h - a connection whose every operation ends by a time.
 *
 * Times are milliseconds of verso_socket_now(). Looking up a host's name is
 * the system's and takes as long as it does.
 */
#ifndef SERVER_CLIENT_SOCKET_H
#define SERVER_CLIENT_SOCKET_H

#include <stdint.h>

#include "server/client/verso_client.h"

int64_t verso_socket_now(void);

/* *out is -1 on failure. */
enum verso_status verso_socket_connect(int *out, const char *host, int port, int64_t deadline,
                                       struct verso_error *err);
/* Sends all of it, or *is_cut: the server answers or closes before it has read all. */
enum verso_status verso_socket_send(int fd, const char *bytes, size_t len, int64_t deadline,
                                    bool *is_cut, struct verso_error *err);
/* *len is 0 when the server has closed the connection. */
enum verso_status verso_socket_receive(int fd, char *out, size_t size, size_t *len,
                                       int64_t deadline, struct verso_error *err);
/* Whether it is open, and nothing has come that nobody asked for. */
bool verso_socket_is_idle(int fd);

#endif
