/*
 * completions.c - the tables of a program as a bash completion script.
 */
#include "server/cmd/completions.h"

#include <string.h>

/* Programs have "-" in their names, functions of bash may not. */
static void print_function_name(const char *program, FILE *out)
{
    fputc('_', out);
    for (const char *c = program; *c; c++)
        fputc(*c == '-' ? '_' : *c, out);
}

/* Whether the i-th name is the first with its first word, which is `len` bytes long. */
static bool is_new_word(const struct program *p, int i, size_t *len)
{
    const char *name = program_command_name(p, i);
    *len = strcspn(name, " ");
    for (int k = 0; k < i; k++) {
        const char *other = program_command_name(p, k);
        if (strcspn(other, " ") == *len && memcmp(other, name, *len) == 0)
            return false;
    }
    return true;
}

static void print_commands(const struct program *p, FILE *out)
{
    size_t len;
    for (int i = 0; program_command_name(p, i); i++)
        if (is_new_word(p, i, &len))
            fprintf(out, "%.*s ", (int)len, program_command_name(p, i));
    fputs("completions help version --help --version", out);
}

static void print_options(const struct command *c, FILE *out)
{
    fprintf(out, "        \"%s \"*) words=\"", c->name);
    for (const struct option_spec *spec = c->options; spec->name; spec++)
        fprintf(out, "--%s ", spec->name);
    fputs("--help\" ;;\n", out);
}

static void print_elsewhere(const struct program *p, FILE *out)
{
    if (p->elsewhere_count == 0)
        return;
    fputs("        ", out);
    for (int i = 0; i < p->elsewhere_count; i++)
        fprintf(out, "%s\"%s \"*", i ? "|" : "", p->elsewhere[i].name);
    fputs(") if declare -F ", out);
    print_function_name(p->elsewhere_program, out);
    fputs(" >/dev/null; then ", out);
    print_function_name(p->elsewhere_program, out);
    fputs("; return; fi ;;\n", out);
}

/* The second words of each family; all members are named by their commands before. */
static void print_families(const struct program *p, FILE *out)
{
    const char *name, *other;
    size_t len;
    for (int i = 0; (name = program_command_name(p, i)) != NULL; i++) {
        if (!is_new_word(p, i, &len) || name[len] == '\0')
            continue;
        fprintf(out, "        \"%.*s \"*) COMPREPLY=($(compgen -W \"", (int)len, name);
        for (int k = i; (other = program_command_name(p, k)) != NULL; k++)
            if (strncmp(other, name, len + 1) == 0)
                fprintf(out, "%s ", other + len + 1);
        fputs("--help\" -- \"$word\")); return ;;\n", out);
    }
}

void completions_print_bash(const struct program *p, FILE *out)
{
    fprintf(out, "# bash completion of %s, made by \"%s completions bash\"\n", p->name, p->name);
    print_function_name(p->name, out);
    fputs("() {\n    local word=${COMP_WORDS[COMP_CWORD]} words=\"\"\n", out);
    fputs("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"", out);
    print_commands(p, out);
    fputs("\" -- \"$word\"))\n        return\n    fi\n"
          "    case \"${COMP_WORDS[1]} ${COMP_WORDS[2]} \" in\n",
          out);
    print_elsewhere(p, out);
    for (int i = 0; i < p->count; i++)
        print_options(p->commands[i], out);
    print_families(p, out);
    fputs("        \"completions \"*) words=bash ;;\n    esac\n    case $word in\n"
          "        -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
          "        *)  COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
          "    esac\n}\ncomplete -o filenames -F ",
          out);
    print_function_name(p->name, out);
    fprintf(out, " %s\n", p->name);
}
