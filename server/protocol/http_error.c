/* http_error.c - the body of an error, whoever refuses: the protocol or who answers. */
#include "server/protocol/http_error.h"

#include <string.h>

#include "server/protocol/http_reply.h"

bool http_error_is_problem(struct slice path)
{
    static const char v1[] = "/v1/";
    return path.len >= sizeof v1 - 1 && memcmp(path.at, v1, sizeof v1 - 1) == 0;
}

const char *http_error_type(bool is_problem)
{
    return is_problem ? "application/problem+json" : "application/json";
}

json_t *http_error(bool is_problem, int code, const char *text)
{
    if (!is_problem)
        return json_pack("{s:s}", "error", text);
    return json_pack("{s:s,s:s,s:i,s:s}", "type", "about:blank", "title", http_reason(code),
                     "status", code, "detail", text);
}
