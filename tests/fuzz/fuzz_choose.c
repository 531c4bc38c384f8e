/* fuzz_choose.c - first lines of anybody: no read outside, and no change of mind as bytes come. */
#include <stdlib.h>

#include "server/protocol/choose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct protocol *last = NULL, *protocol;
    bool was_made = false;
    if (size == 0 || size > FIRST_LINE_BYTES_MAX)
        return 0;
    for (size_t len = 1; len <= size; len++) {
        const enum choice choice = protocol_choose((const char *)data, len, len == size, &protocol);
        if (choice == CHOICE_MORE && (was_made || len == size))
            abort();
        if (choice != CHOICE_MADE)
            continue;
        if (was_made && protocol != last)
            abort();
        was_made = true;
        last = protocol;
    }
    return 0;
}
