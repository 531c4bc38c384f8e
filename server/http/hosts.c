/* hosts.c - by which names a browser may know this server. */
#include "server/http/hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

struct hosts {
    char names[HOSTS_MAX][HOST_BYTES];
    int count;
    char listens[HOST_BYTES]; // "": not known yet
};

/* Lower case, without port, brackets and the dot that may end a name. False: it is none. */
static bool read_host(struct slice text, char out[HOST_BYTES])
{
    struct slice host = text;
    if (host.len > 0 && host.at[0] == '[') {
        const char *end = memchr(host.at, ']', host.len);
        if (!end)
            return false;
        host = (struct slice){ host.at + 1, (size_t)(end - host.at - 1) };
    } else {
        const char *colon = memchr(host.at, ':', host.len);
        if (colon)
            host.len = (size_t)(colon - host.at);
    }
    if (host.len > 0 && host.at[host.len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.len >= HOST_BYTES)
        return false;
    for (size_t i = 0; i < host.len; i++)
        out[i] = (char)tolower((unsigned char)host.at[i]);
    out[host.len] = '\0';
    return true;
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static bool is_loopback_address(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_loopback(const char *host)
{
    static const char ending[] = ".localhost";
    const size_t len = strlen(host), ending_len = sizeof ending - 1;
    return strcmp(host, "localhost") == 0 ||
           (len > ending_len && strcmp(host + len - ending_len, ending) == 0) ||
           is_loopback_address(host);
}

static bool is_any_address(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

enum status hosts_new(struct hosts **out, const char *const *names, int count, struct error *err)
{
    *out = NULL;
    if (count > HOSTS_MAX)
        return error_set(err, STATUS_BAD_USAGE, "at most %d names can be allowed", HOSTS_MAX);
    struct hosts *hosts = memory_zeroed(1, sizeof *hosts);
    if (!hosts)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the names of hosts");
    for (int i = 0; i < count; i++) {
        const struct slice name = { names[i], strlen(names[i]) };
        char *copy = hosts->names[hosts->count++];
        if (is_address(names[i]))
            snprintf(copy, HOST_BYTES, "%s", names[i]);
        else if (!read_host(name, copy)) {
            hosts_free(hosts);
            return error_set(
                err, STATUS_BAD_USAGE,
                "\"%s\" is no name of a host; give one like verso.example or 192.0.2.7", names[i]);
        }
    }
    *out = hosts;
    return STATUS_OK;
}

void hosts_free(struct hosts *hosts)
{
    memory_free(hosts);
}

void hosts_listen(struct hosts *hosts, const char *address)
{
    snprintf(hosts->listens, sizeof hosts->listens, "%s", address);
}

bool hosts_are_loopback(const struct hosts *hosts)
{
    for (int i = 0; i < hosts->count; i++)
        if (!is_loopback(hosts->names[i]))
            return false;
    return is_loopback_address(hosts->listens);
}

bool hosts_know(const struct hosts *hosts, struct slice text)
{
    char host[HOST_BYTES];
    if (!read_host(text, host))
        return false;
    for (int i = 0; i < hosts->count; i++)
        if (strcmp(hosts->names[i], host) == 0)
            return true;
    return is_loopback(host) || strcmp(hosts->listens, host) == 0 ||
           (is_any_address(hosts->listens) && is_address(host));
}

bool hosts_same_origin(struct slice origin, struct slice host)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (int i = 0; i < 2; i++) {
        const size_t len = strlen(schemes[i]);
        if (origin.len == len + host.len && strncasecmp(origin.at, schemes[i], len) == 0 &&
            strncasecmp(origin.at + len, host.at, host.len) == 0)
            return true;
    }
    return false;
}
