/*
 * hosts.h - by which names a browser may know this server.
 *
 *     struct hosts *hosts;
 *     status = hosts_new(&hosts, (const char *[]){ "verso.example" }, 1, &err);
 *     hosts_listen(hosts, "127.0.0.1");                     // once that is known
 *     if (!hosts_know(hosts, message->host)) ...
 *     hosts_free(hosts);
 *
 * A page may have its own name point at our address (DNS rebinding), and is
 * then of the same origin as far as its browser can tell; but it cannot choose
 * the Host. So known are loopback's names, those that the server was told, and
 * the address it listens on: with 0.0.0.0 or :: any address, for an address is
 * no name that could be pointed elsewhere.
 */
#ifndef SERVER_HTTP_HOSTS_H
#define SERVER_HTTP_HOSTS_H

#include <stdbool.h>
#include "base/status.h"
#include "server/protocol/protocol.h"

#define HOSTS_MAX 64
#define HOST_BYTES 256 // of a name with its NUL

struct hosts;

/* names: (count) as in a URL, without port; copied. */
MUST_CHECK enum status hosts_new(struct hosts **out, const char *const *names, int count,
                                 struct error *err);
void hosts_free(struct hosts *hosts); // NULL is fine

/* An address without port. Until then the server counts as one that all can reach. */
void hosts_listen(struct hosts *hosts, const char *address);
/* Only this machine can ask: it listens on a loopback address and was told no other name, by which
 * a proxy may be asked. */
bool hosts_are_loopback(const struct hosts *hosts);

/* host: as in a Host field, "localhost:5000". */
bool hosts_know(const struct hosts *hosts, struct slice host);
/* origin: "http://localhost:5000". */
bool hosts_same_origin(struct slice origin, struct slice host);

#endif
