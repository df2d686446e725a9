/* The load client: many WebSocket or HTTP connections from one thread over epoll.
 *
 * It counts frames by walking their headers in one buffer and makes no object for any of them, so that it is not what is
 * measured. One program, several modes (main.c); Python drives it (bench/load.py). Linux only.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

/* A message's body begins with its number, 8 hexadecimal digits; the rest is padding. */
#define NUMBER_DIGITS 8
#define NO_NUMBER UINT32_MAX
#define SECOND 1000000000ull

enum state { UNUSED, CONNECTING, UPGRADING, GREETING, OPEN, CLOSING };

struct connection {
    int fd;
    uint8_t state;
    uint8_t kind;              /* for the mode's own use */
    uint16_t port;             /* index of the port it goes to */
    uint32_t number;           /* of the last message seen or sent */
    uint64_t since;            /* ns: when it began to connect, or when its request or message left */
    unsigned char *rest, *out; /* received but incomplete; not yet taken by the kernel */
    uint32_t rest_length, rest_room, out_length, out_room;
};

/* What the peer speaks. WebSocket servers differ only in paths; Socket.IO wraps each message in a packet. */
struct dialect {
    const char *greeting;  /* text sent after the upgrade, or "" */
    const char *greeted;   /* beginning of the answer, after which the connection is open */
    const char *before;    /* text around the body of a message that we send */
    const char *publish;   /* the same for one that the server is to send to the group */
    const char *incoming;  /* text before the body of a message that we get */
    const char *after;
    const char *ping, *pong; /* text frames, or "" */
};

/* What a mode does with its connections. Any of them may be called in the middle of `turn`. */
struct handler {
    void (*opened)(struct connection *, uint64_t now);
    void (*message)(struct connection *, uint32_t number, uint64_t now);
    void (*closed)(struct connection *, enum state before);
    /* Instead of frames, where set: takes the bytes, returns how many it used up. */
    size_t (*bytes)(struct connection *, const unsigned char *, size_t, uint64_t now);
    void (*connected)(struct connection *, uint64_t now); /* with `bytes`: TCP stands */
    /* Instead of `message`, where set: each text frame as it is. */
    void (*text)(struct connection *, const unsigned char *, size_t, uint64_t now);
    /* Where set: lines for the head of the handshake. */
    const char *(*headers)(struct connection *);
};

extern struct dialect dialect;
extern struct handler handler;
extern uint64_t strange_frames; /* that are no message, ping or close */

/* connection.c */
void connections_start(const char *ports);
int ports_given(void);
void connection_open(struct connection *, int port, const char *path, uint64_t now);
void connection_drop(struct connection *);
void send_bytes(struct connection *, const unsigned char *, size_t);
void turn(uint64_t until); /* one round of events; returns at `until` (ns) at the latest */
void wait_for_go(const char *phase, int size);
bool told_to_go(void); /* whether a line came since `wait_for_go` returned */
void raise_open_files(void);
uint64_t clock_ns(void);

/* websocket.c */
void messages_start(size_t body_size);
void send_message(struct connection *, const char *before, uint32_t number);
void send_text(struct connection *, const char *, size_t); /* up to 64 KiB */
void connection_close(struct connection *); /* close handshake */
/* What a server sent; returns how many bytes were whole frames, or the answer to the upgrade. */
size_t websocket_bytes(struct connection *, const unsigned char *, size_t, uint64_t now);

/* histogram.c */
struct histogram {
    uint64_t total, longest, buckets[64 * 32];
};
void histogram_clear(struct histogram *);
void histogram_add(struct histogram *, uint64_t ns);
double histogram_us(const struct histogram *, double share); /* at most 3 % too high */

/* measure.c: what is counted in the part of a phase that counts */
struct measure {
    uint64_t began, ended, count, cpu_began, cpu_ended;
    struct histogram latency;
};
extern struct measure measure;
void measure_begin(uint64_t now);
void measure_add(uint64_t ns);
void measure_end(uint64_t now);
void measure_print(const char *phase, int size, const char *more, ...) __attribute__((format(printf, 3, 4)));

/* options.c: NAME=VALUE arguments */
void options_start(int count, char **arguments);
const char *option(const char *name, const char *fallback);
double option_number(const char *name, double fallback);
int option_list(const char *name, const char *fallback, int *numbers, int room);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* the modes */
void mode_echo(void);
void mode_fanout(void);
void mode_burst(void);
void mode_storm(void);
void mode_idle(void);
void mode_http(void);
void mode_flow(void);
void mode_chat(void);
void connect_members(struct connection *, int from, int to, const char *path);

#endif
