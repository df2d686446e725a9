/* http: connections=50 path=/
 *
 * One request in flight on each connection, which is kept alive where the server does so, and else opened again: that
 * is part of what a request costs there.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char request[512];
static size_t request_length;
static uint64_t failed, reopened;
static bool running;

static void ask(struct connection *c, uint64_t since)
{
    c->since = since;
    c->kind = 1; /* an answer is due */
    send_bytes(c, (unsigned char *)request, request_length);
}

static void connected(struct connection *c, uint64_t now)
{
    (void)now;
    c->state = OPEN;
    ask(c, c->since);
}

static void closed(struct connection *c, enum state before)
{
    (void)before;
    failed += c->kind;
    c->kind = 0;
    if (running) {
        reopened++;
        connection_open(c, c->port, NULL, clock_ns());
    }
}

/* Return the value of a header in *head*, or NULL. */
static const char *header(const char *head, const char *end, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = head; line && line < end; line = memmem(line, (size_t)(end - line), "\r\n", 2)) {
        line += line == head ? 0 : 2;
        if ((size_t)(end - line) > length && strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1;
            while (*value == ' ')
                value++;
            return value;
        }
    }
    return NULL;
}

/* Return the length of a whole response at *data*, or 0. */
static size_t response(const unsigned char *data, size_t length, bool *last)
{
    const char *start = (const char *)data, *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    const char *size = header(start, end + 2, "content-length"), *kept = header(start, end + 2, "connection");
    *last = kept && strncasecmp(kept, "close", 5) == 0;
    size_t body = (size_t)(end + 4 - start);
    if (size) {
        size_t whole = body + strtoul(size, NULL, 10);
        return whole <= length ? whole : 0;
    }
    /* Chunked: small answers of a known view, so that the last chunk cannot be mistaken. */
    const unsigned char *tail = memmem(data + body, length - body, "0\r\n\r\n", 5);
    return tail ? (size_t)(tail + 5 - data) : 0;
}

static size_t bytes(struct connection *c, const unsigned char *data, size_t length, uint64_t now)
{
    bool last = false;
    size_t used = response(data, length, &last);
    if (!used)
        return 0;
    if (c->kind) {
        if (length > 12 && memcmp(data + 9, "200", 3) == 0)
            measure_add(now - c->since);
        else
            failed++;
    }
    c->kind = 0;
    if (last)
        connection_drop(c);
    else if (running)
        ask(c, clock_ns());
    return used;
}

void mode_http(void)
{
    int size = (int)option_number("connections", 50);
    struct connection *connections = calloc((size_t)size, sizeof *connections);
    request_length = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                                      option("path", "/"));
    handler = (struct handler){.bytes = bytes, .closed = closed, .connected = connected};
    wait_for_go("http", size);
    uint64_t now = clock_ns(), warm = now + (uint64_t)(option_number("warmup", 0.5) * SECOND);
    uint64_t end = warm + (uint64_t)(option_number("seconds", 2) * SECOND);
    running = true;
    for (int i = 0; i < size; i++)
        connection_open(&connections[i], i % ports_given(), NULL, clock_ns());
    for (; now < end; now = clock_ns()) {
        if (!measure.began && now >= warm) {
            measure_begin(now);
            failed = reopened = 0;
        }
        turn(measure.began ? end : warm);
    }
    measure_end(now);
    running = false;
    measure_print("http", size, ", \"lost\": %llu, \"reopened\": %llu", (unsigned long long)failed,
                  (unsigned long long)reopened);
}
