/* echo: sizes=1,50,200,1000 path=/echo [rate=N] [half=50]
 *
 * Each connection has one message in flight. With rate, messages leave at that many a second over all connections, and
 * latency counts from when a message was due: a server that falls behind cannot hide it. half: after that size, once more
 * at half of the rate it reached.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

enum { IDLE, WAITING };

static struct connection *connections;
static int size;
static uint64_t dropped, wrong;
static uint32_t number;
static bool paced, sending;

static void ask(struct connection *c, uint64_t since)
{
    c->kind = WAITING;
    c->since = since;
    send_message(c, dialect.before, number++);
}

static void message(struct connection *c, uint32_t got, uint64_t now)
{
    if (c->kind != WAITING || got != c->number) {
        wrong++;
        return;
    }
    c->kind = IDLE;
    measure_add(now - c->since);
    if (sending && !paced)
        ask(c, clock_ns());
}

static void closed(struct connection *c, enum state before)
{
    (void)c, (void)before;
    dropped++;
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

static void run(double rate)
{
    uint64_t started = clock_ns(), warm = started + (uint64_t)(option_number("warmup", 0.5) * SECOND);
    uint64_t end = warm + (uint64_t)(option_number("seconds", 2) * SECOND);
    uint64_t due = started, step = rate > 0 ? (uint64_t)(SECOND / rate) : 0, now = started;
    uint64_t late = 0;
    dropped = wrong = 0;
    paced = rate > 0;
    sending = true;
    measure = (struct measure){0};
    for (int i = 0; i < size && !paced; i++)
        if (connections[i].state == OPEN)
            ask(&connections[i], clock_ns());
    for (; now < end; now = clock_ns()) {
        if (!measure.began && now >= warm)
            measure_begin(now);
        bool blocked = false;
        while (paced && due <= now && !blocked) {
            struct connection *c = idle_one();
            blocked = !c;
            late += blocked;
            if (c) {
                ask(c, due);
                due += step;
            }
        }
        uint64_t until = measure.began ? end : warm;
        /* With all connections waiting, the next event is an answer. */
        turn(paced && !blocked && due < until ? due : until);
    }
    measure_end(now);
    sending = false;
    for (uint64_t limit = now + 5 * SECOND, waiting = 1; waiting && clock_ns() < limit;) {
        turn(clock_ns() + SECOND / 10);
        waiting = 0;
        for (int i = 0; i < size; i++)
            waiting += connections[i].state == OPEN && connections[i].kind == WAITING;
    }
    uint64_t unanswered = 0;
    for (int i = 0; i < size; i++) {
        unanswered += connections[i].state != OPEN || connections[i].kind == WAITING;
        connections[i].kind = IDLE;
    }
    measure_print(rate > 0 ? "echo-steady" : "echo", size, ", \"lost\": %llu, \"dropped\": %llu, \"wrong\": %llu, \"target\": %.1f, \"late\": %llu",
                  (unsigned long long)unanswered, (unsigned long long)dropped, (unsigned long long)wrong, rate,
                  (unsigned long long)late);
}

void mode_echo(void)
{
    int sizes[16], count = option_list("sizes", "50", sizes, 16), open = 0, most = 0;
    const char *path = option("path", "/echo");
    for (int i = 0; i < count; i++)
        most = sizes[i] > most ? sizes[i] : most;
    connections = calloc((size_t)most + 1, sizeof *connections);
    handler = (struct handler){.message = message, .closed = closed};
    for (int i = 0; i < count; i++) {
        size = sizes[i];
        if (size > open) {
            connect_members(connections, open, size, path);
            open = size;
        }
        wait_for_go("echo", size);
        run(option_number("rate", 0));
        if ((int)option_number("half", 0) == size) {
            double half = measure.count / ((double)(measure.ended - measure.began) / SECOND) / 2;
            wait_for_go("echo-steady", size);
            run(half);
        }
    }
}
