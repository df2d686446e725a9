/* The least that a WebSocket server can do, to show what the load client itself can count: echo PORT
 *
 * /echo answers each frame with itself, /publish sends each to all on /member, and any other request gets a 200. One
 * thread, epoll. It trusts its client: small whole frames, no fragments.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 65536
enum role { HTTP, ECHO, PUBLISH, MEMBER };

struct connection {
    bool open, upgraded, waiting;
    enum role role;
    unsigned char *rest, *out;
    size_t rest_length, out_length, out_room;
};

static struct connection connections[MOST];
static int members[MOST], member_count, waiting[MOST], waiting_count, epoll;
static unsigned char arena[1 << 20];

static uint32_t rotate(uint32_t word, int by) { return word << by | word >> (32 - by); }

/* SHA-1 (RFC 3174) of a text that fits, with its padding, into two blocks. */
static void sha1(const char *text, unsigned char digest[20])
{
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, w[80];
    unsigned char blocks[128] = {0};
    size_t length = strlen(text);
    memcpy(blocks, text, length);
    blocks[length] = 0x80;
    blocks[126] = (unsigned char)(length * 8 >> 8);
    blocks[127] = (unsigned char)(length * 8);
    for (int block = 0; block < 128; block += 64) {
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)blocks[block + i * 4] << 24 | (uint32_t)blocks[block + i * 4 + 1] << 16 |
                   (uint32_t)blocks[block + i * 4 + 2] << 8 | blocks[block + i * 4 + 3];
        for (int i = 16; i < 80; i++)
            w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t next = rotate(a, 5) + f + e + k + w[i];
            e = d, d = c, c = rotate(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++)
        digest[i] = (unsigned char)(h[i / 4] >> (24 - i % 4 * 8));
}

static void accept_value(const char *key, char value[29])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[64];
    unsigned char digest[21] = {0};
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(text, digest);
    for (int i = 0, to = 0; i < 21; i += 3) {
        uint32_t bits = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | digest[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            value[to++] = digits[bits >> shift & 63];
    }
    value[27] = '=';
    value[28] = 0;
}

/* Keep for the end of the turn, so that what one socket gets in a turn leaves in one call. */
static void answer(int fd, const void *data, size_t size)
{
    struct connection *c = &connections[fd];
    if (c->out_length + size > c->out_room) {
        c->out_room = (c->out_length + size) * 2;
        c->out = realloc(c->out, c->out_room);
    }
    memcpy(c->out + c->out_length, data, size);
    c->out_length += size;
    if (!c->waiting)
        waiting[waiting_count++] = fd;
    c->waiting = true;
}

static void flush(int fd)
{
    struct connection *c = &connections[fd];
    if (!c->out_length)
        return;
    ssize_t sent = send(fd, c->out, c->out_length, MSG_NOSIGNAL);
    if (sent > 0) {
        c->out_length -= (size_t)sent;
        memmove(c->out, c->out + sent, c->out_length);
    }
}

static void end(int fd)
{
    struct connection *c = &connections[fd];
    for (int i = 0; c->role == MEMBER && i < member_count; i++)
        if (members[i] == fd) {
            members[i] = members[--member_count];
            break;
        }
    free(c->rest);
    free(c->out);
    for (int i = 0; c->waiting && i < waiting_count; i++)
        if (waiting[i] == fd) {
            waiting[i] = waiting[--waiting_count];
            break;
        }
    *c = (struct connection){0};
    close(fd);
}

static size_t request(int fd, unsigned char *data, size_t length)
{
    struct connection *c = &connections[fd];
    unsigned char *stop = memmem(data, length, "\r\n\r\n", 4);
    if (!stop)
        return 0;
    char *key = memmem(data, length, "Sec-WebSocket-Key: ", 19), accept[29], text[256];
    if (!key) {
        static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
        answer(fd, ok, sizeof ok - 1);
        return (size_t)(stop + 4 - data);
    }
    c->upgraded = true;
    c->role = !memcmp(data, "GET /publish", 12) ? PUBLISH : !memcmp(data, "GET /member", 11) ? MEMBER : ECHO;
    if (c->role == MEMBER)
        members[member_count++] = fd;
    accept_value(key + 19, accept);
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    answer(fd, text, (size_t)size);
    return (size_t)(stop + 4 - data);
}

/* One masked frame; returns its length, 0 where it is not whole, or -1 when the connection has ended. */
static ssize_t frame(int fd, unsigned char *data, size_t length)
{
    struct connection *c = &connections[fd];
    size_t size = length > 1 ? data[1] & 127 : 0, start = 2;
    if (length < 2 || (size == 126 && length < 4))
        return 0;
    if (size == 126) {
        size = (size_t)data[2] << 8 | data[3];
        start = 4;
    }
    if (length < start + 4 + size)
        return 0;
    unsigned char *mask = data + start, *payload = data + start + 4, reply[65536 + 4];
    for (size_t i = 0; i < size; i++)
        reply[start + i] = payload[i] ^ mask[i & 3];
    reply[0] = data[0];
    reply[1] = data[1] & 127;
    if (start == 4) {
        reply[2] = data[2];
        reply[3] = data[3];
    }
    if ((data[0] & 15) == 8) {
        answer(fd, reply, start + size);
        flush(fd);
        end(fd);
        return -1;
    }
    if (c->role == PUBLISH)
        for (int i = 0; i < member_count; i++)
            answer(members[i], reply, start + size);
    else
        answer(fd, reply, start + size);
    return (ssize_t)(start + 4 + size);
}

static void readable(int fd)
{
    struct connection *c = &connections[fd];
    size_t length = c->rest_length, used = 0;
    memcpy(arena, c->rest ? c->rest : arena, length);
    ssize_t got = recv(fd, arena + length, sizeof arena - length, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(fd);
        return;
    }
    length += (size_t)got;
    for (ssize_t step = 1; step > 0 && used < length; used += step > 0 ? (size_t)step : 0) {
        step = c->upgraded ? frame(fd, arena + used, length - used) : (ssize_t)request(fd, arena + used, length - used);
        if (step < 0)
            return;
    }
    c->rest_length = length - used;
    if (c->rest_length) {
        c->rest = realloc(c->rest, c->rest_length);
        memcpy(c->rest, arena + used, c->rest_length);
    }
}

static void watch(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(int count, char **arguments)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(count > 1 ? arguments[1] : "0")),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("echo");
        return 1;
    }
    epoll = epoll_create1(0);
    watch(listener, EPOLLIN);
    for (struct epoll_event events[512];;) {
        int ready = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    connections[fd] = (struct connection){.open = true};
                    watch(fd, EPOLLIN | EPOLLOUT | EPOLLET);
                }
                continue;
            }
            if (connections[fd].open && events[i].events & EPOLLOUT)
                flush(fd);
            if (connections[fd].open && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                readable(fd);
        }
        for (int i = 0; i < waiting_count; i++) {
            connections[waiting[i]].waiting = false;
            flush(waiting[i]);
        }
        waiting_count = 0;
    }
}
