/* access.c - who may do what. */
#include "server/http/access.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/http/background.h"
#include "server/http/hosts.h"
#include "server/http/metrics.h"
#include "server/http/parameters.h"
#include "server/http/proxies.h"
#include "server/http/rates.h"
#include "server/protocol/line.h"
#include "server/store/keys.h"

#define EVERYTHING (SCOPE_TRANSLATE | SCOPE_READ | SCOPE_ADMIN | SCOPE_DELETE)
#define STORED (SCOPE_READ | SCOPE_ADMIN | SCOPE_DELETE) // scopes of what reads or changes it
#define BEARER "WWW-Authenticate: Bearer\r\n"
#define REFUSAL_BYTES 256

struct access {
    bool keys_required;
    bool public_history;
    int rate;
    struct hosts *hosts;
    struct proxies *proxies;
    struct rates *rates;
    struct key_set *keys;
    long long stamp; // of the table that `keys` is of

    struct key_set *fresh; // read beside the loop, to be taken over on it
    long long fresh_stamp;
};

/* ---- refusing ---- */

static bool is_line(const struct exchange *x)
{
    return x->message->kind != MESSAGE_HTTP;
}

static bool is_libretranslates(const struct exchange *x)
{
    return !is_line(x) && !x->is_v1 && x->route->scope == SCOPE_TRANSLATE;
}

/* Always false, for who refuses. */
static bool refuse(struct exchange *x, int code, const char *headers, const char *text)
{
    char line[LINE_ERROR_BYTES];
    if (is_line(x))
        exchange_line(x, code, line,
                      line_error(code == 429 ? STATUS_BUSY : STATUS_DENIED, text, line));
    else
        exchange_error_with(x, code, headers, text);
    return false;
}

static bool refuse_unknown_key(struct exchange *x)
{
    if (is_line(x) || is_libretranslates(x))
        return refuse(x, 403, "", "Invalid API key");
    return refuse(x, 401, BEARER, "the key is not known here, or it was revoked");
}

static bool refuse_without_key(struct exchange *x)
{
    if (is_line(x))
        return refuse(x, 401, "", "This server wants a key first: #!key KEY");
    if (is_libretranslates(x))
        return refuse(x, 400, "", "Please contact the server operator to get an API key");
    if (x->route->scope == SCOPE_ADMIN)
        return refuse(x, 401, BEARER,
                      "this needs a key with the scope admin: Authorization: Bearer KEY");
    if (x->route->scope == SCOPE_TRANSLATE)
        return refuse(x, 401, BEARER, "this needs a key: Authorization: Bearer KEY");
    return refuse(x, 401, BEARER,
                  "what was stored is only for callers with a key (Authorization: Bearer KEY); "
                  "verso serve --public-history gives it to all");
}

static bool refuse_scope(struct exchange *x)
{
    if (is_line(x) || is_libretranslates(x))
        return refuse(x, 403, "", "Invalid API key: it is not for translation");
    return refuse(x, 403, "",
                  x->route->scope == SCOPE_READ        ? "the key has not the scope read"
                  : x->route->scope == SCOPE_TRANSLATE ? "the key has not the scope translate"
                                                       : "the key has not the scope admin");
}

/* ---- keys ---- */

/* "Bearer KEY", whatever its case; other schemes are not ours. */
static struct slice bearer(struct slice authorization)
{
    static const char scheme[] = "bearer ";
    const size_t len = sizeof scheme - 1;
    if (authorization.len <= len || strncasecmp(authorization.at, scheme, len) != 0)
        return (struct slice){ 0 };
    struct slice key = { authorization.at + len, authorization.len - len };
    while (key.len > 0 && *key.at == ' ') {
        key.at++;
        key.len--;
    }
    return key;
}

/* Absent: none was sent. `text` is room for one in a body. */
static struct slice sent_key(const struct exchange *x, char text[KEY_BYTES])
{
    const struct message *message = x->message;
    if (is_line(x))
        return message->key;
    struct slice key = bearer(message->authorization);
    if (!key.at && is_libretranslates(x) && parameters_text(message, "api_key", text, KEY_BYTES))
        key = (struct slice){ text, strlen(text) };
    return key;
}

static struct caller caller_of_key(const struct known_key *key)
{
    const bool is_admin = key->scopes & SCOPE_ADMIN;
    return (struct caller){ .key_id = key->id,
                            .scopes = key->scopes | (is_admin ? SCOPE_READ | SCOPE_DELETE : 0u),
                            .rows = is_admin ? ROWS_OF_ALL : key->id };
}

static struct caller caller_without_key(const struct access *access)
{
    unsigned scopes = SCOPE_TRANSLATE;
    if (access->keys_required)
        scopes = SCOPE_NONE;
    else if (proxies_are_none(access->proxies) && hosts_are_loopback(access->hosts))
        scopes = EVERYTHING;
    else if (access->public_history)
        scopes = SCOPE_TRANSLATE | SCOPE_READ | SCOPE_DELETE;
    return (struct caller){ .scopes = scopes, .rows = ROWS_OF_ALL };
}

void access_identify(struct exchange *x)
{
    const struct slice key = x->message->key;
    if (key_set_find(x->service->access->keys, key.at, key.len))
        exchange_line_silent(x);
    else
        refuse_unknown_key(x);
}

/* ---- what else is looked at ---- */

static bool is_within_rate(struct exchange *x, int per_minute)
{
    char who[RATES_NAME_BYTES], text[64], retry[48];
    int wait_s;
    if (x->caller.key_id != 0)
        snprintf(who, sizeof who, "key %lld", x->caller.key_id);
    else
        snprintf(who, sizeof who, "%s", x->caller.address);
    if (per_minute == 0 ||
        rates_take(x->service->access->rates, who, per_minute, clock_now_ms(), &wait_s))
        return true;
    metric_limit(LIMIT_RATE);
    snprintf(text, sizeof text, "Slowdown: %d per 1 minute", per_minute);
    snprintf(retry, sizeof retry, "Retry-After: %d\r\n", wait_s);
    return refuse(x, 429, retry, text);
}

/* A page of another server must not reach what was stored, whatever name it has given us. */
static bool is_from_here(struct exchange *x)
{
    const struct message *message = x->message;
    if (is_line(x))
        return true;
    if (message->host.at && !hosts_know(x->service->access->hosts, message->host))
        return refuse(x, 403, "",
                      "what was stored is not given under this Host: start verso serve with "
                      "--allowed-host NAME, or ask for localhost");
    if (message->origin.at && !hosts_same_origin(message->origin, message->host))
        return refuse(x, 403, "", "what was stored is not given to pages of other servers");
    return true;
}

/* Some of LibreTranslate's clients always send a key; without keys of ours it has no meaning. */
static bool is_ignored(const struct exchange *x)
{
    const struct access *access = x->service->access;
    return is_libretranslates(x) && !access->keys_required && key_set_count(access->keys) == 0;
}

bool access_admits(struct exchange *x)
{
    const struct access *access = x->service->access;
    char text[KEY_BYTES];
    if (x->route->scope == SCOPE_NONE)
        return true;
    if ((x->route->scope & STORED) && !is_from_here(x))
        return false;
    const struct slice sent = sent_key(x, text);
    const struct known_key *key = sent.at ? key_set_find(access->keys, sent.at, sent.len) : NULL;
    if (sent.at && !key && !is_ignored(x))
        return refuse_unknown_key(x);
    x->caller = key ? caller_of_key(key) : caller_without_key(access);
    proxies_client(access->proxies, &x->client->peer, x->message->forwarded_for, x->caller.address);
    if (!(x->caller.scopes & x->route->scope))
        return key ? refuse_scope(x) : refuse_without_key(x);
    return is_within_rate(x, key && key->rate > 0 ? key->rate : access->rate);
}

bool access_keys_required(const struct access *access)
{
    return access->keys_required;
}

bool access_has_keys(const struct access *access)
{
    return key_set_count(access->keys) > 0;
}

/* ---- life ---- */

static void read_keys(void *context, struct db *db)
{
    struct access *access = context;
    struct error err;
    if (!db)
        return;
    enum status status = keys_stamp(db, &access->fresh_stamp, &err);
    if (status == STATUS_OK && access->fresh_stamp != access->stamp)
        status = key_set_load(&access->fresh, db, &err);
    if (status != STATUS_OK)
        log_event(LOG_WARNING, "keys_not_read", "reason", LOG_TEXT(err.text), NULL);
}

static void take_keys(void *context)
{
    struct access *access = context;
    if (!access->fresh)
        return;
    key_set_free(access->keys);
    access->keys = access->fresh;
    access->stamp = access->fresh_stamp;
    access->fresh = NULL;
    log_event(LOG_INFO, "keys_read", "keys", LOG_NUMBER(key_set_count(access->keys)), NULL);
}

enum status access_follow(struct access *access, struct background *background, struct error *err)
{
    return background_repeat(background, ACCESS_REFRESH_MS, read_keys, take_keys, access, err);
}

void access_listens(struct access *access, const char *address)
{
    hosts_listen(access->hosts, address);
}

enum status access_open(struct access **out, const struct access_options *options, struct db *db,
                        struct error *err)
{
    *out = NULL;
    struct access *access = memory_zeroed(1, sizeof *access);
    if (!access)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the keys");
    access->keys_required = options->keys_required;
    access->public_history = options->public_history;
    access->rate = options->rate;
    enum status status = STATUS_OK;
    access->rates = rates_new(RATES_ENTRIES);
    if (!access->rates)
        status = error_set(err, STATUS_NO_MEMORY, "no memory to count requests a minute");
    if (status == STATUS_OK)
        status =
            hosts_new(&access->hosts, options->allowed_hosts, options->allowed_host_count, err);
    if (status == STATUS_OK)
        status = proxies_new(&access->proxies, options->trusted_proxies,
                             options->trusted_proxy_count, err);
    if (status == STATUS_OK)
        status = keys_stamp(db, &access->stamp, err);
    if (status == STATUS_OK)
        status = key_set_load(&access->keys, db, err);
    if (status != STATUS_OK) {
        access_free(access);
        return status;
    }
    *out = access;
    return STATUS_OK;
}

void access_free(struct access *access)
{
    if (!access)
        return;
    key_set_free(access->keys);
    key_set_free(access->fresh);
    rates_free(access->rates);
    hosts_free(access->hosts);
    proxies_free(access->proxies);
    memory_free(access);
}
