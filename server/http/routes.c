/* routes.c - every path of the server. */
#include "server/http/routes.h"

#include <stdio.h>
#include <string.h>

#include "server/http/access.h"
#include "server/http/percent.h"

#define ALLOW_BYTES 128

static const struct route routes[] = {
    { "GET", "/", get_page, .scope = SCOPE_NONE },
    { "GET", "/web/{name}", get_web, .scope = SCOPE_NONE },
    { "POST", "/translate", post_translate, .cross_origin = true, .scope = SCOPE_TRANSLATE },
    { "POST", "/v1/translate", post_v1_translate, .cross_origin = true, .scope = SCOPE_TRANSLATE },
    { "POST", "/v1/translate/stream", post_v1_stream, .cross_origin = true,
      .scope = SCOPE_TRANSLATE },
    { "POST", "/v1/align", post_v1_align, .cross_origin = true, .scope = SCOPE_TRANSLATE },
    { "POST", "/v1/detect", post_v1_detect, .cross_origin = true, .scope = SCOPE_TRANSLATE },
    { "GET", "/v1/models", get_v1_models, .scope = SCOPE_NONE },
    { "POST", "/v1/models/{name}/reload", post_v1_reload, .scope = SCOPE_ADMIN },
    { "GET", "/v1/translations", get_v1_translations, .scope = SCOPE_READ },
    { "GET", "/v1/translations/{id}", get_v1_translation, .scope = SCOPE_READ },
    { "DELETE", "/v1/translations/{id}", delete_v1_translation, .scope = SCOPE_DELETE },
    { "GET", "/v1/translations/{id}/alignment.{form}", get_v1_alignment, .scope = SCOPE_READ },
    { "GET", "/v1/links", get_v1_links, .scope = SCOPE_READ },
    { "GET", "/v1/openapi.json", get_openapi, .scope = SCOPE_NONE },
    { "GET", "/spec", get_openapi, .cross_origin = true },
    { "POST", "/detect", post_detect, .cross_origin = true, .scope = SCOPE_TRANSLATE },
    { "POST", "/suggest", post_suggest, .cross_origin = true, .scope = SCOPE_TRANSLATE },
    { "GET", "/v1/suggestions", get_suggestions, .scope = SCOPE_ADMIN },
    { "POST", "/v1/suggestions/{id}/accept", post_accept, .scope = SCOPE_ADMIN },
    { "POST", "/v1/suggestions/{id}/reject", post_reject, .scope = SCOPE_ADMIN },
    { "GET", "/languages", get_languages, .cross_origin = true },
    { "GET", "/health", get_health, .cross_origin = true },
    { "GET", "/health/live", get_health_live, .scope = SCOPE_NONE },
    { "GET", "/health/ready", get_health_ready, .scope = SCOPE_NONE },
    { "GET", "/metrics", get_metrics, .scope = SCOPE_ADMIN },
    { "GET", "/frontend/settings", get_frontend_settings, .cross_origin = true },
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

static bool equals(struct slice s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* False: it is empty, too long, or has a zero in it. */
static bool decode_value(const char *at, const char *end, char out[PATH_VALUE_BYTES])
{
    size_t len = 0;
    while (at < end && len < PATH_VALUE_BYTES - 1) {
        char c = *at;
        at += percent_read(at, end, &c) ? PERCENT_BYTES : 1;
        if (c == '\0')
            return false;
        out[len++] = c;
    }
    out[len] = '\0';
    return len > 0 && at == end;
}

/* A "{name}" of the pattern is one or more bytes up to the byte behind it, or to the next "/". */
static bool path_fits(const char *pattern, struct slice path,
                      char values[PATH_VALUES_MAX][PATH_VALUE_BYTES])
{
    const char *at = path.at, *end = path.at + path.len;
    int count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (at == end || *at++ != *pattern++)
                return false;
            continue;
        }
        pattern = strchr(pattern, '}') + 1;
        const char *from = at;
        while (at < end && *at != '/' && *at != *pattern)
            at++;
        if (!decode_value(from, at, values[count++]))
            return false;
    }
    return at == end;
}

/* HEAD is GET without a body, which the protocol leaves out. */
static bool method_fits(const struct route *route, struct slice method)
{
    return equals(method, route->method) ||
           (strcmp(route->method, "GET") == 0 && equals(method, "HEAD"));
}

/* "POST, OPTIONS" */
static void list_methods(struct slice path, char out[ALLOW_BYTES])
{
    char values[PATH_VALUES_MAX][PATH_VALUE_BYTES];
    size_t len = 0;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_fits(routes[i].path, path, values))
            continue;
        bool is_get = strcmp(routes[i].method, "GET") == 0;
        len += (size_t)snprintf(out + len, ALLOW_BYTES - len, "%s, %s", routes[i].method,
                                is_get ? "HEAD, " : "");
    }
    snprintf(out + len, ALLOW_BYTES - len, "OPTIONS");
}

static void answer_options(struct exchange *x, const char *methods)
{
    char headers[2 * ALLOW_BYTES + 256];
    int len = snprintf(headers, sizeof headers, "Allow: %s\r\n", methods);
    if (x->route && x->route->cross_origin)
        snprintf(headers + len, sizeof headers - (size_t)len,
                 "Access-Control-Allow-Origin: *\r\n"
                 "Access-Control-Allow-Methods: %s\r\n"
                 "Access-Control-Allow-Headers: Content-Type, Authorization\r\n"
                 "Access-Control-Max-Age: 86400\r\n",
                 methods);
    exchange_empty(x, headers);
}

static void answer_wrong_method(struct exchange *x, const char *methods)
{
    char allow[ALLOW_BYTES + 16], text[ALLOW_BYTES + 64];
    snprintf(allow, sizeof allow, "Allow: %s\r\n", methods);
    snprintf(text, sizeof text, "this path takes %s", methods);
    exchange_error_with(x, 405, allow, text);
}

void routes_answer(struct exchange *x)
{
    const struct message *message = x->message;
    char methods[ALLOW_BYTES] = "GET, HEAD, POST, OPTIONS";
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_fits(routes[i].path, message->path, x->values))
            continue;
        x->route = &routes[i];
        if (method_fits(x->route, message->method)) {
            if (access_admits(x))
                x->route->answer(x);
            return;
        }
    }
    if (x->route)
        list_methods(message->path, methods);
    if (equals(message->method, "OPTIONS") && (x->route || equals(message->path, "*")))
        answer_options(x, methods);
    else if (x->route)
        answer_wrong_method(x, methods);
    else
        exchange_error(x, 404,
                       "there is nothing at this path; translations are at POST /translate");
}
