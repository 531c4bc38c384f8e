/*
 * completions.h - a script that lets bash complete commands, options and file names.
 *
 *     verso completions bash > /etc/bash_completion.d/verso
 *
 * Made from the same tables that commands are checked against.
 */
#ifndef SERVER_CMD_COMPLETIONS_H
#define SERVER_CMD_COMPLETIONS_H

#include <stdio.h>
#include "server/cmd/commands.h"

void completions_print_bash(const struct program *program, FILE *out);

#endif
