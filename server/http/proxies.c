/* proxies.c - who asks through a proxy that is trusted to say so. */
#include "server/http/proxies.h"

#include <string.h>

#include "base/memory.h"

struct proxies {
    int count;
    struct address at[PROXIES_MAX];
};

enum status proxies_new(struct proxies **out, const char *const *addresses, int count,
                        struct error *err)
{
    *out = NULL;
    if (count > PROXIES_MAX)
        return error_set(err, STATUS_BAD_USAGE, "at most %d proxies can be trusted", PROXIES_MAX);
    struct proxies *proxies = memory_zeroed(1, sizeof *proxies);
    if (!proxies)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the addresses of proxies");
    for (int i = 0; i < count; i++)
        if (!address_read(addresses[i], strlen(addresses[i]), &proxies->at[proxies->count++])) {
            proxies_free(proxies);
            return error_set(err, STATUS_BAD_USAGE,
                             "\"%s\" is no address of a proxy; give one like 192.0.2.7 or "
                             "2001:db8::1",
                             addresses[i]);
        }
    *out = proxies;
    return STATUS_OK;
}

void proxies_free(struct proxies *proxies)
{
    memory_free(proxies);
}

bool proxies_are_none(const struct proxies *proxies)
{
    return proxies->count == 0;
}

static bool is_proxy(const struct proxies *proxies, const struct address *peer)
{
    for (int i = 0; i < proxies->count; i++)
        if (address_equals(&proxies->at[i], peer))
            return true;
    return false;
}

/* "a, b, c" is c. */
static struct slice last_entry(struct slice list)
{
    size_t from = list.len, to = list.len;
    while (from > 0 && list.at[from - 1] != ',')
        from--;
    while (from < to && (list.at[from] == ' ' || list.at[from] == '\t'))
        from++;
    while (to > from && (list.at[to - 1] == ' ' || list.at[to - 1] == '\t'))
        to--;
    return (struct slice){ list.at + from, to - from };
}

void proxies_client(const struct proxies *proxies, const struct address *peer,
                    struct slice forwarded_for, char out[ADDRESS_NAME_BYTES])
{
    struct address client = *peer;
    if (forwarded_for.at && is_proxy(proxies, peer)) {
        const struct slice entry = last_entry(forwarded_for);
        if (!address_read(entry.at, entry.len, &client))
            client = *peer;
    }
    address_name(&client, out);
}
