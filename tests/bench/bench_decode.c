/* bench_decode FILE [SECONDS [PART]]: how many records of a file one core
 * decodes in a second, and how many with parts of the work left out; of these
 * only those whose name has PART in it. Of an event log, only the lines that
 * start as findings do are taken. */
#include "codec/record.h"
#ifdef DFOPT_HAVE_SIMDJSON
#include "bench_parse.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lines {
    char *text;
    size_t size, n;
    const char **at;
    size_t *len;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_finding(const char *at, size_t len)
{
    static const char start[] = "{\"stream\": \"";
    const size_t n = sizeof start - 1;
    return len > 0 && (len <= n || memcmp(at, start, n) != 0 || at[n] == 'f');
}

/* Counts the lines, and keeps the findings if l->at is not NULL. */
static size_t split(struct lines *l)
{
    size_t n = 0;
    const char *end = l->text + l->size;
    for (const char *at = l->text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (l->at && is_finding(at, (size_t)(stop - at))) {
            l->at[l->n] = at;
            l->len[l->n++] = (size_t)(stop - at);
        }
        n++;
        at = stop + 1;
    }
    return n;
}

static bool load(const char *path, struct lines *l)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        return false;
    l->size = (size_t)ftell(f);
    rewind(f);
    l->text = malloc(l->size + 1);
    if (!l->text || fread(l->text, 1, l->size, f) != l->size)
        return false;
    fclose(f);
    size_t n = split(l);
    l->at = malloc((n + 1) * sizeof *l->at);
    l->len = malloc((n + 1) * sizeof *l->len);
    if (!l->at || !l->len)
        return false;
    split(l);
    return l->n > 0;
}

/* ---- what is measured; each returns how many records were good ---- */

struct bench {
    struct lines *lines;
    struct dfopt_codec *codec;
};

static size_t run_split(struct bench *b)
{
    struct lines l = {.text = b->lines->text, .size = b->lines->size};
    return split(&l);
}

#ifdef DFOPT_HAVE_SIMDJSON
static size_t run_tokens(struct bench *b)
{
    return bench_parse_tokens(b->lines->at, b->lines->len, b->lines->n);
}

static size_t run_tree(struct bench *b)
{
    return bench_parse_tree(b->lines->at, b->lines->len, b->lines->n);
}
#endif

static size_t run_codec(struct bench *b)
{
    size_t good = 0;
    struct dfopt_event event;
    for (size_t i = 0; i < b->lines->n; i++)
        good += dfopt_codec_decode(b->codec, -1, b->lines->at[i], b->lines->len[i],
                                   &event, NULL) == DFOPT_OK;
    return good;
}

static size_t run_slow(struct bench *b)
{
    size_t good = 0;
    struct dfopt_event event = {0};
    for (size_t i = 0; i < b->lines->n; i++)
        good += dfopt_record_decode(b->codec, -1, b->lines->at[i], b->lines->len[i],
                                    &event, NULL) == DFOPT_OK;
    return good;
}

static const struct {
    const char *name;
    size_t (*run)(struct bench *b);
} benches[] = {
    {"split into lines (memchr)", run_split},
#ifdef DFOPT_HAVE_SIMDJSON
    {"simdjson, first stage", run_tokens},    {"simdjson, tree", run_tree},
#endif
    {"codec, findings fast", run_codec},      {"codec, json-c only", run_slow},
};

int main(int argc, char **argv)
{
    struct lines lines = {0};
    struct dfopt_dict *dict = NULL;
    struct bench b = {.lines = &lines};
    double limit = argc > 2 ? atof(argv[2]) : 2;
    if (argc < 2 || !load(argv[1], &lines) || dfopt_dict_create(&dict, false) ||
        dfopt_codec_create(&b.codec, dict, NULL)) {
        fprintf(stderr, "usage: bench_decode FILE [SECONDS [PART]]\n"
                        "FILE: findings or an event log, one record a line\n");
        return 2;
    }
    printf("%zu findings, %.0f bytes each on average\n", lines.n,
           (double)lines.size / (double)lines.n);
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        double start = seconds(), took, best = 0;
        size_t good;
        if (argc > 3 && !strstr(benches[i].name, argv[3]))
            continue;
        do { /* the best round: the others were disturbed */
            double from = seconds();
            good = benches[i].run(&b);
            double rate = (double)lines.n / (seconds() - from);
            best = rate > best ? rate : best;
            took = seconds() - start;
        } while (took < limit);
        printf("%-28s %8.3f M/s  %7.1f ns  %zu good\n", benches[i].name, best / 1e6,
               1e9 / best, good);
    }
    dfopt_codec_destroy(b.codec);
    dfopt_dict_destroy(dict);
    free(lines.text);
    free(lines.at);
    free(lines.len);
    return 0;
}
