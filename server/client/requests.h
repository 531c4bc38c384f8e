/* requests.h - what a call asks for, as the JSON that is sent. */
#ifndef SERVER_CLIENT_REQUESTS_H
#define SERVER_CLIENT_REQUESTS_H

#include "server/client/memory.h"

/* Each appends to *out. VERSO_BAD_ARGUMENT: it cannot be asked for like that. */
enum verso_status verso_write_translate(struct verso_bytes *out,
                                        const struct verso_request *request,
                                        struct verso_error *err);
enum verso_status verso_write_align(struct verso_bytes *out, const struct verso_pair *pair,
                                    struct verso_error *err);
enum verso_status verso_write_detect(struct verso_bytes *out, const char *const *texts,
                                     size_t text_count, struct verso_error *err);

#endif
