/* Streams of dfopt_deflate_run are read by zlib, at every level. */
#include "declog/deflate.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { MOST = 65536 };

static unsigned char in[MOST], packed[MOST], back[MOST];

/* What chunks of columns are like. */
static unsigned char zero(size_t i)
{
    (void)i;
    return 0;
}

static unsigned char cycle(size_t i)
{
    return (unsigned char)i;
}

static unsigned char runs(size_t i)
{
    return (unsigned char)(i / 1000);
}

static unsigned char text(size_t i)
{
    return (unsigned char)"a node that comes again and again; "[i % 35];
}

static unsigned char noise(size_t i)
{
    return (unsigned char)((i * 2654435761u) >> 23 ^ (i * i) >> 5);
}

/* What chunks of columns are like. */
static const struct content {
    const char *name;
    unsigned char (*at)(size_t i);
    size_t least; /* MOST bytes of it shrink to 1 / least; 0: perhaps not */
} contents[] = {
    {"zeros", zero, 100}, {"cycle", cycle, 20}, {"runs", runs, 50},
    {"text", text, 50},   {"noise", noise, 0},
};

#define N_CONTENTS (N_OF(contents))

static void check(struct dfopt_deflate *d, const char *name, int level, size_t n,
                  size_t least)
{
    const size_t len = dfopt_deflate_run(d, in, n, packed, sizeof packed);
    uLongf got = sizeof back;
    if (len == 0) { /* it may not fit */
        assert_true(least == 0);
        return;
    }
    if (uncompress(back, &got, packed, (uLong)len) != Z_OK || got != n ||
        memcmp(in, back, n) != 0)
        fail_msg("%s, level %d, %zu bytes: another text comes back", name, level,
                 n);
    if (n == MOST && least && len > MOST / least)
        fail_msg("%s, level %d: %zu bytes", name, level, len);
}

static void test_round_trip(void **state)
{
    static const size_t sizes[] = {1, 2, 63, 1024, 4096, 8192, 32768, MOST};
    (void)state;
    for (int level = 1; level <= 9; level++) {
        struct dfopt_deflate *d = NULL;
        assert_int_equal(dfopt_deflate_create(&d, level), DFOPT_OK);
        for (const struct content *c = contents; c < contents + N_CONTENTS; c++)
            for (size_t s = 0; s < N_OF(sizes); s++) {
                for (size_t i = 0; i < sizes[s]; i++)
                    in[i] = c->at(i);
                check(d, c->name, level, sizes[s], c->least);
            }
        dfopt_deflate_destroy(d);
    }
}

/* No byte behind the room is touched, and a stream cut short is none. */
static void test_no_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST; i++)
        in[i] = noise(i);
    for (int level = 1; level <= 9; level++) {
        struct dfopt_deflate *d = NULL;
        assert_int_equal(dfopt_deflate_create(&d, level), DFOPT_OK);
        for (size_t room = 0; room < 300; room += 13) {
            unsigned char *out = malloc(room + 1);
            assert_non_null(out);
            out[room] = 0xa5;
            assert_int_equal(dfopt_deflate_run(d, in, MOST, out, room), 0);
            assert_int_equal(out[room], 0xa5);
            free(out);
        }
        dfopt_deflate_destroy(d);
    }
    dfopt_deflate_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
