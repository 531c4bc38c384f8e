/*
 * service.h - what clients can ask of this server, in HTTP or in lines.
 *
 *     struct service *service;
 *     status = service_new(&service, &parts, &limits, &err);
 *     options.handler = service_handler(service);           // of the listener
 *     service_free(service);
 *
 * A message becomes an exchange; a resource answers it at once, or hands it to
 * jobs and answers when that is done. Loop thread only.
 */
#ifndef SERVER_HTTP_SERVICE_H
#define SERVER_HTTP_SERVICE_H

#include "base/bytes.h"
#include "server/http/pairs.h"
#include "server/jobs/jobs.h"
#include "server/net/client.h"
#include "server/registry/live_detector.h"

#define REPLY_BYTES_MAX (8 << 20) // body of one reply

struct access;
struct suggested;
struct background;
struct journal;

/* What it stands on; all of it must outlive it. */
struct service_parts {
    struct registry *registry;
    struct jobs *jobs;
    struct journal *journal; // NULL: it is off
    struct background *background;
    struct access *access;
    struct suggested *suggested;
    struct live_detector *detector; // NULL: languages are never detected here
};

struct service_limits {
    int characters;   // of all texts of a request
    int batch_items;  // texts of a request
    int alternatives; // a request may ask for
    int beam;         // a request may ask for on /v1, and what others get
    int deadline_ms;  // of every request, and the longest it may ask for
    bool log_text;    // what is translated, and into what, is in the log: somebody asked for it
};

struct service {
    struct handler handler;
    struct jobs *jobs;
    struct journal *journal;        // NULL: it is off
    struct background *background;  // reads and pictures, beside the loop
    struct access *access;          // who may do what
    struct suggested *suggested;    // what was accepted
    struct live_detector *detector; // NULL: there never is one
    struct service_limits limits;
    struct pairs pairs;
    bool is_stopping;  // /health/ready says so
    struct bytes body; // of the reply that is being written
};

MUST_CHECK enum status service_new(struct service **out, const struct service_parts *parts,
                                   const struct service_limits *limits, struct error *err);
void service_free(struct service *service); // NULL is fine
struct handler *service_handler(struct service *service);
void service_refresh(struct service *service);  // takes up what the registry has now
void service_stopping(struct service *service); // it is not ready for more from now on

#endif
