/*
 * main_train.c - the program verso-train: it alone links what only training needs.
 */
#include "server/cmd/commands.h"

static const struct command *const commands[] = {
#define X(name) &command_##name,
    TRAIN_COMMANDS(X)
#undef X
};

static const struct program verso_train = {
    .name = "verso-train",
    .summary = "train what verso translates with",
    .commands = commands,
    .count = sizeof commands / sizeof *commands,
};

int main(int argc, char **argv)
{
    return program_run(&verso_train, argc, argv);
}
