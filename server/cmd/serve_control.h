/*
 * serve_control.h - what is asked of a running server by signals and by its service manager.
 *
 *              SIGHUP                     SIGTERM, SIGINT            a second one, or
 *     running --------> reloading        running -------> draining   DRAIN_GRACE_MS after the end
 *        ^                  |                                |  \-----------------> cut off
 *        '------------------'                    drain-time  v
 *       models and the detector            what is open is answered 503
 *       are loaded beside the loop
 *
 *     control_init(&control, &loop);              // before anything takes long: signals wait
 *     control_start(&control, ...);               // the port is open: READY=1
 *     uv_run(&loop);                              // until it has drained
 *     control_stop(&control);                     // its handles close when the loop runs again
 */
#ifndef SERVER_CMD_SERVE_CONTROL_H
#define SERVER_CMD_SERVE_CONTROL_H

#include <uv.h>
#include "server/http/service.h"
#include "server/net/listener.h"

#define DRAIN_GRACE_MS 1000 // for the 503s to be read

struct control {
    uv_loop_t *loop;
    uv_signal_t terminate, interrupt, hangup;
    uv_timer_t overdue, watchdog;
    uv_work_t reload;
    bool is_reloading, is_reload_wanted, is_stopping;
    enum status reload_status;
    struct error reload_error;
    int drain_ms;
    /* from control_start on */
    struct registry *registry;
    struct live_detector *detector;
    struct jobs *jobs;
    struct service *service;
    struct listener *listener;
};

void control_init(struct control *control, uv_loop_t *loop);
void control_start(struct control *control, struct registry *registry,
                   struct live_detector *detector, struct jobs *jobs, struct service *service,
                   struct listener *listener, int drain_ms);
void control_stop(struct control *control);

#endif
