/* Latencies in buckets of constant relative width: 32 for each doubling. */
#include "load.h"

#include <string.h>

void histogram_clear(struct histogram *h) { memset(h, 0, sizeof *h); }

static unsigned bucket_of(uint64_t ns)
{
    if (ns < 64)
        return (unsigned)ns;
    unsigned doublings = 63u - (unsigned)__builtin_clzll(ns);
    return (doublings - 5) * 32 + 32 + (unsigned)((ns >> (doublings - 5)) & 31);
}

static uint64_t upper_bound(unsigned bucket)
{
    if (bucket < 64)
        return bucket;
    unsigned doublings = (bucket - 32) / 32 + 5, step = bucket & 31;
    return ((uint64_t)(32 + step + 1) << (doublings - 5)) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    h->total++;
    if (ns > h->longest)
        h->longest = ns;
    h->buckets[bucket_of(ns)]++;
}

double histogram_us(const struct histogram *h, double share)
{
    uint64_t wanted = (uint64_t)((double)h->total * share), seen = 0;
    for (unsigned bucket = 0; bucket < 64 * 32; bucket++) {
        seen += h->buckets[bucket];
        if (seen > wanted) {
            uint64_t bound = upper_bound(bucket);
            return (double)(bound < h->longest ? bound : h->longest) / 1000;
        }
    }
    return (double)h->longest / 1000;
}
