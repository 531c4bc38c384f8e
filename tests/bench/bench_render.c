/*
 * bench_render.c - milliseconds to draw or write an alignment of 10, 30 and 100 tokens a side.
 *
 *     chrt -f 30 build/tests/bench_render         the median of each, once the fonts are found
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/server/render/example.h"

#define ROUNDS 21

static struct example x;

static int compare(const void *a, const void *b)
{
    const double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double once(enum render_form form, bool ribbons, size_t *len)
{
    struct bytes out;
    struct error err;
    const struct render_options options = { .ribbons = ribbons };
    bytes_init(&out, RENDER_BYTES_MAX);
    const int64_t from = clock_now_ns();
    const enum status status = render_alignment(&x.view, form, &options, &out, &err);
    const int64_t to = clock_now_ns();
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    *len = out.len;
    bytes_release(&out);
    return (double)(to - from) / 1e6;
}

static void measure(const char *name, enum render_form form, bool ribbons)
{
    static const char *const words[] = { "The",      "agreement", "on",  "the",    "European",
                                         "Economic", "Area",      "was", "signed", "." };
    static const int counts[] = { 10, 30, 100 };
    printf("%-12s", name);
    for (int i = 0; i < 3; i++) {
        double times[ROUNDS];
        size_t len;
        example_of(&x, words, 10, counts[i], words, 10, counts[i]);
        once(form, ribbons, &len);
        for (int k = 0; k < ROUNDS; k++)
            times[k] = once(form, ribbons, &len);
        qsort(times, ROUNDS, sizeof *times, compare);
        printf(" %9.2f ms %6zu kB", times[ROUNDS / 2], len / 1000);
    }
    putchar('\n');
}

int main(void)
{
    size_t len;
    static const char *const word[] = { "A" };
    example_of(&x, word, 1, 1, word, 1, 1);
    printf("the first PNG, fonts looked for: %.0f ms\n\n", once(RENDER_PNG, false, &len));
    printf("%-12s %22s %22s %22s\n", "", "10 tokens a side", "30", "100");
    measure("json", RENDER_JSON, false);
    measure("csv", RENDER_CSV, false);
    measure("txt", RENDER_PHARAOH, false);
    measure("svg", RENDER_SVG, false);
    measure("svg ribbons", RENDER_SVG, true);
    measure("html", RENDER_HTML, false);
    measure("png", RENDER_PNG, false);
    measure("png ribbons", RENDER_PNG, true);
    return 0;
}
