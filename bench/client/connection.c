/* Connections and the event loop. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PORTS 16
#define EVENTS 512

struct handler handler;

static int epoll = -1, timer = -1, port_count;
static struct sockaddr_in addresses[PORTS];
static unsigned char arena[1 << 20];
static bool go;

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void connections_start(const char *ports)
{
    char *copy = strdup(ports), *position = NULL;
    for (char *each = strtok_r(copy, ",", &position); each; each = strtok_r(NULL, ",", &position)) {
        if (port_count == PORTS)
            fail("ports: at most %d", PORTS);
        addresses[port_count++] = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(each)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    }
    free(copy);
    if (!port_count)
        fail("ports: none given");
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &timer};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
}

int ports_given(void) { return port_count; }

static void buffer_set(unsigned char **buffer, uint32_t *length, uint32_t *room, const unsigned char *data, size_t size)
{
    if (size > *room) {
        *room = (uint32_t)size * 2;
        *buffer = realloc(*buffer, *room);
        if (!*buffer)
            fail("out of memory");
    }
    if (size)
        memmove(*buffer, data, size);
    *length = (uint32_t)size;
}

void connection_drop(struct connection *c)
{
    enum state before = c->state;
    if (before == UNUSED)
        return;
    close(c->fd);
    c->fd = -1;
    c->state = UNUSED;
    c->rest_length = c->out_length = 0;
    if (handler.closed)
        handler.closed(c, before);
}

void send_bytes(struct connection *c, const unsigned char *data, size_t size)
{
    if (!c->out_length) {
        ssize_t sent = send(c->fd, data, size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR)
                return; /* the loop hears of it as an event */
            sent = 0;
        }
        if ((size_t)sent == size)
            return;
        data += sent;
        size -= (size_t)sent;
        buffer_set(&c->out, &c->out_length, &c->out_room, data, size);
        return;
    }
    if (c->out_length + size > c->out_room) {
        c->out_room = (uint32_t)(c->out_length + size) * 2;
        c->out = realloc(c->out, c->out_room);
        if (!c->out)
            fail("out of memory");
    }
    memcpy(c->out + c->out_length, data, size);
    c->out_length += (uint32_t)size;
}

static void writable(struct connection *c)
{
    if (!c->out_length)
        return;
    ssize_t sent = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL);
    if (sent > 0)
        buffer_set(&c->out, &c->out_length, &c->out_room, c->out + sent, c->out_length - (size_t)sent);
}

void connection_open(struct connection *c, int port, const char *path, uint64_t now)
{
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        fail("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    c->port = (uint16_t)port;
    c->since = now;
    c->number = NO_NUMBER;
    c->rest_length = c->out_length = 0;
    if (path) {
        char request[1024];
        int size = snprintf(request, sizeof request,
                            "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                            path, ntohs(addresses[port].sin_port), handler.headers ? handler.headers(c) : "");
        buffer_set(&c->out, &c->out_length, &c->out_room, (unsigned char *)request, (size_t)size);
    }
    if (connect(c->fd, (struct sockaddr *)&addresses[port], sizeof addresses[port]) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void readable(struct connection *c)
{
    for (;;) {
        size_t have = c->rest_length, used = 0;
        if (have)
            memcpy(arena, c->rest, have);
        ssize_t got = recv(c->fd, arena + have, sizeof arena - have, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            connection_drop(c);
            return;
        }
        uint64_t now = clock_ns();
        size_t length = have + (size_t)got;
        bool full = length == sizeof arena;
        if (handler.bytes) {
            used = handler.bytes(c, arena, length, now);
        } else {
            used = websocket_bytes(c, arena, length, now);
        }
        if (c->state < UPGRADING)
            return; /* closed, or already connecting anew, by what it got */
        buffer_set(&c->rest, &c->rest_length, &c->rest_room, arena + used, length - used);
        if (!full)
            return;
    }
}

static void event_of(struct connection *c, uint32_t events)
{
    if (c->state == UNUSED)
        return;
    if (c->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            connection_drop(c);
            return;
        }
        if (!(events & EPOLLOUT))
            return;
        c->state = UPGRADING;
        if (handler.connected)
            handler.connected(c, clock_ns());
    }
    if (events & EPOLLOUT)
        writable(c);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        readable(c);
}

void turn(uint64_t until)
{
    struct epoll_event events[EVENTS];
    struct itimerspec at = {.it_value = {.tv_sec = (time_t)(until / SECOND), .tv_nsec = (long)(until % SECOND)}};
    static uint64_t armed;
    if (until != armed) {
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
        armed = until;
    }
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &timer) {
            uint64_t expired;
            if (read(timer, &expired, sizeof expired) > 0)
                armed = 0;
        } else if (events[i].data.ptr == &go) {
            char line[64];
            ssize_t got = read(STDIN_FILENO, line, sizeof line);
            if (got == 0)
                exit(1); /* whoever drives us is gone */
            go = got > 0;
        } else {
            event_of(events[i].data.ptr, events[i].events);
        }
    }
}

/* Say that a phase can begin, and go on answering pings until a line comes on standard input. */
void wait_for_go(const char *phase, int size)
{
    static bool added;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &go};
    if (!added && epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
        return; /* no pipe: a person is trying it out */
    added = true;
    printf("{\"ready\": \"%s\", \"size\": %d}\n", phase, size);
    fflush(stdout);
    for (go = false; !go;)
        turn(clock_ns() + SECOND);
    go = false;
}

bool told_to_go(void) { return go; }
