/* The little of RFC 6455 that a client of a trusted server needs. */
#define _GNU_SOURCE
#include "load.h"

#include <string.h>

#define LARGEST_BODY 65536

struct dialect dialect;
uint64_t strange_frames;

static char body[LARGEST_BODY];
static size_t body_length;
static const unsigned char MASK[4] = {0x5a, 0x17, 0xc3, 0x8e};

void messages_start(size_t size)
{
    if (size < NUMBER_DIGITS || size > LARGEST_BODY)
        fail("size: must be from %d to %d, not %zu", NUMBER_DIGITS, LARGEST_BODY, size);
    body_length = size;
    memset(body, 'x', size);
}

static size_t head(unsigned char *frame, unsigned char first, size_t size)
{
    size_t used = 2;
    frame[0] = first;
    if (size < 126) {
        frame[1] = (unsigned char)(0x80 | size);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(size >> 8);
        frame[3] = (unsigned char)size;
        used = 4;
    }
    memcpy(frame + used, MASK, 4);
    return used + 4;
}

static size_t masked(unsigned char *to, const void *from, size_t size, size_t position)
{
    const unsigned char *bytes = from;
    for (size_t i = 0; i < size; i++)
        to[i] = bytes[i] ^ MASK[(position + i) & 3];
    return size;
}

static void send_frame(struct connection *c, unsigned char opcode, const void *data, size_t size)
{
    unsigned char frame[256];
    if (size > 125)
        return;
    size_t used = head(frame, 0x80 | opcode, size);
    used += masked(frame + used, data, size, 0);
    send_bytes(c, frame, used);
}

void send_text(struct connection *c, const char *data, size_t size)
{
    static unsigned char frame[LARGEST_BODY + 16];
    if (size > LARGEST_BODY)
        return;
    size_t used = head(frame, 0x81, size);
    used += masked(frame + used, data, size, 0);
    send_bytes(c, frame, used);
}

void send_message(struct connection *c, const char *before, uint32_t number)
{
    static unsigned char frame[LARGEST_BODY + 256];
    static const char digits[] = "0123456789abcdef";
    for (int i = NUMBER_DIGITS - 1, rest = 0; i >= 0; i--, rest += 4)
        body[i] = digits[(number >> rest) & 15];
    size_t around = strlen(before), end = strlen(dialect.after), size = around + body_length + end;
    size_t start = head(frame, 0x81, size);
    masked(frame + start, before, around, 0);
    masked(frame + start + around, body, body_length, around);
    masked(frame + start + around + body_length, dialect.after, end, around + body_length);
    c->number = number;
    send_bytes(c, frame, start + size);
}

void connection_close(struct connection *c)
{
    c->state = CLOSING;
    send_frame(c, 8, "\x03\xe8", 2);
}

static uint32_t number_of(const unsigned char *digits)
{
    uint32_t number = 0;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        unsigned char digit = digits[i];
        number = number << 4 | (uint32_t)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
    }
    return number;
}

static bool begins(const unsigned char *data, size_t size, const char *text)
{
    size_t length = strlen(text);
    return size >= length && memcmp(data, text, length) == 0;
}

static void text_frame(struct connection *c, const unsigned char *data, size_t size, uint64_t now)
{
    if (c->state == GREETING) {
        if (begins(data, size, dialect.greeted)) {
            c->state = OPEN;
            handler.opened(c, now);
        }
        return;
    }
    if (handler.text) {
        handler.text(c, data, size, now);
        return;
    }
    size_t before = strlen(dialect.incoming);
    if (size >= before + NUMBER_DIGITS && memcmp(data, dialect.incoming, before) == 0) {
        if (c->state == OPEN && handler.message)
            handler.message(c, number_of(data + before), now);
    } else if (*dialect.ping && size == strlen(dialect.ping) && begins(data, size, dialect.ping)) {
        send_frame(c, 1, dialect.pong, strlen(dialect.pong));
    } else {
        strange_frames++;
    }
}

/* Walk the frames in *data*; returns how many bytes were whole ones. */
static size_t frames(struct connection *c, const unsigned char *data, size_t length, uint64_t now)
{
    size_t used = 0;
    while (length - used >= 2) {
        const unsigned char *frame = data + used;
        size_t start = 2, size = frame[1] & 127;
        if (size >= 126) {
            size_t bytes = size == 126 ? 2 : 8;
            if (length - used < 2 + bytes)
                break;
            size = 0;
            for (start = 2; start < 2 + bytes; start++)
                size = size << 8 | frame[start];
        }
        if (length - used - start < size)
            break;
        used += start + size;
        int opcode = frame[0] & 15;
        if (opcode == 1 || opcode == 2) {
            text_frame(c, frame + start, size, now);
        } else if (opcode == 9) {
            send_frame(c, 10, frame + start, size);
        } else if (opcode == 8) {
            if (c->state != CLOSING)
                send_frame(c, 8, frame + start, size);
            connection_drop(c);
        } else if (opcode != 10) {
            strange_frames++;
        }
        if (c->state == UNUSED)
            return length;
    }
    return used;
}

static size_t upgraded(struct connection *c, const unsigned char *data, size_t length, uint64_t now)
{
    unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (!begins(data, length, "HTTP/1.1 101")) {
        connection_drop(c);
        return length;
    }
    if (*dialect.greeting) {
        c->state = GREETING;
        send_frame(c, 1, dialect.greeting, strlen(dialect.greeting));
    } else {
        c->state = OPEN;
        handler.opened(c, now);
    }
    return (size_t)(end + 4 - data);
}

size_t websocket_bytes(struct connection *c, const unsigned char *data, size_t length, uint64_t now)
{
    size_t used = c->state == UPGRADING ? upgraded(c, data, length, now) : 0;
    if (c->state > UPGRADING)
        used += frames(c, data + used, length - used, now);
    return used;
}
