/*
 * service_manager.h - what systemd, or whatever speaks its two plain protocols, and a server say to
 * each other.
 *
 *     status = manager_socket(&fd, &err);             // -1: none was passed, bind one
 *     manager_tell("READY=1");                        // nothing where nobody listens
 *     uint64_t ms = manager_watchdog_ms();            // 0: no watchdog
 *
 * The environment is the interface: LISTEN_FDS and LISTEN_PID for a socket that
 * is bound and listening already, as file descriptor 3, NOTIFY_SOCKET for what
 * the server says of itself, WATCHDOG_USEC and WATCHDOG_PID for how often it
 * must say that it is alive. systemd's libraries are not needed.
 */
#ifndef SERVER_CMD_SERVICE_MANAGER_H
#define SERVER_CMD_SERVICE_MANAGER_H

#include <stdint.h>
#include "base/status.h"

/* *fd is -1 where none was passed. More than one, or one that is no listening TCP socket, is
 * STATUS_BAD_USAGE. */
MUST_CHECK enum status manager_socket(int *fd, struct error *err);

/* Lines of NAME=value. One that cannot be sent is nobody's loss. */
void manager_tell(const char *state);
/* "RELOADING=1", with the time, as systemd wants it; READY=1 ends it. */
void manager_tell_reloading(void);

/* How often to say WATCHDOG=1: half of what the manager waits for. */
uint64_t manager_watchdog_ms(void);

#endif
