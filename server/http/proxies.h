/*
 * proxies.h - who asks through a proxy that is trusted to say so.
 *
 *     struct proxies *proxies;
 *     status = proxies_new(&proxies, (const char *[]){ "10.0.0.5" }, 1, &err);
 *     char who[ADDRESS_NAME_BYTES];
 *     proxies_client(proxies, &client->peer, message->forwarded_for, who);
 *     proxies_free(proxies);
 *
 * Anybody can send an X-Forwarded-For. It is read only on a connection that
 * comes from one of these addresses, and of it only the last entry, which that
 * proxy has added: what stands before it is the client's own word.
 */
#ifndef SERVER_HTTP_PROXIES_H
#define SERVER_HTTP_PROXIES_H

#include "base/status.h"
#include "server/net/address.h"
#include "server/protocol/protocol.h"

#define PROXIES_MAX 64

struct proxies;

/* addresses: (count) "192.0.2.7" or "2001:db8::1"; copied. */
MUST_CHECK enum status proxies_new(struct proxies **out, const char *const *addresses, int count,
                                   struct error *err);
void proxies_free(struct proxies *proxies); // NULL is fine

bool proxies_are_none(const struct proxies *proxies);
/* By which name limits know the client: the last of forwarded_for if that is an address and the
 * peer a proxy, else the peer. */
void proxies_client(const struct proxies *proxies, const struct address *peer,
                    struct slice forwarded_for, char out[ADDRESS_NAME_BYTES]);

#endif
