/* storm: at_once=100 path=/echo
 *
 * Connect, wait until accepted, close, again, with so many at once. Latency: from connecting until accepted.
 */
#include "load.h"

#include <stdlib.h>

static const char *path;
static uint64_t refused;
static bool running;

static void opened(struct connection *c, uint64_t now)
{
    c->number = 1; /* accepted */
    c->since = now - c->since;
    connection_close(c);
}

static void closed(struct connection *c, enum state before)
{
    (void)before;
    if (c->number == 1)
        measure_add(c->since);
    else
        refused++;
    if (running)
        connection_open(c, c->port, path, clock_ns());
}

void mode_storm(void)
{
    int at_once = (int)option_number("at_once", 100);
    struct connection *connections = calloc((size_t)at_once, sizeof *connections);
    path = option("path", "/echo");
    handler = (struct handler){.opened = opened, .closed = closed};
    wait_for_go("storm", at_once);
    uint64_t now = clock_ns(), warm = now + (uint64_t)(option_number("warmup", 0.5) * SECOND);
    uint64_t end = warm + (uint64_t)(option_number("seconds", 2) * SECOND);
    running = true;
    for (int i = 0; i < at_once; i++)
        connection_open(&connections[i], i % ports_given(), path, clock_ns());
    for (; now < end; now = clock_ns()) {
        if (!measure.began && now >= warm) {
            measure_begin(now);
            refused = 0;
        }
        turn(measure.began ? end : warm);
    }
    measure_end(now);
    running = false;
    measure_print("storm", at_once, ", \"lost\": %llu", (unsigned long long)refused);
}
