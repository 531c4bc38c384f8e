/* metrics.c - what the server counts: tables of atomic numbers, and these as text. */
#include "server/http/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUTES_MAX 64   // method and path
#define STATUSES_MAX 16 // of one of them; what comes after that is not told apart
#define NS_A_SECOND 1000000000.0

/* Upper edges, in seconds. */
static const double edges[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60 };
#define EDGE_COUNT (sizeof edges / sizeof edges[0])

struct histogram {
    atomic_llong counts[EDGE_COUNT + 1]; // of each bucket alone; the last has no edge
    atomic_llong ns;                     // of all together
};

struct route_numbers {
    const char *method, *path;
    int statuses[STATUSES_MAX]; // (status_count)
    long long counts[STATUSES_MAX];
    int status_count;
    struct histogram seconds;
};

static const struct {
    const char *kind, *name, *help;
} metrics[] = {
#define X(id, kind, name, help) { #kind, name, help },
    METRIC_LIST(X)
#undef X
};

static const char *const limits[] = {
#define X(id, name) name,
    LIMIT_LIST(X)
#undef X
};

static const char *const stages[] = {
#define X(id, name) name,
    STAGE_LIST(X)
#undef X
};

#define METRIC_COUNT (sizeof metrics / sizeof metrics[0])
#define LIMIT_COUNT (sizeof limits / sizeof limits[0])
#define STAGE_COUNT (sizeof stages / sizeof stages[0])

static atomic_llong values[METRIC_COUNT];
static atomic_llong limit_counts[LIMIT_COUNT];
static struct histogram stage_seconds[STAGE_COUNT];
static struct route_numbers routes[ROUTES_MAX]; // (route_count) the loop's
static int route_count;

/* ---- counting ---- */

void metric_add(enum metric metric, int64_t n)
{
    atomic_fetch_add_explicit(&values[metric], n, memory_order_relaxed);
}

void metric_set(enum metric metric, int64_t value)
{
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

void metric_limit(enum limit limit)
{
    atomic_fetch_add_explicit(&limit_counts[limit], 1, memory_order_relaxed);
}

static void observe(struct histogram *h, int64_t ns)
{
    const double seconds = (double)ns / NS_A_SECOND;
    size_t i = 0;
    while (i < EDGE_COUNT && seconds > edges[i])
        i++;
    atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->ns, ns, memory_order_relaxed);
}

void metric_observe(enum stage stage, int64_t ns)
{
    observe(&stage_seconds[stage], ns);
}

/* NULL when there are more routes than there may be: the table of routes.c is shorter. */
static struct route_numbers *numbers_of(const char *method, const char *path)
{
    for (int i = 0; i < route_count; i++)
        if (routes[i].path == path && routes[i].method == method)
            return &routes[i];
    if (route_count == ROUTES_MAX)
        return NULL;
    routes[route_count].method = method;
    routes[route_count].path = path;
    return &routes[route_count++];
}

static void count_status(struct route_numbers *r, int status)
{
    int i = 0;
    while (i < r->status_count && r->statuses[i] != status)
        i++;
    if (i == STATUSES_MAX)
        i--;
    else if (i == r->status_count)
        r->statuses[r->status_count++] = status;
    r->counts[i]++;
}

void metric_request(const char *method, const char *route, int status, int64_t ns)
{
    struct route_numbers *r = numbers_of(method, route);
    if (!r)
        return;
    count_status(r, status);
    observe(&r->seconds, ns);
}

int64_t metric_value(enum metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

int64_t metric_limit_count(enum limit limit)
{
    return atomic_load_explicit(&limit_counts[limit], memory_order_relaxed);
}

/* ---- writing ---- */

static void write_header(struct bytes *out, const char *name, const char *kind, const char *help)
{
    bytes_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void write_plain(struct bytes *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        write_header(out, metrics[i].name, metrics[i].kind, metrics[i].help);
        bytes_printf(out, "%s %lld\n", metrics[i].name, (long long)metric_value((enum metric)i));
    }
}

static void write_limits(struct bytes *out)
{
    const char *name = "verso_limit_hits_total";
    write_header(out, name, "counter", "Times a limit was met, by the name of its setting.");
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        bytes_printf(out, "%s{limit=\"%s\"} %lld\n", name, limits[i],
                     (long long)metric_limit_count((enum limit)i));
}

/* labels: without braces: route="/translate" */
static void write_histogram(struct bytes *out, const char *name, const char *labels,
                            const struct histogram *h)
{
    long long count = 0;
    for (size_t i = 0; i <= EDGE_COUNT; i++) {
        count += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        if (i < EDGE_COUNT)
            bytes_printf(out, "%s_bucket{%s,le=\"%g\"} %lld\n", name, labels, edges[i], count);
        else
            bytes_printf(out, "%s_bucket{%s,le=\"+Inf\"} %lld\n", name, labels, count);
    }
    const double seconds = (double)atomic_load_explicit(&h->ns, memory_order_relaxed) / NS_A_SECOND;
    bytes_printf(out, "%s_sum{%s} %.9g\n%s_count{%s} %lld\n", name, labels, seconds, name, labels,
                 count);
}

static void write_stages(struct bytes *out)
{
    const char *name = "verso_stage_seconds";
    char labels[64];
    write_header(out, name, "histogram", "How long requests were in each stage on their way.");
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        snprintf(labels, sizeof labels, "stage=\"%s\"", stages[i]);
        write_histogram(out, name, labels, &stage_seconds[i]);
    }
}

static void write_routes(struct bytes *out)
{
    const char *requests = "verso_requests_total", *seconds = "verso_request_seconds";
    char labels[256];
    write_header(out, requests, "counter", "Answers, by route and status.");
    for (const struct route_numbers *r = routes; r < routes + route_count; r++)
        for (int i = 0; i < r->status_count; i++)
            bytes_printf(out, "%s{method=\"%s\",route=\"%s\",status=\"%d\"} %lld\n", requests,
                         r->method, r->path, r->statuses[i], r->counts[i]);
    write_header(out, seconds, "histogram", "From a whole message to its answer, by route.");
    for (const struct route_numbers *r = routes; r < routes + route_count; r++) {
        snprintf(labels, sizeof labels, "method=\"%s\",route=\"%s\"", r->method, r->path);
        write_histogram(out, seconds, labels, &r->seconds);
    }
}

/* 0 where there is no /proc. */
static double resident_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*d %lld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static void write_process(struct bytes *out)
{
    struct rusage usage = { 0 };
    getrusage(RUSAGE_SELF, &usage);
    write_header(out, "process_resident_memory_bytes", "gauge", "Memory that is in use.");
    bytes_printf(out, "process_resident_memory_bytes %.0f\n", resident_bytes());
    write_header(out, "process_cpu_seconds_total", "counter", "Processor time of all threads.");
    bytes_printf(out, "process_cpu_seconds_total %.6f\n",
                 seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
}

enum status metrics_write(struct bytes *out, struct error *err)
{
    write_plain(out);
    write_limits(out);
    write_stages(out);
    write_routes(out);
    write_process(out);
    return bytes_check(out, "the metrics", err);
}
