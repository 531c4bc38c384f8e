/* address.c - where a client is. */
#include "server/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff }; // of IPv4

static bool is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static bool is_port(const char *text)
{
    const size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 5 && text[digits] == '\0';
}

/* Cuts the brackets and the port off: "[::1]:80" and "192.0.2.7:80". Where the host begins; NULL:
 * what is left over is no port. */
static char *cut_host(char *text)
{
    char *port = strchr(text, ':');
    char *host = text;
    if (text[0] == '[') {
        char *end = strchr(text, ']');
        if (!end)
            return NULL;
        host = text + 1;
        port = end[1] ? end + 1 : NULL;
        *end = '\0';
        if (port && *port != ':')
            return NULL;
    } else if (port && strchr(port + 1, ':')) {
        port = NULL; // the colons are IPv6's own
    }
    if (!port)
        return host;
    *port = '\0';
    return is_port(port + 1) ? host : NULL;
}

bool address_read(const char *text, size_t len, struct address *out)
{
    char copy[ADDRESS_NAME_BYTES];
    struct address found = { 0 };
    if (len >= sizeof copy || memchr(text, '\0', len))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    const char *host = cut_host(copy);
    if (!host)
        return false;
    memcpy(found.bytes, mapped, sizeof mapped);
    if (text[0] == '[' || inet_pton(AF_INET, host, found.bytes + sizeof mapped) != 1)
        if (inet_pton(AF_INET6, host, found.bytes) != 1)
            return false;
    *out = found;
    return true;
}

struct address address_of_socket(const struct sockaddr *socket)
{
    struct address address = { 0 };
    if (socket->sa_family == AF_INET6) {
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr, 16);
    } else if (socket->sa_family == AF_INET) {
        memcpy(address.bytes, mapped, sizeof mapped);
        memcpy(address.bytes + sizeof mapped,
               &((const struct sockaddr_in *)(const void *)socket)->sin_addr, 4);
    }
    return address;
}

bool address_equals(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void address_name(const struct address *address, char out[ADDRESS_NAME_BYTES])
{
    struct address network = *address;
    if (is_ipv4(address)) {
        inet_ntop(AF_INET, address->bytes + sizeof mapped, out, ADDRESS_NAME_BYTES);
        return;
    }
    memset(network.bytes + 8, 0, 8);
    inet_ntop(AF_INET6, network.bytes, out, ADDRESS_NAME_BYTES);
    snprintf(out + strlen(out), ADDRESS_NAME_BYTES - strlen(out), "/64");
}
