/*
 * fuzz_links.c - two directions of links from any text: what is read comes back as it was written,
 * and what is joined lies between intersection and union.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/quality/links.h"

#define INPUT_BYTES_MAX 2000

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool within(const struct links *few, const struct links *many)
{
    for (int i = 0; i < few->count; i++)
        if (!links_have(many, few->items[i].source, few->items[i].target))
            return false;
    return true;
}

static void check_written(const struct links *links)
{
    struct links again = { 0 };
    struct bytes out;
    bytes_init(&out, (size_t)1 << 20);
    check(links_write(links, &out));
    check(links_read(&again, out.data, out.len, NULL) == STATUS_OK);
    check(again.count == links->count && within(&again, links));
    bytes_release(&out);
    links_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct links a = { 0 }, b = { 0 }, joined[SYMMETRISATIONS] = { { 0 } };
    const char *text = (const char *)data;
    const char *end = size > 0 && size <= INPUT_BYTES_MAX ? memchr(text, '\n', size) : NULL;
    if (end && links_read(&a, text, (size_t)(end - text), NULL) == STATUS_OK &&
        links_read(&b, end + 1, size - 1 - (size_t)(end - text), NULL) == STATUS_OK) {
        for (int i = 0; i < SYMMETRISATIONS; i++) {
            check(links_symmetrise((enum symmetrisation)i, &a, &b, &joined[i]));
            check_written(&joined[i]);
        }
        check(within(&joined[INTERSECTION], &joined[GROW_DIAG_FINAL_AND]));
        check(within(&joined[GROW_DIAG_FINAL_AND], &joined[UNION]));
    }
    links_release(&a);
    links_release(&b);
    for (int i = 0; i < SYMMETRISATIONS; i++)
        links_release(&joined[i]);
    return 0;
}
