/* load MODE NAME=VALUE ...
 *
 * Modes: echo, flow, fanout, burst, storm, idle, http, chat. Common options: ports=8000,8001 size=64 (bytes of a message's body)
 * seconds=2 warmup=0.5 limit=120 (seconds after which it gives up), and the dialect: greeting= greeted= before= publish=
 * incoming= after= ping= pong=. Each mode tells its own. Where a phase can begin, one line {"ready": ...} is written and
 * a line on standard input awaited; what it measured comes as one line of JSON.
 */
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*run)(void);
} MODES[] = {{"echo", mode_echo},   {"fanout", mode_fanout}, {"burst", mode_burst},
             {"storm", mode_storm}, {"idle", mode_idle},     {"http", mode_http},
             {"flow", mode_flow},   {"chat", mode_chat}};

static void too_late(int number)
{
    static const char said[] = "load: gave up at its time limit\n";
    (void)number;
    if (write(STDERR_FILENO, said, sizeof said - 1)) {
    }
    _exit(3);
}

int main(int count, char **arguments)
{
    if (count < 2)
        fail("expected a mode: echo, flow, fanout, burst, storm, idle, http or chat");
    options_start(count - 2, arguments + 2);
    dialect = (struct dialect){
        .greeting = option("greeting", ""), .greeted = option("greeted", ""), .before = option("before", ""),
        .publish = option("publish", ""),   .incoming = option("incoming", ""), .after = option("after", ""),
        .ping = option("ping", ""),         .pong = option("pong", ""),
    };
    raise_open_files();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, too_late);
    alarm((unsigned)option_number("limit", 120));
    connections_start(option("ports", ""));
    messages_start((size_t)option_number("size", 64));
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++)
        if (strcmp(MODES[i].name, arguments[1]) == 0) {
            MODES[i].run();
            return 0;
        }
    fail("unknown mode '%s'", arguments[1]);
}
