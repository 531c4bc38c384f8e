/*
 * address.h - where a client is.
 *
 *     struct address peer;
 *     if (!address_read("192.0.2.7", 9, &peer)) ...
 *     char name[ADDRESS_NAME_BYTES];
 *     address_name(&peer, name);              // "192.0.2.7"; of IPv6 "2001:db8:1:2::/64"
 *
 * An IPv4 address is kept as IPv6 maps it, so that there is one of each.
 */
#ifndef SERVER_NET_ADDRESS_H
#define SERVER_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_NAME_BYTES 64

struct sockaddr;

struct address {
    unsigned char bytes[16]; // all 0: not known
};

/* "192.0.2.7", "2001:db8::1" or "[2001:db8::1]", each perhaps with a port (in IPv6 only behind the
 * bracket). False: it is none. */
bool address_read(const char *text, size_t len, struct address *out);
struct address address_of_socket(const struct sockaddr *socket);
bool address_equals(const struct address *a, const struct address *b);
/* Who it is as far as limits go: of IPv6 the network, as a client chooses among its 2^64. */
void address_name(const struct address *address, char out[ADDRESS_NAME_BYTES]);

#endif
