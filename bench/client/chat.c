/* chat: people=FILE text= tag= [joins=0]
 *
 * The chat's own protocol on /ws/. FILE has a line for each connection: its session, its room's slug, and "send" or
 * "read". All of them join their room. In the phase `stored` each sender has one message in flight and sends the next one
 * when it is acknowledged; everybody's messages are counted and their numbers looked at. With joins=N there is the phase
 * `join` instead: the first connection leaves and joins, N times, in the order of the file's rooms, one at a time, and the
 * latency is that of joining. Messages are named TAG and their number.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, TEXT = 512 };
enum { NEW, IDLE, WAITING, LEAVING };

struct person {
    char session[80], room[128], before[TEXT];
    bool sends;
    long long first, last; /* number of the room's last message when it joined, and the largest since */
    uint64_t got;
};

static struct person people[MOST];
static struct connection *connections;
static int size, joined, next_room, left_to_join;
static uint32_t number;
static uint64_t delivered, overtaken, errors, resent, dropped, joined_bytes; /* what came out */
static bool sending, counting;

static struct person *person_of(struct connection *c) { return &people[c - connections]; }

static const char *headers(struct connection *c)
{
    static char text[256];
    snprintf(text, sizeof text, "Cookie: sessionid=%s\r\n", person_of(c)->session);
    return text;
}

static void ask(struct connection *c, uint64_t now)
{
    c->kind = WAITING;
    c->since = now;
    send_message(c, person_of(c)->before, number++);
}

static void say(struct connection *c, const char *type, const char *room)
{
    char text[TEXT];
    int length = snprintf(text, sizeof text, "{\"stream\":\"chat\",\"payload\":{\"type\":\"%s\",\"room\":\"%s\"}}", type, room);
    c->since = clock_ns();
    send_text(c, text, (size_t)length);
}

static bool has(const unsigned char *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}

static long long number_after(const unsigned char *data, size_t size, const char *name)
{
    const unsigned char *found = memmem(data, size, name, strlen(name));
    return found ? strtoll((const char *)found + strlen(name), NULL, 10) : -1;
}

static void heard(struct connection *c, const unsigned char *data, size_t size)
{
    struct person *person = person_of(c);
    long long seq = number_after(data, size, "\"seq\":");
    /* Two workers that tell of two messages may overtake each other; a page then waits for the one between. */
    overtaken += seq != person->last + 1;
    if (seq > person->last)
        person->last = seq;
    person->got++;
    delivered += counting;
}

static void text(struct connection *c, const unsigned char *data, size_t size, uint64_t now)
{
    /* The type stands at the beginning, and no text of ours looks like one. */
    size_t head = size < 80 ? size : 80;
    if (has(data, head, "\"type\":\"message\"")) {
        heard(c, data, size);
    } else if (has(data, head, "\"type\":\"ack\"")) {
        resent += has(data, size, "\"dup\":true");
        if (c->kind == WAITING) {
            measure_add(now - c->since);
            c->kind = IDLE;
            if (sending)
                ask(c, clock_ns());
        }
    } else if (has(data, head, "\"type\":\"joined\"")) {
        person_of(c)->first = person_of(c)->last = number_after(data, size, "\"seq\":");
        joined++;
        joined_bytes += size;
        if (c->kind == WAITING)
            measure_add(now - c->since);
        c->kind = IDLE;
    } else if (has(data, head, "\"type\":\"left\"")) {
        c->kind = IDLE;
    } else if (has(data, head, "\"type\":\"error\"")) {
        if (!errors++)
            fprintf(stderr, "load: %.*s\n", (int)(size < 300 ? size : 300), (const char *)data);
        c->kind = IDLE;
    }
}

static void opened(struct connection *c, uint64_t now)
{
    (void)now;
    c->kind = NEW;
    say(c, "join", person_of(c)->room);
}

static void closed(struct connection *c, enum state before)
{
    (void)c, (void)before;
    dropped++;
}

static void read_people(const char *path, const char *tag)
{
    char kind[8], room[128];
    FILE *file = fopen(path, "r");
    if (!file)
        fail("people: cannot read %s", path);
    while (size < MOST && fscanf(file, "%79s %127s %7s", people[size].session, room, kind) == 3) {
        struct person *person = &people[size++];
        memcpy(person->room, room, sizeof room);
        person->sends = strcmp(kind, "send") == 0;
        snprintf(person->before, TEXT, "{\"stream\":\"chat\",\"payload\":{\"type\":\"send\",\"room\":\"%s\",\"id\":\"%s",
                 room, tag);
    }
    fclose(file);
    if (!size)
        fail("people: nobody is in %s", path);
}

static void store(void)
{
    uint64_t now = clock_ns(), warm = now + (uint64_t)(option_number("warmup", 0.5) * SECOND);
    uint64_t end = warm + (uint64_t)(option_number("seconds", 2) * SECOND), waiting = 1;
    sending = true;
    for (int i = 0; i < size; i++)
        if (people[i].sends)
            ask(&connections[i], clock_ns());
    for (; now < end; now = clock_ns()) {
        if (!measure.began && now >= warm) {
            measure_begin(now);
            counting = true;
        }
        turn(measure.began ? end : warm);
    }
    measure_end(now);
    sending = counting = false;
    for (uint64_t limit = now + 5 * SECOND; waiting && clock_ns() < limit;) {
        turn(clock_ns() + SECOND / 10);
        waiting = 0;
        for (int i = 0; i < size; i++)
            waiting += connections[i].kind == WAITING;
    }
    /* All in a room must have got the same, each number once. */
    uint64_t wrong = 0;
    for (int i = 0; i < size; i++) {
        wrong += people[i].last - people[i].first != (long long)people[i].got;
        for (int k = 0; k < i; k++)
            wrong += strcmp(people[i].room, people[k].room) == 0 && people[i].last != people[k].last;
    }
    measure_print("stored", size,
                  ", \"delivered\": %llu, \"wrong\": %llu, \"overtaken\": %llu, \"errors\": %llu, \"resent\": %llu, "
                  "\"dropped\": %llu, \"unanswered\": %llu",
                  (unsigned long long)delivered, (unsigned long long)wrong, (unsigned long long)overtaken,
                  (unsigned long long)errors, (unsigned long long)resent, (unsigned long long)dropped,
                  (unsigned long long)waiting);
}

static void wait_idle(struct connection *c)
{
    for (uint64_t limit = clock_ns() + 20 * SECOND; c->kind != IDLE;) {
        turn(clock_ns() + SECOND / 10);
        if (c->state != OPEN || clock_ns() > limit)
            fail("join: no answer");
    }
}

static void join(int times)
{
    struct connection *c = &connections[0];
    char *room = people[0].room;
    joined_bytes = 0;
    measure_begin(clock_ns());
    for (left_to_join = times; left_to_join; left_to_join--) {
        c->kind = LEAVING;
        say(c, "leave", room);
        wait_idle(c);
        room = people[++next_room % size].room;
        c->kind = WAITING;
        say(c, "join", room);
        wait_idle(c);
    }
    measure_end(clock_ns());
    measure_print("join", size, ", \"errors\": %llu, \"bytes\": %llu", (unsigned long long)errors,
                  (unsigned long long)(joined_bytes / (uint64_t)times));
}

void mode_chat(void)
{
    int joins = (int)option_number("joins", 0);
    read_people(option("people", ""), option("tag", ""));
    int wanted = joins ? 1 : size;
    connections = calloc((size_t)size, sizeof *connections);
    handler = (struct handler){.opened = opened, .text = text, .closed = closed, .headers = headers};
    uint64_t limit = clock_ns() + 30 * SECOND;
    for (int i = 0; i < wanted; i++)
        connection_open(&connections[i], i % ports_given(), "/ws/", clock_ns());
    while (joined < wanted && !dropped && !errors && clock_ns() < limit)
        turn(clock_ns() + SECOND / 10);
    if (joined < wanted)
        fail("%d of %d people did not come in", wanted - joined, wanted);
    wait_for_go(joins ? "join" : "stored", wanted);
    if (joins)
        join(joins);
    else
        store();
}
