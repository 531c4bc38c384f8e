/*
 * http_error.h - the body of an error, whoever refuses: the protocol or who answers.
 *
 *     bool is_problem = http_error_is_problem(head.path);
 *     json_t *body = http_error(is_problem, 413, "the body is over the limit");
 *     reply.content_type = http_error_type(is_problem);
 *
 * Under /v1/ it is a problem of RFC 9457, elsewhere, and where the path is not
 * known, {"error":"..."} as LibreTranslate has it.
 */
#ifndef SERVER_PROTOCOL_HTTP_ERROR_H
#define SERVER_PROTOCOL_HTTP_ERROR_H

#include "base/json.h"
#include "server/protocol/protocol.h"

bool http_error_is_problem(struct slice path); // absent: not known
const char *http_error_type(bool is_problem);
json_t *http_error(bool is_problem, int code, const char *text); // NULL: no memory

#endif
