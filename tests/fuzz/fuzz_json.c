/*
 * fuzz_json.c - any bytes are a value or a refusal, and a value written reads back equal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define WRITTEN_BYTES_MAX ((size_t)64 << 20)

static void require(bool claim)
{
    if (!claim)
        abort();
}

/* Reals are written to 15 digits, so the second writing must equal the first. */
static void write_and_read_back(const json_t *root)
{
    struct bytes first, second;
    struct error err;
    json_t *again;
    bytes_init(&first, WRITTEN_BYTES_MAX);
    bytes_init(&second, WRITTEN_BYTES_MAX);
    require(json_write(&first, root));
    if (json_parse(&again, first.data, first.len, &err) == STATUS_OK) {
        require(json_write(&second, again));
        require(second.len == first.len && memcmp(second.data, first.data, first.len) == 0);
        json_decref(again);
    } else {
        require(strstr(err.text, "overflow")); // the largest real, rounded up
    }
    bytes_release(&second);
    bytes_release(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    json_t *root;
    if (json_parse(&root, (const char *)data, size, &err) == STATUS_OK) {
        write_and_read_back(root);
        json_decref(root);
    } else {
        require(err.status == STATUS_BAD_INPUT && err.text[0]);
    }
    return 0;
}
