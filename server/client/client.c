/* client.c - the calls: what is asked for, sent, answered and read. */
#include "server/client/verso_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/client/connection.h"
#include "server/client/error.h"
#include "server/client/requests.h"
#include "server/client/results.h"
#include "server/client/stream.h"

#define HOST_BYTES_MAX 255
#define API_KEY_BYTES_MAX 4096
#define ID_BYTES_MAX 64
#define FORM_BYTES_MAX 8
#define PATH_BYTES 256

/* ---- a client ---- */

/* What goes into a header field must not end it. */
static bool is_word(const char *text, size_t max)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return false;
    return len > 0 && len <= max;
}

static enum verso_status check_options(const char *host, int port,
                                       const struct verso_options *options, struct verso_error *err)
{
    if (!host || !is_word(host, HOST_BYTES_MAX))
        return verso_error_set(err, VERSO_BAD_ARGUMENT, "host must be a name or an address");
    if (port < 1 || port > 65535)
        return verso_error_set(err, VERSO_BAD_ARGUMENT, "port must be from 1 to 65535");
    if (options->api_key && !is_word(options->api_key, API_KEY_BYTES_MAX))
        return verso_error_set(err, VERSO_BAD_ARGUMENT,
                               "api_key must be 1 to %d letters, digits and signs",
                               API_KEY_BYTES_MAX);
    if (options->timeout_ms < 0)
        return verso_error_set(err, VERSO_BAD_ARGUMENT, "timeout_ms must not be negative");
    return VERSO_OK;
}

enum verso_status verso_client_new(struct verso_client **out, const char *host, int port,
                                   const struct verso_options *options, struct verso_error *err)
{
    const struct verso_options wanted = options ? *options : (struct verso_options){ 0 };
    *out = NULL;
    const enum verso_status status = check_options(host, port, &wanted, err);
    if (status != VERSO_OK)
        return status;
    struct verso_client *client = malloc(sizeof *client);
    if (!client)
        return verso_error_set(err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
    *client = (struct verso_client){
        .host = strdup(host),
        .api_key = wanted.api_key ? strdup(wanted.api_key) : NULL,
        .port = port,
        .timeout_ms = wanted.timeout_ms ? wanted.timeout_ms : VERSO_TIMEOUT_MS,
        .reply_bytes_max = wanted.reply_bytes_max ? wanted.reply_bytes_max : VERSO_REPLY_BYTES,
        .fd = -1,
    };
    if (!client->host || (wanted.api_key && !client->api_key)) {
        verso_client_free(client);
        return verso_error_set(err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
    }
    *out = client;
    return VERSO_OK;
}

void verso_client_free(struct verso_client *client)
{
    if (!client)
        return;
    verso_connection_close(client);
    free(client->host);
    free(client->api_key);
    free(client);
}

/* ---- a call ---- */

/* 200, or `other` if that is not 0; the caller releases the reply in either case. */
static enum verso_status ask(struct verso_client *client, const struct verso_ask *wanted, int other,
                             struct verso_reply *reply, struct verso_error *err)
{
    const enum verso_status status = verso_connection_ask(client, wanted, reply, err);
    if (status != VERSO_OK || reply->http_status == 200 || (other && reply->http_status == other))
        return status;
    return verso_error_of_reply(err, reply->http_status, reply->retry_after_s, reply->body.data,
                                reply->body.len);
}

/* *out is NULL on failure. */
static enum verso_status ask_json(struct verso_client *client, const char *method, const char *path,
                                  struct verso_bytes *body, json_t **out, struct verso_error *err)
{
    struct verso_reply reply;
    const struct verso_ask wanted = { .method = method, .path = path, .body = body };
    *out = NULL;
    enum verso_status status = ask(client, &wanted, 0, &reply, err);
    if (status == VERSO_OK)
        status = verso_parse(out, reply.body.data, reply.body.len, err);
    verso_reply_release(&reply);
    return status;
}

/* ---- translations ---- */

enum verso_status verso_translate(struct verso_client *client, const struct verso_request *request,
                                  struct verso_translations **out, struct verso_error *err)
{
    struct verso_bytes body;
    json_t *json = NULL;
    *out = NULL;
    verso_bytes_init(&body, VERSO_REQUEST_BYTES_MAX);
    enum verso_status status = verso_write_translate(&body, request, err);
    if (status == VERSO_OK)
        status = ask_json(client, "POST", "/v1/translate", &body, &json, err);
    if (status == VERSO_OK)
        status = verso_read_translations(out, json, request->texts, request->text_count, err);
    json_decref(json);
    verso_bytes_release(&body);
    return status;
}

enum verso_status verso_align(struct verso_client *client, const struct verso_pair *pair,
                              struct verso_translations **out, struct verso_error *err)
{
    struct verso_bytes body;
    json_t *json = NULL;
    *out = NULL;
    verso_bytes_init(&body, VERSO_REQUEST_BYTES_MAX);
    enum verso_status status = verso_write_align(&body, pair, err);
    if (status == VERSO_OK)
        status = ask_json(client, "POST", "/v1/align", &body, &json, err);
    if (status == VERSO_OK)
        status = verso_read_translations(out, json, &pair->source_text, 1, err);
    json_decref(json);
    verso_bytes_release(&body);
    return status;
}

enum verso_status verso_translate_stream(struct verso_client *client,
                                         const struct verso_request *request,
                                         verso_on_token *on_token, void *context,
                                         struct verso_translations **out, struct verso_error *err)
{
    struct verso_reply reply = { 0 };
    struct verso_stream stream;
    struct verso_bytes body;
    *out = NULL;
    verso_stream_init(&stream, request, on_token, context, client->reply_bytes_max, err);
    verso_bytes_init(&body, VERSO_REQUEST_BYTES_MAX);
    const struct verso_ask wanted = {
        .method = "POST", .path = "/v1/translate/stream", .body = &body, .events = &stream.events
    };
    enum verso_status status = verso_write_translate(&body, request, err);
    if (status == VERSO_OK)
        status = ask(client, &wanted, 0, &reply, err);
    if (status == VERSO_OK)
        status = verso_stream_end(&stream, out);
    verso_stream_release(&stream);
    verso_reply_release(&reply);
    verso_bytes_release(&body);
    return status;
}

/* ---- languages ---- */

enum verso_status verso_detect(struct verso_client *client, const char *const *texts,
                               size_t text_count, struct verso_detections **out,
                               struct verso_error *err)
{
    struct verso_bytes body;
    json_t *json = NULL;
    *out = NULL;
    verso_bytes_init(&body, VERSO_REQUEST_BYTES_MAX);
    enum verso_status status = verso_write_detect(&body, texts, text_count, err);
    if (status == VERSO_OK)
        status = ask_json(client, "POST", "/v1/detect", &body, &json, err);
    if (status == VERSO_OK)
        status = verso_read_detections(out, json, text_count, err);
    json_decref(json);
    verso_bytes_release(&body);
    return status;
}

enum verso_status verso_languages(struct verso_client *client, struct verso_languages **out,
                                  struct verso_error *err)
{
    json_t *json;
    *out = NULL;
    enum verso_status status = ask_json(client, "GET", "/languages", NULL, &json, err);
    if (status == VERSO_OK)
        status = verso_read_languages(out, json, err);
    json_decref(json);
    return status;
}

/* ---- what the server has ---- */

enum verso_status verso_models(struct verso_client *client, struct verso_models **out,
                               struct verso_error *err)
{
    json_t *json;
    *out = NULL;
    enum verso_status status = ask_json(client, "GET", "/v1/models", NULL, &json, err);
    if (status == VERSO_OK)
        status = verso_read_models(out, json, err);
    json_decref(json);
    return status;
}

/* A server that is stopping says so with 503, and is healthy enough to say it. */
enum verso_status verso_health(struct verso_client *client, struct verso_health *out,
                               struct verso_error *err)
{
    const struct verso_ask wanted = { .method = "GET", .path = "/health/ready" };
    struct verso_reply reply;
    json_t *json = NULL;
    *out = (struct verso_health){ 0 };
    enum verso_status status = ask(client, &wanted, 503, &reply, err);
    if (status == VERSO_OK)
        status = verso_parse(&json, reply.body.data, reply.body.len, err);
    if (status == VERSO_OK)
        status = verso_read_health(out, json, err);
    if (status == VERSO_BAD_REPLY && reply.http_status == 503)
        status =
            verso_error_of_reply(err, 503, reply.retry_after_s, reply.body.data, reply.body.len);
    json_decref(json);
    verso_reply_release(&reply);
    return status;
}

/* An id goes into a path, so it may have nothing that means something there. */
static enum verso_status check_id(const char *id, struct verso_error *err)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    if (id && *id && strlen(id) <= ID_BYTES_MAX && strspn(id, letters) == strlen(id))
        return VERSO_OK;
    return verso_error_set(err, VERSO_BAD_ARGUMENT,
                           "the id is none: give that of a stored translation");
}

static const char *level_name(enum verso_level level)
{
    return level == VERSO_LEVEL_PIECE ? "piece" : "word";
}

enum verso_status verso_stored(struct verso_client *client, const char *id, enum verso_level level,
                               struct verso_stored **out, struct verso_error *err)
{
    char path[PATH_BYTES];
    json_t *json = NULL;
    *out = NULL;
    enum verso_status status = check_id(id, err);
    if (status == VERSO_OK) {
        snprintf(path, sizeof path, "/v1/translations/%s?level=%s", id, level_name(level));
        status = ask_json(client, "GET", path, NULL, &json, err);
    }
    if (status == VERSO_OK)
        status = verso_read_stored(out, json, err);
    json_decref(json);
    return status;
}

static enum verso_status write_picture_path(char path[PATH_BYTES], const char *id,
                                            const struct verso_picture *picture,
                                            struct verso_error *err)
{
    const char *form = picture->form;
    const enum verso_status status = check_id(id, err);
    if (status != VERSO_OK)
        return status;
    if (!form || !*form || strlen(form) > FORM_BYTES_MAX ||
        strspn(form, "abcdefghijklmnopqrstuvwxyz") != strlen(form))
        return verso_error_set(err, VERSO_BAD_ARGUMENT,
                               "form must be svg, png, html, json, csv or txt");
    snprintf(path, PATH_BYTES,
             "/v1/translations/%s/alignment.%s?sentence=%zu&n=%zu&level=%s&ribbons=%s&theme=%s", id,
             form, picture->sentence, picture->n, level_name(picture->level),
             picture->ribbons ? "true" : "false", picture->dark ? "dark" : "light");
    return VERSO_OK;
}

enum verso_status verso_alignment_file(struct verso_client *client, const char *id,
                                       const struct verso_picture *picture, struct verso_file **out,
                                       struct verso_error *err)
{
    char path[PATH_BYTES];
    const struct verso_ask wanted = { .method = "GET", .path = path };
    struct verso_reply reply = { 0 };
    *out = NULL;
    enum verso_status status = write_picture_path(path, id, picture, err);
    if (status == VERSO_OK)
        status = ask(client, &wanted, 0, &reply, err);
    if (status == VERSO_OK)
        status = verso_copy_file(out, reply.content_type, reply.body.data, reply.body.len, err);
    verso_reply_release(&reply);
    return status;
}
