/*
 * serve.c - "verso serve": translation over TCP, for HTTP clients and for lines.
 *
 *     database -> models -> journal -> workers -> background -> keys -> service -> port
 *
 * opened in this order and closed in the other: whoever can connect is
 * answered. serve_control.h says what signals do.
 */
#include <signal.h>
#include <uv.h>

#include "base/log.h"
#include "server/cmd/commands.h"
#include "server/cmd/precision.h"
#include "server/cmd/serve_control.h"
#include "server/cmd/service_manager.h"
#include "server/cmd/shortlist_option.h"
#include "server/http/access.h"
#include "server/http/background.h"
#include "server/http/service.h"
#include "server/http/suggested.h"
#include "server/jobs/jobs.h"
#include "server/net/listener.h"
#include "server/registry/live_detector.h"
#include "server/registry/registry.h"
#include "server/store/db.h"
#include "server/store/journal.h"

#define DAY_MS 86400000
#define HELD_BYTES_MAX (REPLY_BYTES_MAX + (1 << 20)) // replies that wait for their turn
#define OUTBOX_BYTES_MAX (2 * HELD_BYTES_MAX)

struct server {
    uv_loop_t loop;
    struct control control;
    struct db *db;
    struct registry *registry;
    struct journal *journal; // NULL: it is off
    struct jobs *jobs;
    struct background *background;
    struct access *access;
    struct suggested *suggested;
    struct live_detector *detector;
    struct service *service;
    struct listener *listener;
};

/* ---- settings ---- */

static struct jobs_limits jobs_limits(const struct options *o)
{
    return (struct jobs_limits){
        .threads = options_threads(o, THREADS_MAX),
        .queue = options_int(o, "queue"),
        .deadline_ms = options_int(o, "deadline"),
        .worker = {
            .beam = options_int(o, "beam"),
            .n_best = options_int(o, "alternatives") + 1,
            .pieces = options_int(o, "pieces"),
            .sentences = options_int(o, "sentences"),
            .batch = options_int(o, "batch"),
        },
    };
}

static struct service_limits service_limits(const struct options *o)
{
    return (struct service_limits){
        .characters = options_int(o, "characters"),
        .batch_items = options_int(o, "batch-items"),
        .alternatives = options_int(o, "alternatives"),
        .beam = options_int(o, "beam"),
        .deadline_ms = options_int(o, "deadline"),
        .log_text = options_flag(o, "log-text"),
    };
}

static enum status access_options(struct access_options *access, const struct options *o,
                                  struct error *err)
{
    static const char *const keys[] = { "optional", "required", NULL };
    int choice;
    *access = (struct access_options){ .public_history = options_flag(o, "public-history"),
                                       .rate = options_int(o, "rate") };
    access->allowed_hosts = options_list(o, "allowed-host", &access->allowed_host_count);
    access->trusted_proxies = options_list(o, "trusted-proxy", &access->trusted_proxy_count);
    enum status status = option_choice(o, "keys", keys, &choice, err);
    if (status == STATUS_OK)
        access->keys_required = choice == 1;
    return status;
}

static struct listener_options listener_options(const struct options *o, int socket,
                                                struct handler *handler)
{
    return (struct listener_options){
        .socket = socket,
        .host = options_text(o, "host"),
        .port = options_int(o, "port"),
        .connections = options_int(o, "connections"),
        .drain_ms = options_int(o, "drain-time") + DRAIN_GRACE_MS,
        .handler = handler,
        .conn = {
            .header_ms = options_int(o, "header-time"),
            .body_ms = options_int(o, "body-time"),
            .idle_ms = options_int(o, "idle-time"),
            .send_ms = options_int(o, "send-time"),
            .outbox_bytes = OUTBOX_BYTES_MAX,
            .protocol = {
                .head_bytes = (size_t)options_int(o, "head-bytes"),
                .body_bytes = (size_t)options_int(o, "request-bytes"),
                .line_bytes = (size_t)options_int(o, "line-bytes"),
                .in_flight = options_int(o, "in-flight"),
                .held_bytes = HELD_BYTES_MAX,
            },
        },
    };
}

/* Stays NULL when it is off. */
static enum status open_journal(struct journal **out, const struct options *o, struct error *err)
{
    static const char *const modes[] = { "on", "off", "without-text", NULL };
    enum { ON, OFF, WITHOUT_TEXT };
    int mode;
    enum status status = option_choice(o, "journal", modes, &mode, err);
    if (status != STATUS_OK || mode == OFF)
        return status;
    const struct journal_limits limits = {
        .replica = options_text(o, "replica"),
        .keep_text = mode != WITHOUT_TEXT,
        .keep_ms = (long long)options_int(o, "keep-days") * DAY_MS,
        .keep_bytes = options_int64(o, "keep-bytes"),
        .queue_rows = JOURNAL_QUEUE_ROWS,
        .queue_bytes = JOURNAL_QUEUE_BYTES,
    };
    return journal_open(out, options_text(o, "database"), &limits, err);
}

/* ---- life ---- */

static enum status open_server(struct server *server, const struct options *o, struct error *err)
{
    struct jobs_limits jobs = jobs_limits(o);
    struct service_limits service = service_limits(o);
    struct access_options rules;
    enum weight_type type;
    int shortlist = 0, socket;
    enum status status = manager_socket(&socket, err);
    if (status == STATUS_OK)
        status = precision_from_options(&type, o, err);
    if (status == STATUS_OK)
        status = shortlist_from_options(&shortlist, o, err);
    if (status == STATUS_OK)
        status = access_options(&rules, o, err);
    if (status == STATUS_OK)
        status = db_open(&server->db, options_text(o, "database"), err);
    if (status == STATUS_OK)
        status = registry_open(&server->registry, options_text(o, "models"), type, shortlist,
                               server->db, err);
    if (status == STATUS_OK)
        status = open_journal(&server->journal, o, err);
    jobs.worker.journal = server->journal;
    if (status == STATUS_OK)
        status = jobs_open(&server->jobs, &server->loop, server->registry, &jobs, err);
    if (status == STATUS_OK)
        status =
            background_open(&server->background, &server->loop, options_text(o, "database"), err);
    if (status == STATUS_OK)
        status = access_open(&server->access, &rules, server->db, err);
    if (status == STATUS_OK)
        status = access_follow(server->access, server->background, err);
    if (status == STATUS_OK)
        status = suggested_open(&server->suggested, server->db, err);
    if (status == STATUS_OK)
        status = suggested_follow(server->suggested, server->background, err);
    if (status == STATUS_OK)
        status = live_detector_open(&server->detector, options_text(o, "models"), err);
    if (status != STATUS_OK)
        return status;
    const struct service_parts parts = { .registry = server->registry,
                                         .jobs = server->jobs,
                                         .journal = server->journal,
                                         .background = server->background,
                                         .access = server->access,
                                         .suggested = server->suggested,
                                         .detector = server->detector };
    status = service_new(&server->service, &parts, &service, err);
    if (status != STATUS_OK)
        return status;
    struct listener_options listener =
        listener_options(o, socket, service_handler(server->service));
    status = listener_open(&server->listener, &server->loop, &listener, err);
    if (status == STATUS_OK)
        access_listens(server->access, listener_address(server->listener));
    if (status == STATUS_OK)
        control_start(&server->control, server->registry, server->detector, server->jobs,
                      server->service, server->listener, options_int(o, "drain-time"));
    return status;
}

/* What has not been opened is NULL. */
static void close_server(struct server *server)
{
    if (server->jobs)
        jobs_stop(server->jobs);
    if (server->background)
        background_stop(server->background);
    control_stop(&server->control);
    uv_run(&server->loop, UV_RUN_DEFAULT); // the close callbacks
    listener_free(server->listener);
    service_free(server->service);
    background_free(server->background);
    access_free(server->access);
    suggested_free(server->suggested);
    live_detector_close(server->detector);
    jobs_free(server->jobs);
    journal_close(server->journal);
    registry_close(server->registry);
    db_close(server->db);
    uv_loop_close(&server->loop);
}

static int run(const struct options *o)
{
    struct error err;
    struct server server = { 0 };
    if (uv_loop_init(&server.loop) != 0)
        return options_finish(o, error_set(&err, STATUS_IO, "no event loop: raise ulimit -n"),
                              &err);
    signal(SIGPIPE, SIG_IGN); // a client that has gone is an error of its socket only
    control_init(&server.control, &server.loop);

    enum status status = open_server(&server, o, &err);
    if (status == STATUS_OK) {
        uv_run(&server.loop, UV_RUN_DEFAULT);
        log_event(LOG_INFO, "stopped", NULL);
    }
    close_server(&server);
    return options_finish(o, status, &err);
}

#define SETTING(NAME, VALUE, FALLBACK, MIN, MAX, HELP)                                             \
    {                                                                                              \
        NAME, OPTION_INT, .environment = true, .value = VALUE, .fallback = FALLBACK, .min = MIN,   \
                          .max = MAX, .help = HELP                                                 \
    }

static const struct option_spec specs[] = {
    { "models", OPTION_TEXT, .environment = true, .value = "DIR", .fallback = "models",
      .help = "folder of model files; every *.safetensors in it is served" },
    { "database", OPTION_TEXT, .environment = true, .value = "FILE", .fallback = "verso.db",
      .help = "created if it is not there" },
    { "host", OPTION_TEXT, .environment = true, .value = "ADDRESS", .fallback = "127.0.0.1",
      .help = "address to listen on; 0.0.0.0 is every network this machine is in" },
    { "keys", OPTION_TEXT, .environment = true, .value = "WHEN", .fallback = "optional",
      .help = "optional, or required: then nothing is done for callers without a key" },
    SETTING("rate", "N", "0", 0, 1000000,
            "requests a minute of an address, or of a key without a "
            "rate of its own, else 429; 0: any number"),
    { "allowed-host", OPTION_LIST, .environment = true, .value = "NAME",
      .help = "a name by which browsers may ask for what was stored, beside localhost; may be "
              "given many times" },
    { "trusted-proxy", OPTION_LIST, .environment = true, .value = "ADDRESS",
      .help =
          "of a proxy: whoever it connects for is the last entry of its X-Forwarded-For; may be "
          "given many times" },
    { "public-history", OPTION_FLAG, .environment = true,
      .help = "what was stored is read and deleted by all, though others can reach this machine" },
    SETTING("port", "N", "5000", 0, 65535, "0 takes a free one; the log says which"),
    { "threads", OPTION_INT, .letter = 't', .environment = true, .value = "N", .min = 1,
      .max = THREADS_MAX, .help = "that translate; by default as many as there are cores" },
    SETTING("beam", "N", "5", 1, 64, "hypotheses kept at each step; 1 is greedy"),
    PRECISION_OPTION,
    SHORTLIST_OPTION,
    SETTING("batch", "N", "32", 1, 1024, "sentences, and most requests, in flight in a thread"),

    { "journal", OPTION_TEXT, .environment = true, .value = "on|off|without-text", .fallback = "on",
      .help = "store each translation with its alignment in the database" },
    { "keep-days", OPTION_INT, .environment = true, .value = "N", .fallback = "0", .max = 36500,
      .help = "delete stored translations that are older; 0 keeps them" },
    { "keep-bytes", OPTION_INT, .environment = true, .value = "N", .fallback = "0", .max = 1e15,
      .help = "delete the oldest when the database grows over this; 0 lets it grow" },
    { "replica", OPTION_TEXT, .environment = true, .value = "TAG", .fallback = "a1",
      .help = "1 to 8 letters or digits that ids of translations begin with" },

    { "config", OPTION_SETTINGS, .environment = true, .value = "FILE",
      .help = "settings as lines of name = value; the command line and the environment go before" },
    { "log-text", OPTION_FLAG, .environment = true,
      .help = "also log what is translated, and into what; else no text is in the log" },

    SETTING("connections", "N", "1024", 1, 1000000, "at once; one more is answered 503"),
    SETTING("in-flight", "N", "64", 1, 4096, "requests of one connection at once"),
    SETTING("queue", "N", "512", 1, 1000000, "requests waiting for a thread; one more gets 503"),
    SETTING("deadline", "MS", "60000", 1, DAY_MS, "from a request to its answer, else 504"),
    SETTING("head-bytes", "N", "16384", 512, 1048576, "request line and headers, else 431"),
    SETTING("request-bytes", "N", "1048576", 1, 8388608, "body of a request, else 413"),
    SETTING("line-bytes", "N", "65536", 1, 8388608, "one line; a longer one is an error"),
    SETTING("characters", "N", "50000", 1, 8388608, "all texts of a request"),
    SETTING("batch-items", "N", "256", 1, 100000, "texts of a request"),
    SETTING("sentences", "N", "1000", 1, 100000, "all texts of a request, else 413"),
    SETTING("pieces", "N", "256", 8, 4096, "a sentence; a longer one is split at a clause"),
    SETTING("alternatives", "N", "4", 0, 63, "that a request may ask for"),
    SETTING("header-time", "MS", "10000", 1, DAY_MS, "for the head of a request, else 408"),
    SETTING("body-time", "MS", "30000", 1, DAY_MS, "for the body of a request or a line, else 408"),
    SETTING("idle-time", "MS", "75000", 1, DAY_MS, "between requests; then the connection ends"),
    SETTING("send-time", "MS", "30000", 1, DAY_MS, "without the client reading its replies"),
    SETTING("drain-time", "MS", "30000", 1, DAY_MS, "for open requests when the server stops"),
    { 0 },
};

const struct command command_serve = {
    .name = "serve",
    .summary = "answer translation requests over HTTP and as lines of text",
    .usage = "[--models DIR] [--database FILE] [OPTION...]",
    .description =
        "One port speaks both: a first line like \"POST /translate HTTP/1.1\" is HTTP, in\n"
        "LibreTranslate's form; anything else is text, a line in and its translation out.\n"
        "At GET / is a page that shows which word looked at which.\n",
    .examples = "  verso serve --models models/ --database verso.db\n"
                "  curl -d q=Hello -d source=en -d target=fr localhost:5000/translate\n"
                "  echo Hello | nc -N localhost 5000\n",
    .options = specs,
    .operands_min = 0,
    .operands_max = 0,
    .run = run,
};
