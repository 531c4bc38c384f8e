/*
 * caller.h - who asks, and what that allows.
 *
 *     { "GET", "/v1/links", get_links, .scope = SCOPE_READ },
 *     ... journal_list(db, x->caller.rows, ...) ...
 *
 * routes_answer() fills in the caller of an exchange and refuses a route whose
 * scope it lacks before the route's function runs; access.h has the rules.
 */
#ifndef SERVER_HTTP_CALLER_H
#define SERVER_HTTP_CALLER_H

#include "server/net/address.h"

/* What a route asks for: none or one of them. A key has the sum of its own, as in the database. */
enum scope {
    SCOPE_NONE = 0,
    SCOPE_TRANSLATE = 1, // translate, align, detect, suggest
    SCOPE_READ = 2,      // what was stored
    SCOPE_ADMIN = 4,     // everybody's rows, reloading, suggestions, metrics
    SCOPE_DELETE = 8,    // what was stored; every admin may, and whoever --public-history lets
};

#define ROWS_OF_ALL (-1)

struct caller {
    long long key_id; // 0: without a key
    unsigned scopes;
    long long rows;                   // the key whose rows it may read and delete, or ROWS_OF_ALL
    char address[ADDRESS_NAME_BYTES]; // whose it is as far as limits go (proxies.h)
};

#endif
