/*
 * main.c - the program verso: everything but training, which verso-train does.
 */
#include "server/cmd/commands.h"

static const struct command *const commands[] = {
#define X(name) &command_##name,
    VERSO_COMMANDS(X)
#undef X
};

static const struct command_elsewhere elsewhere[] = {
    { "train", "train a translation model from parallel text" },
    { "shortlist", "learn which target pieces go with which source pieces" },
    { "vocab", "learn a vocabulary from text" },
    { "embed train", "train vectors of words (word2vec)" },
    { "lm train", "train a language model from text" },
    { "bench train", "measure how fast training is, and where its time goes" },
    { "detect train", "train a language detector" },
};

static const struct program verso = {
    .name = "verso",
    .summary = "translate text with models of your own, and see why it says what it says",
    .commands = commands,
    .count = sizeof commands / sizeof *commands,
    .elsewhere = elsewhere,
    .elsewhere_count = sizeof elsewhere / sizeof *elsewhere,
    .elsewhere_program = "verso-train",
};

int main(int argc, char **argv)
{
    return program_run(&verso, argc, argv);
}
