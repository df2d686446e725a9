/* flow: connections=50 path=/ws/echo/ rate=1500 interval=0.5 patience=3 settle=5
 *
 * Echo without an end, for servers that break meanwhile. Each connection has one message in flight; rate messages leave
 * each second over all connections (0: as fast as the answers come). What is not answered within `patience` seconds is
 * given up as lost, and the connection goes on; one that closes comes back. Every `interval` seconds one line of JSON
 * tells what happened since the last. A line on standard input ends it: it waits up to `settle` seconds for answers.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE, WAITING };

/* From when on a message without an answer is told as overdue, and when a connection that closed comes back. */
#define OVERDUE SECOND
#define AGAIN_LEAST (SECOND / 5)
#define AGAIN_MOST (3 * SECOND / 2)

static struct {
    uint64_t sent, answered, lost, late, cut, closed, refused, wrong, stall, last;
    struct histogram latency;
} told;

static struct connection *connections;
static uint64_t *again;
/* Numbers that a connection gave up and that may be answered yet: late, and after newer ones, as two workers have no order. */
enum { GIVEN_UP = 4 };

static int64_t *answered; /* the last number that each connection got an answer to, or -1 */
static int64_t (*given_up)[GIVEN_UP];
static const char *path;
static int size;
static uint32_t number;
static bool paced, sending;

static void ask(struct connection *c, uint64_t since)
{
    c->kind = WAITING;
    c->since = since;
    told.sent++;
    send_message(c, dialect.before, number++);
}

static void message(struct connection *c, uint32_t got, uint64_t now)
{
    int64_t *before = &answered[c - connections];
    for (int i = 0; i < GIVEN_UP; i++) {
        int64_t *one = &given_up[c - connections][i];
        if (*one == got) {
            *one = -1;
            *before = got > *before ? got : *before;
            told.late++;
            return;
        }
    }
    /* Each number is sent once, and they grow: an older one was answered before, or is not ours. */
    if (c->number == NO_NUMBER || got <= *before || got > c->number) {
        told.wrong++;
        return;
    }
    *before = got;
    if (c->kind != WAITING || got != c->number) {
        told.late++;
        return;
    }
    c->kind = IDLE;
    told.answered++;
    histogram_add(&told.latency, now - c->since);
    if (now - told.last > told.stall)
        told.stall = now - told.last;
    told.last = now;
    if (sending && !paced)
        ask(c, clock_ns());
}

static void opened(struct connection *c, uint64_t now)
{
    c->kind = IDLE;
    if (sending && !paced)
        ask(c, now);
}

static void closed(struct connection *c, enum state before)
{
    uint64_t wait = AGAIN_LEAST + (uint64_t)((double)rand() / RAND_MAX * (double)(AGAIN_MOST - AGAIN_LEAST));
    again[c - connections] = clock_ns() + wait;
    if (before != OPEN) {
        told.refused++;
        return;
    }
    told.closed++;
    told.cut += c->kind == WAITING;
    c->kind = IDLE;
}

/* Bring back who closed, and give up what was lost; returns how many messages are overdue. */
static int tend(uint64_t now, uint64_t patience)
{
    int overdue = 0;
    for (int i = 0; i < size; i++) {
        struct connection *c = &connections[i];
        if (c->state == UNUSED && sending && again[i] <= now) {
            connection_open(c, i % ports_given(), path, now);
        } else if (c->state == OPEN && c->kind == WAITING && now > c->since + patience) {
            told.lost++;
            memmove(&given_up[i][1], &given_up[i][0], sizeof given_up[i] - sizeof given_up[i][0]);
            given_up[i][0] = c->number;
            c->kind = IDLE;
            if (sending && !paced)
                ask(c, now);
        }
        overdue += c->state == OPEN && c->kind == WAITING && now > c->since + OVERDUE;
    }
    return overdue;
}

static void tell(uint64_t now, int overdue, bool end)
{
    int open = 0;
    for (int i = 0; i < size; i++)
        open += connections[i].state == OPEN;
    /* A silence that still lasts counts too, unless nobody asks. */
    if (sending && told.last && now - told.last > told.stall)
        told.stall = now - told.last;
    printf("{\"at\": %.3f, \"end\": %s, \"sent\": %llu, \"answered\": %llu, \"lost\": %llu, \"late\": %llu, "
           "\"cut\": %llu, \"closed\": %llu, \"refused\": %llu, \"wrong\": %llu, \"strange\": %llu, \"open\": %d, "
           "\"overdue\": %d, \"stall_ms\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n",
           (double)now / SECOND, end ? "true" : "false", (unsigned long long)told.sent,
           (unsigned long long)told.answered, (unsigned long long)told.lost, (unsigned long long)told.late,
           (unsigned long long)told.cut, (unsigned long long)told.closed, (unsigned long long)told.refused,
           (unsigned long long)told.wrong, (unsigned long long)strange_frames, open, overdue,
           (double)told.stall / 1e6, histogram_us(&told.latency, 0.5) / 1000,
           histogram_us(&told.latency, 0.99) / 1000, (double)told.latency.longest / 1e6);
    fflush(stdout);
    uint64_t last = told.last;
    memset(&told, 0, sizeof told);
    told.last = last;
    strange_frames = 0;
}

static struct connection *idle_one(void)
{
    static int next;
    for (int i = 0; i < size; i++) {
        struct connection *c = &connections[next++ % size];
        if (c->state == OPEN && c->kind == IDLE)
            return c;
    }
    return NULL;
}

void mode_flow(void)
{
    double rate = option_number("rate", 0);
    uint64_t interval = (uint64_t)(option_number("interval", 0.5) * SECOND);
    uint64_t patience = (uint64_t)(option_number("patience", 3) * SECOND);
    uint64_t step = rate > 0 ? (uint64_t)(SECOND / rate) : 0;
    size = (int)option_number("connections", 50);
    path = option("path", "/echo");
    paced = rate > 0;
    connections = calloc((size_t)size, sizeof *connections);
    again = calloc((size_t)size, sizeof *again);
    answered = malloc((size_t)size * sizeof *answered);
    given_up = malloc((size_t)size * sizeof *given_up);
    memset(given_up, -1, (size_t)size * sizeof *given_up);
    for (int i = 0; i < size; i++)
        answered[i] = -1;
    handler = (struct handler){.message = message, .closed = closed};
    connect_members(connections, 0, size, path);
    wait_for_go("flow", size);
    handler = (struct handler){.opened = opened, .message = message, .closed = closed};
    uint64_t now = clock_ns(), due = now, next_line = now + interval, next_tend = now;
    sending = true;
    told.last = now;
    for (int i = 0; i < size && !paced; i++)
        if (connections[i].state == OPEN)
            ask(&connections[i], now);
    for (int overdue = 0; !told_to_go(); now = clock_ns()) {
        if (now >= next_tend) {
            overdue = tend(now, patience);
            next_tend = now + SECOND / 50;
        }
        if (now >= next_line) {
            tell(now, overdue, false);
            next_line += interval;
        }
        /* What could not leave in a tenth of a second never will: no flood after a standstill. */
        if (due + SECOND / 10 < now)
            due = now - SECOND / 10;
        struct connection *c = NULL;
        while (paced && due <= now && (c = idle_one())) {
            ask(c, due);
            due += step;
        }
        turn(paced && due > now && due < next_tend ? due : next_tend);
    }
    sending = false;
    for (uint64_t limit = now + (uint64_t)(option_number("settle", 5) * SECOND), waiting = 1; waiting && now < limit;) {
        turn(clock_ns() + SECOND / 20);
        now = clock_ns();
        tend(now, patience);
        waiting = 0;
        for (int i = 0; i < size; i++)
            waiting += connections[i].state == OPEN && connections[i].kind == WAITING;
    }
    for (int i = 0; i < size; i++)
        told.lost += connections[i].state == OPEN && connections[i].kind == WAITING;
    tell(now, 0, true);
}
