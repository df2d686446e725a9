/* NAME=VALUE arguments, and how to end with one line. */
#define _GNU_SOURCE
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count;
static char **arguments;

void options_start(int given, char **values)
{
    count = given;
    arguments = values;
}

const char *option(const char *name, const char *fallback)
{
    size_t length = strlen(name);
    for (int i = 0; i < count; i++)
        if (strncmp(arguments[i], name, length) == 0 && arguments[i][length] == '=')
            return arguments[i] + length + 1;
    return fallback;
}

double option_number(const char *name, double fallback)
{
    const char *value = option(name, NULL);
    char *end;
    if (!value)
        return fallback;
    double number = strtod(value, &end);
    if (end == value || *end || number < 0)
        fail("%s must be a number, not '%s'", name, value);
    return number;
}

int option_list(const char *name, const char *fallback, int *numbers, int room)
{
    int found = 0;
    const char *value = option(name, fallback);
    for (char *end; *value && found < room; value = *end == ',' ? end + 1 : end) {
        numbers[found++] = (int)strtol(value, &end, 10);
        if (end == value || (*end && *end != ','))
            fail("%s must be numbers with commas between them, not '%s'", name, option(name, fallback));
    }
    return found;
}

void fail(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, rest);
    fputc('\n', stderr);
    va_end(rest);
    exit(1);
}
