/*
 * make_tiny_model.c - a program for tests in other languages: a model file of random weights.
 *
 *     make_tiny_model en-fr.safetensors en fr 1
 */
#include "tests/tiny_model.h"

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: make_tiny_model FILE SOURCE TARGET SEED\n", stderr);
        return 2;
    }
    write_tiny_model(argv[1], argv[2], argv[3], strtoull(argv[4], NULL, 10));
    return 0;
}
