/* client.c - what the rest of the server sees of a connection. */
#include "server/net/client.h"

#include <assert.h>

void client_wait(struct client *client, struct ticket *ticket, uint64_t number,
                 void (*on_gone)(struct ticket *ticket))
{
    *ticket = (struct ticket){
        .client = client,
        .number = number,
        .on_gone = on_gone,
        .next = client->tickets,
    };
    if (ticket->next)
        ticket->next->previous = ticket;
    client->tickets = ticket;
}

static void unlink_ticket(struct ticket *ticket)
{
    if (ticket->next)
        ticket->next->previous = ticket->previous;
    if (ticket->previous)
        ticket->previous->next = ticket->next;
    else
        ticket->client->tickets = ticket->next;
    ticket->client = NULL;
    ticket->next = ticket->previous = NULL;
}

void client_resume(struct ticket *ticket)
{
    if (ticket->client)
        unlink_ticket(ticket);
}

void client_answer(struct ticket *ticket, struct reply *reply)
{
    struct client *client = ticket->client;
    if (!client)
        return;
    unlink_ticket(ticket);
    reply->number = ticket->number;
    client->reply(client, reply);
}

void client_begin(struct ticket *ticket, struct reply *reply)
{
    if (!ticket->client)
        return;
    reply->number = ticket->number;
    ticket->client->reply(ticket->client, reply);
}

void client_part(struct ticket *ticket, struct slice bytes, bool is_last)
{
    struct client *client = ticket->client;
    if (!client)
        return;
    if (is_last)
        unlink_ticket(ticket);
    client->part(client, ticket->number, bytes, is_last);
}

void client_gone(struct client *client)
{
    while (client->tickets) {
        struct ticket *ticket = client->tickets;
        unlink_ticket(ticket);
        ticket->on_gone(ticket);
    }
}
