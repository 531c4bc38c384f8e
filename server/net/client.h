/*
 * client.h - what the rest of the server sees of a connection.
 *
 *     client->reply(client, &reply);                       // answer a message at once, or
 *     client_wait(client, &call->ticket, number, on_gone); // hold a ticket while it is worked on,
 *     client_answer(&call->ticket, &reply);                // and answer then
 *
 * When the client leaves first, on_gone is called and answering does nothing:
 * whoever works on a message never holds a connection. Loop thread only; no
 * libuv here, so that tests can be clients.
 */
#ifndef SERVER_NET_CLIENT_H
#define SERVER_NET_CLIENT_H

#include "server/net/address.h"
#include "server/protocol/protocol.h"

struct ticket;

struct client {
    void (*reply)(struct client *client, const struct reply *reply);
    void (*part)(struct client *client, uint64_t number, struct slice bytes, bool is_last);
    struct ticket *tickets; // messages being worked on
    struct address peer;    // the other end of the connection: the client's, or a proxy's
};

struct ticket {
    struct client *client; // NULL: answered, or gone
    uint64_t number;       // of the message
    void (*on_gone)(struct ticket *ticket);
    struct ticket *next, *previous;
};

/* Who answers the messages of all connections. */
struct handler {
    void (*message)(struct handler *handler, struct client *client, const struct message *message);
};

void client_wait(struct client *client, struct ticket *ticket, uint64_t number,
                 void (*on_gone)(struct ticket *ticket));
/* reply->number is filled in here. */
void client_answer(struct ticket *ticket, struct reply *reply);
/* A reply in parts: its beginning, and more of it; with the last it is answered. */
void client_begin(struct ticket *ticket, struct reply *reply);
void client_part(struct ticket *ticket, struct slice bytes, bool is_last);
/* It is no longer waited with: the message may be answered at once, or held anew. */
void client_resume(struct ticket *ticket);
void client_gone(struct client *client);

#endif
