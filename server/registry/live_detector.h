/*
 * live_detector.h - the language detector of a folder of models, loaded anew while it serves.
 *
 *     struct live_detector *live;
 *     status = live_detector_open(&live, "models/", &err);             // no DETECTOR_FILE: none
 *     const struct detector *detector = live_detector_borrow(live);    // NULL: there is none
 *     ... detector_detect(detector, ...) ...
 *     live_detector_give_back(live, detector);
 *
 *     status = live_detector_reload(live, &err);                       // takes as long as loading
 *     live_detector_close(live);
 *
 * One that was borrowed stays as it is until it was given back, whatever has
 * taken its place. Functions may be called from any thread.
 */
#ifndef SERVER_REGISTRY_LIVE_DETECTOR_H
#define SERVER_REGISTRY_LIVE_DETECTOR_H

#include "server/detect/detector.h"

#define DETECTOR_FILE "detect.safetensors" // in the folder of models

struct live_detector;

/* A file that is no detector is an error that names it. */
MUST_CHECK enum status live_detector_open(struct live_detector **out, const char *folder,
                                          struct error *err);
void live_detector_close(struct live_detector *live); // all was given back; NULL is fine

/* The file as it is now, if it is another: a new one comes, a vanished one leaves. One that cannot
 * be loaded is the error, and the detector before it stays. For a thread that may wait; one reload
 * at a time. */
MUST_CHECK enum status live_detector_reload(struct live_detector *live, struct error *err);

/* live may be NULL: a server without. */
bool live_detector_is_there(struct live_detector *live);
const struct detector *live_detector_borrow(struct live_detector *live);
void live_detector_give_back(struct live_detector *live, const struct detector *detector);

#endif
