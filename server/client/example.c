/*
 * example.c - a translation, and which words its words were made of.
 *
 *     cc example.c $(pkg-config --cflags --libs verso-client) -o example
 *     ./example 127.0.0.1 5000 en fr "The cat sleeps."
 */
#include <verso_client.h>

#include <stdio.h>
#include <stdlib.h>

static int fail(const struct verso_error *err)
{
    fprintf(stderr, "example: %s: %s\n", verso_status_name(err->status), err->text);
    return EXIT_FAILURE;
}

/* "chat  0.97  cat" */
static void print_sentence(const struct verso_sentence *sentence)
{
    for (size_t t = 0; t < sentence->token_count; t++) {
        const struct verso_token *token = &sentence->tokens[t];
        printf("  %-16s %.2f ", token->text, (double)token->confidence);
        for (size_t i = 0; i < token->link_count; i++)
            printf(" %s", sentence->source_tokens[token->links[i]].text);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    struct verso_error err;
    struct verso_client *client;
    struct verso_translations *got;
    if (argc != 6) {
        fputs("usage: example HOST PORT SOURCE TARGET TEXT\n", stderr);
        return 2;
    }
    const char *const texts[] = { argv[5] };
    const struct verso_request request = {
        .texts = texts, .text_count = 1, .source = argv[3], .target = argv[4]
    };
    if (verso_client_new(&client, argv[1], atoi(argv[2]), NULL, &err) != VERSO_OK)
        return fail(&err);
    const enum verso_status status = verso_translate(client, &request, &got, &err);
    verso_client_free(client);
    if (status != VERSO_OK)
        return fail(&err);
    puts(got->translations[0].text);
    for (size_t i = 0; i < got->translations[0].sentence_count; i++)
        print_sentence(&got->translations[0].sentences[i]);
    verso_free(got);
    return EXIT_SUCCESS;
}
