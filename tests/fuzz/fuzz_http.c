/* fuzz_http.c - HTTP from anybody: no crash, no read outside, one finish. */
#include "tests/fuzz/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_session(&protocol_http, data, size);
    return 0;
}
