/*
 * settings.h - all that decides a training's numbers, as JSON: a checkpoint keeps it, and a training
 * with other settings is not to go on from it.
 */
#ifndef MODEL_TRAIN_SETTINGS_H
#define MODEL_TRAIN_SETTINGS_H

#include "base/json.h"
#include "model/train/trainer.h"

/* What the config says, then the options, then what the task adds. */
MUST_CHECK enum status training_settings(json_t **out, const struct trainer_options *options,
                                         const struct task *task, struct error *err);

#endif
