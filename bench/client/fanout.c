/* fanout: members=500 windows=1,8,32 path=/member publish_path=/publish [messages=N] [half=1]
 * burst: members=1000 messages=1000 burst_path=/burst
 *
 * Both: [quiet=5] seconds without any delivery after which what is under way counts as lost [drain=20] and at most.
 *
 * fanout: one more connection publishes, and has at most a window of group messages that some member still lacks. With
 * half, the best window is followed by a steady load at half of what it reached.
 * burst: one message makes the server send that many to the group at once.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

#define RING 65536
/* A server that delivers a whole group message at once has to finish some, or what is counted is chance. So counting
 * begins and ends when a message is complete, if that comes within this. */
#define BEGIN_WITHIN (3 * SECOND)
#define END_WITHIN (6 * SECOND)

static struct { uint64_t since; uint32_t count; } ring[RING];
static struct connection *members, publisher;
static int size;
static uint32_t first, next_number; /* of this phase: the numbers of its first and its next message */
static uint64_t delivered, dropped, disordered, outstanding, last_delivery, given_up, completed, quiet;

static void message(struct connection *c, uint32_t number, uint64_t now)
{
    if (number - first >= next_number - first)
        return; /* of an earlier phase */
    if (c->number != NO_NUMBER && (int32_t)(number - c->number) <= 0)
        disordered++;
    c->number = number;
    delivered++;
    last_delivery = now;
    measure_add(now - ring[number % RING].since);
    if (++ring[number % RING].count == (uint32_t)size && outstanding) {
        outstanding--;
        completed++;
    }
}

static void closed(struct connection *c, enum state before)
{
    (void)c, (void)before;
    dropped++;
}

static void publish(uint64_t since)
{
    ring[next_number % RING].since = since;
    ring[next_number % RING].count = 0;
    outstanding++;
    send_message(&publisher, dialect.publish, next_number++);
}

static void begin(void)
{
    first = next_number;
    delivered = dropped = disordered = outstanding = given_up = completed = 0;
    quiet = (uint64_t)(option_number("quiet", 5) * SECOND);
    last_delivery = clock_ns();
    measure = (struct measure){0};
}

/* Nothing came for long: what is outstanding will not come. */
static void give_up_if_quiet(uint64_t now)
{
    if (outstanding && now - last_delivery > quiet) {
        given_up += outstanding;
        outstanding = 0;
        last_delivery = now;
    }
}

static void drain(uint64_t limit)
{
    while (outstanding && clock_ns() < limit && publisher.state == OPEN) {
        turn(clock_ns() + SECOND / 10);
        give_up_if_quiet(clock_ns());
    }
}

static void print(const char *phase, int window, double target)
{
    uint64_t published = next_number - first, expected = published * (uint64_t)size;
    measure_print(phase, size,
                  ", \"window\": %d, \"published\": %llu, \"expected\": %llu, \"delivered\": %llu, \"lost\": %lld, "
                  "\"disordered\": %llu, \"dropped\": %llu, \"target\": %.1f",
                  window, (unsigned long long)published, (unsigned long long)expected, (unsigned long long)delivered,
                  (long long)(expected - delivered), (unsigned long long)disordered, (unsigned long long)dropped, target);
}

/* Returns group messages a second. */
static double run(const char *phase, int window, double rate, uint64_t at_most)
{
    begin();
    uint64_t started = clock_ns(), warm = started + (uint64_t)(option_number("warmup", 0.5) * SECOND);
    uint64_t end = warm + (uint64_t)(option_number("seconds", 2) * SECOND), now = started, due = started;
    uint64_t step = rate > 0 ? (uint64_t)(SECOND / rate) : 0;
    if (at_most)
        warm = started;
    uint64_t before = 0; /* messages that were complete when counting had to begin, and then, to end */
    for (bool warming = true, ending = false; publisher.state == OPEN; now = clock_ns()) {
        if (warming && now >= warm) {
            warming = false;
            before = completed;
        }
        if (!measure.began && !warming && (at_most || step || completed > before || now >= warm + BEGIN_WITHIN)) {
            measure_begin(now);
            end = now + end - warm;
        }
        if (measure.began && !ending && now >= end) {
            ending = true;
            before = completed;
        }
        if (ending && (at_most || step || completed > before || now >= end + END_WITHIN))
            break;
        if (step)
            for (; due <= now && outstanding < (uint64_t)window; due += step)
                publish(due);
        else
            while (outstanding < (uint64_t)window && (!at_most || next_number - first < at_most))
                publish(clock_ns());
        if (at_most && next_number - first == at_most && !outstanding)
            break;
        uint64_t until = warming ? warm : measure.began && now < end ? end : now + SECOND / 100;
        if (step && due < until && outstanding < (uint64_t)window)
            until = due;
        else if (last_delivery + quiet + 1 < until)
            until = last_delivery + quiet + 1;
        turn(until);
        give_up_if_quiet(clock_ns());
    }
    measure_end(now);
    drain(clock_ns() + (uint64_t)(option_number("drain", 20) * SECOND));
    print(phase, window, rate);
    return (double)measure.count / size / ((double)(measure.ended - measure.began) / SECOND);
}

static void connect_all(const char *path)
{
    size = (int)option_number("members", 500);
    members = calloc((size_t)size, sizeof *members);
    handler = (struct handler){.message = message, .closed = closed};
    connect_members(members, 0, size, option("path", "/member"));
    connect_members(&publisher, 0, 1, path);
}

void mode_fanout(void)
{
    int windows[16], count = option_list("windows", "1,8", windows, 16);
    double best = 0;
    connect_all(option("publish_path", "/publish"));
    uint64_t messages = (uint64_t)option_number("messages", 0);
    if (messages) {
        wait_for_go("fanout-counted", size);
        run("fanout-counted", 1, 0, messages);
    }
    for (int i = 0; i < count; i++) {
        wait_for_go("fanout", size);
        double reached = run("fanout", windows[i], 0, 0);
        best = reached > best ? reached : best;
    }
    if (option_number("half", 0) > 0) {
        wait_for_go("fanout-steady", size);
        run("fanout-steady", RING / 2, best / 2, 0);
    }
}

void mode_burst(void)
{
    uint32_t messages = (uint32_t)option_number("messages", 1000);
    if (messages > RING)
        fail("messages: at most %d in a burst", RING);
    connect_all(option("burst_path", "/burst"));
    wait_for_go("burst", size);
    begin();
    uint64_t now = clock_ns(), limit = now + (uint64_t)(option_number("drain", 20) * SECOND);
    for (uint32_t i = 0; i < messages; i++) {
        ring[i].since = now;
        ring[i].count = 0;
    }
    next_number = messages;
    outstanding = messages;
    measure_begin(now);
    send_message(&publisher, dialect.publish, messages);
    drain(limit);
    measure_end(outstanding || given_up ? last_delivery : clock_ns());
    print("burst", (int)messages, 0);
}
