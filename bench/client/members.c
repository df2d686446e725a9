/* Opening many connections, some at a time; and the mode that only holds them. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

/* A server that cannot keep up with a flood of handshakes cuts them; this is no test of that. */
#define AT_ONCE 100
#define ATTEMPTS 3

static int connecting, opened_count, refused;
static struct handler outer;

static void opened(struct connection *c, uint64_t now)
{
    (void)c, (void)now;
    connecting--;
    opened_count++;
}

static void closed(struct connection *c, enum state before)
{
    (void)c;
    if (before == OPEN || before == CLOSING) {
        opened_count--;
        if (outer.closed)
            outer.closed(c, before);
        return;
    }
    connecting--;
    refused++;
}

/* Open connections *from* to *to* on *path*, spread over the ports. What a server refuses is tried again. */
void connect_members(struct connection *members, int from, int to, const char *path)
{
    int attempts = 0;
    outer = handler;
    handler = (struct handler){.opened = opened, .message = outer.message, .closed = closed};
    for (;;) {
        int next = from;
        connecting = opened_count = refused = 0;
        for (;;) {
            for (; next < to && connecting < AT_ONCE; next++)
                if (members[next].state == UNUSED) {
                    connecting++;
                    connection_open(&members[next], next % ports_given(), path, clock_ns());
                }
            if (next == to && !connecting)
                break;
            turn(clock_ns() + SECOND);
        }
        bool all = true;
        for (int i = from; i < to; i++)
            all = all && members[i].state == OPEN;
        if (all)
            break;
        if (++attempts == ATTEMPTS)
            fail("%d of %d connections to %s were refused or closed", refused, to - from, path);
    }
    handler = outer;
}

/* idle: size=N path=/member. Connects, says it is ready, and closes when told to. */
void mode_idle(void)
{
    int size = (int)option_number("connections", 100);
    struct connection *members = calloc((size_t)size, sizeof *members);
    connect_members(members, 0, size, option("path", "/member"));
    wait_for_go("idle", size);
    for (int i = 0; i < size; i++)
        if (members[i].state == OPEN)
            connection_close(&members[i]);
    /* A server may take its time; what has not answered by then goes with the process. */
    for (uint64_t end = clock_ns() + 3 * SECOND; clock_ns() < end;) {
        bool open = false;
        for (int i = 0; i < size && !open; i++)
            open = members[i].state != UNUSED;
        if (!open)
            break;
        turn(clock_ns() + SECOND / 20);
    }
}
