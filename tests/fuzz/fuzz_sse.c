/*
 * fuzz_sse.c - events of any data: a reader by the standard gets the lines that were sent, and one
 * event.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/protocol/sse.h"

#define START "event: token\n"
#define DATA "data: "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

/* Takes a line of the data off the event, and what ends it in both; false: it was the last. */
static bool take_line(const char **event, const char **data, const char *data_end)
{
    demand(strncmp(*event, DATA, strlen(DATA)) == 0);
    *event += strlen(DATA);
    while (*data < data_end && **data != '\r' && **data != '\n')
        demand(*(*event)++ == *(*data)++);
    demand(*(*event)++ == '\n');
    if (*data == data_end)
        return false;
    *data += data_end - *data > 1 && (*data)[0] == '\r' && (*data)[1] == '\n' ? 2 : 1;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes out;
    bytes_init(&out, 1 << 20);
    if (sse_event(&out, "token", (const char *)data, size)) {
        const char *event = out.data, *at = (const char *)data, *end = at + size;
        demand(strncmp(event, START, strlen(START)) == 0);
        event += strlen(START);
        while (take_line(&event, &at, end))
            ;
        demand(*event++ == '\n' && event == out.data + out.len);
    }
    bytes_release(&out);
    return 0;
}
