/* The part of a phase that counts, and the line of JSON that comes of it. */
#define _GNU_SOURCE
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

struct measure measure;

static uint64_t cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

void measure_begin(uint64_t now)
{
    measure.began = now;
    measure.ended = 0;
    measure.count = 0;
    measure.cpu_began = cpu_ns();
    histogram_clear(&measure.latency);
}

void measure_add(uint64_t ns)
{
    if (!measure.began || measure.ended)
        return;
    measure.count++;
    histogram_add(&measure.latency, ns);
}

void measure_end(uint64_t now)
{
    measure.ended = now;
    measure.cpu_ended = cpu_ns();
}

void measure_print(const char *phase, int size, const char *more, ...)
{
    double seconds = (double)(measure.ended - measure.began) / SECOND;
    const struct histogram *latency = &measure.latency;
    printf("{\"phase\": \"%s\", \"size\": %d, \"seconds\": %.3f, \"count\": %llu, \"rate\": %.1f, "
           "\"p50_us\": %.1f, \"p95_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"client_cpu\": %.3f, "
           "\"strange\": %llu",
           phase, size, seconds, (unsigned long long)measure.count, seconds > 0 ? (double)measure.count / seconds : 0,
           histogram_us(latency, 0.50), histogram_us(latency, 0.95), histogram_us(latency, 0.99),
           (double)latency->longest / 1000,
           seconds > 0 ? (double)(measure.cpu_ended - measure.cpu_began) / SECOND / seconds : 0,
           (unsigned long long)strange_frames);
    va_list arguments;
    va_start(arguments, more);
    vprintf(more, arguments);
    va_end(arguments);
    printf("}\n");
    fflush(stdout);
}
