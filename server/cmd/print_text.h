/*
 * print_text.h - what users of a service wrote, on an operator's terminal: it is read and does
 * nothing there.
 */
#ifndef SERVER_CMD_PRINT_TEXT_H
#define SERVER_CMD_PRINT_TEXT_H

/* UTF-8, with its lines and tabs; other control characters as their pictures, as ␛. */
void print_text(const char *text);

/* The same on one line, with spaces for line ends and tabs. */
void print_text_line(const char *text);

/* The same on one line, so that it can be read back: control characters and backslashes as in C. */
void print_text_escaped(const char *text);

#endif
