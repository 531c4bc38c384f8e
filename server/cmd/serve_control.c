/* serve_control.c - reloading, stopping, and saying so. */
#include "server/cmd/serve_control.h"

#include <signal.h>

#include "base/log.h"
#include "server/cmd/service_manager.h"
#include "server/http/metrics.h"

/* ---- reloading ---- */

static void on_reload(uv_work_t *work)
{
    struct control *control = work->data;
    struct error err;
    control->reload_status = registry_reload(control->registry, NULL, &control->reload_error);
    const enum status status = live_detector_reload(control->detector, &err);
    if (control->reload_status == STATUS_OK && status != STATUS_OK) {
        control->reload_status = status;
        control->reload_error = err;
    }
}

static void start_reload(struct control *control);

static void on_reloaded(uv_work_t *work, int status)
{
    struct control *control = work->data;
    (void)status;
    control->is_reloading = false;
    service_refresh(control->service);
    if (control->reload_status == STATUS_OK) {
        log_event(LOG_INFO, "reloaded", NULL);
    } else {
        metric_add(METRIC_RELOADS_FAILED, 1);
        log_event(LOG_ERROR, "reload_failed", "reason", LOG_TEXT(control->reload_error.text), NULL);
    }
    manager_tell(control->is_stopping ? "STOPPING=1" : "READY=1");
    if (control->is_reload_wanted && !control->is_stopping)
        start_reload(control);
}

static void start_reload(struct control *control)
{
    control->is_reload_wanted = false;
    control->is_reloading = true;
    control->reload.data = control;
    log_event(LOG_INFO, "reloading", NULL);
    manager_tell_reloading();
    uv_queue_work(control->loop, &control->reload, on_reload, on_reloaded);
}

static void on_hangup(uv_signal_t *signal, int number)
{
    struct control *control = signal->data;
    (void)number;
    if (control->is_reloading)
        control->is_reload_wanted = true; // a file may have come since it was looked for
    else if (!control->is_stopping)
        start_reload(control);
}

/* ---- stopping ---- */

static void on_drained(void *context)
{
    struct control *control = context;
    uv_stop(control->loop);
}

static void on_overdue(uv_timer_t *timer)
{
    struct control *control = timer->data;
    metric_limit(LIMIT_DRAIN_TIME);
    log_event(LOG_WARNING, "drain_overdue", "connections",
              LOG_NUMBER(listener_connection_count(control->listener)), NULL);
    jobs_give_up(control->jobs);
}

static void on_stop(uv_signal_t *signal, int number)
{
    struct control *control = signal->data;
    log_event(LOG_INFO, "stopping", "signal", LOG_NUMBER(number), NULL);
    if (!control->is_stopping) {
        manager_tell("STOPPING=1");
        service_stopping(control->service);
        uv_timer_start(&control->overdue, on_overdue, (uint64_t)control->drain_ms, 0);
    }
    control->is_stopping = true;
    listener_drain(control->listener, on_drained, control);
}

/* ---- life ---- */

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    manager_tell("WATCHDOG=1");
}

void control_init(struct control *control, uv_loop_t *loop)
{
    *control = (struct control){ .loop = loop };
    uv_signal_init(loop, &control->terminate);
    uv_signal_init(loop, &control->interrupt);
    uv_signal_init(loop, &control->hangup);
    uv_timer_init(loop, &control->overdue);
    uv_timer_init(loop, &control->watchdog);
    control->terminate.data = control->interrupt.data = control->hangup.data = control;
    control->overdue.data = control->watchdog.data = control;
    uv_signal_start(&control->terminate, on_stop, SIGTERM);
    uv_signal_start(&control->interrupt, on_stop, SIGINT);
    uv_signal_start(&control->hangup, on_hangup, SIGHUP);
}

void control_start(struct control *control, struct registry *registry,
                   struct live_detector *detector, struct jobs *jobs, struct service *service,
                   struct listener *listener, int drain_ms)
{
    control->detector = detector;
    control->registry = registry;
    control->jobs = jobs;
    control->service = service;
    control->listener = listener;
    control->drain_ms = drain_ms;
    const uint64_t watchdog_ms = manager_watchdog_ms();
    if (watchdog_ms > 0)
        uv_timer_start(&control->watchdog, on_watchdog, 0, watchdog_ms);
    manager_tell("READY=1");
}

void control_stop(struct control *control)
{
    uv_close((uv_handle_t *)&control->terminate, NULL);
    uv_close((uv_handle_t *)&control->interrupt, NULL);
    uv_close((uv_handle_t *)&control->hangup, NULL);
    uv_close((uv_handle_t *)&control->overdue, NULL);
    uv_close((uv_handle_t *)&control->watchdog, NULL);
}
