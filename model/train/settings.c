/*
 * settings.c - three sources of one list.
 */
#include "model/train/settings.h"

#define CONFIG_BYTES_MAX (64 << 10) // of its JSON

static int add_numbers(json_t *root, const struct trainer_options *o)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        { "dropout", o->dropout },
        { "smoothing", o->smoothing },
        { "rate", o->schedule.rate },
        { "decay", o->schedule.decay },
        { "clip", o->optimizer.clip },
        { "beta1", o->optimizer.beta1 },
        { "beta2", o->optimizer.beta2 },
        { "epsilon", o->optimizer.epsilon },
        { "cooldown", o->schedule.cooldown },
    };
    const struct {
        const char *name;
        int64_t value;
    } integers[] = {
        { "warmup", o->schedule.warmup },
        { "validate-every", o->validate_every },
        { "precision", o->precision },
        { "seed", (int64_t)o->seed },
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        failed |= json_object_set_new(root, numbers[i].name, json_real(numbers[i].value));
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        failed |= json_object_set_new(root, integers[i].name, json_integer(integers[i].value));
    return failed;
}

enum status training_settings(json_t **out, const struct trainer_options *options,
                              const struct task *task, struct error *err)
{
    struct bytes config;
    json_t *root = NULL;
    *out = NULL;
    bytes_init(&config, CONFIG_BYTES_MAX);
    enum status status = config_write(task->config, &config, err);
    if (status == STATUS_OK)
        status = json_parse(&root, config.data, config.len, err);
    bytes_release(&config);
    if (status == STATUS_OK && add_numbers(root, options) != 0)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the training's settings");
    if (status == STATUS_OK)
        status = task->kind->describe(task, root, err);
    if (status == STATUS_OK)
        *out = root;
    else
        json_decref(root);
    return status;
}
