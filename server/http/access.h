/*
 * access.h - who may do what.
 *
 *     struct access *access;
 *     status = access_open(&access, &options, db, &err);    // reads the keys
 *     status = access_follow(access, background, &err);     // and again when they change
 *     if (access_admits(x)) x->route->answer(x);            // else it has been answered
 *     access_free(access);
 *
 * A key is sent as "Authorization: Bearer KEY", on LibreTranslate's paths also
 * as its api_key, in lines as "#!key KEY". Keys are checked in memory; the
 * table is looked at each second, so a key that was revoked is good for a
 * second or two at most. A key that is sent must be good, but for LibreTranslate's
 * paths of a server that has given out none. Who has no key may
 *
 *     keys required                      nothing that has a scope
 *     bound to loopback, known by its    everything: whoever is on this machine
 *       loopback names alone, and told
 *       of no proxy
 *     beyond that                        translate; with --public-history also
 *                                        read and delete what was stored
 *
 * What was stored is only given to requests whose Host is one that the server
 * was told, loopback, or the address it is bound to (with 0.0.0.0, any
 * address), and never to a page of another origin. Loop thread only.
 */
#ifndef SERVER_HTTP_ACCESS_H
#define SERVER_HTTP_ACCESS_H

#include <stdbool.h>
#include "server/http/exchange.h"
#include "server/store/db.h"

#define ACCESS_REFRESH_MS 1000

struct background;

struct access_options {
    bool keys_required;
    bool public_history;
    int rate; // requests a minute of an address, or of a key without its own; 0: any
    const char *const *allowed_hosts; // (allowed_host_count) as hosts.h has them, borrowed
    int allowed_host_count;
    const char *const *trusted_proxies; // (trusted_proxy_count) as proxies.h has them, borrowed
    int trusted_proxy_count;
};

struct access;

MUST_CHECK enum status access_open(struct access **out, const struct access_options *options,
                                   struct db *db, struct error *err);
void access_free(struct access *access); // NULL is fine
/* The address that is listened on, without port. Until it is said all can reach us. */
void access_listens(struct access *access, const char *address);
MUST_CHECK enum status access_follow(struct access *access, struct background *background,
                                     struct error *err);

/* Fills in x->caller for x->route. False: the request was refused, and answered. */
bool access_admits(struct exchange *x);
/* "#!key KEY": answered by nothing, or by an error. */
void access_identify(struct exchange *x);

bool access_keys_required(const struct access *access);
bool access_has_keys(const struct access *access);

#endif
