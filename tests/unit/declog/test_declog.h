/* What the tests of the decision log share: a dictionary, a file in a directory
 * of its own, and verdict rows that can be told from their number alone. */
#ifndef TEST_DECLOG_H
#define TEST_DECLOG_H

#include "declog/reader.h"
#include "declog/writer.h"
#include "support/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char dir[64], path[128];
    struct dfopt_dict *dict;
    dfopt_sym knob, node, tag;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/dfopt-declog-XXXXXX");
    if (!mkdtemp(f->dir) || dfopt_dict_create(&f->dict, false) != DFOPT_OK)
        return -1;
    snprintf(f->path, sizeof f->path, "%s/log.h5", f->dir);
    f->knob = dfopt_dict_intern_z(f->dict, "dlio.read_threads");
    f->node = dfopt_dict_intern_z(f->dict, "nid0001");
    f->tag = dfopt_dict_intern_z(f->dict, "reader_parallelism");
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    rmdir(f->dir);
    dfopt_dict_destroy(f->dict);
    free(f);
    return 0;
}

static inline struct dfopt_declog_options log_options(const char *path,
                                                      int compression)
{
    return (struct dfopt_declog_options){.path = path,
                                         .compression = compression,
                                         .detail = DFOPT_DETAIL_FINDINGS,
                                         .created_ns = INT64_C(1700000000000000000),
                                         .ranks = 7,
                                         .program_version = "0.1.0",
                                         .mpi_library = "Open MPI",
                                         .transport = "file:findings.jsonl",
                                         .command_line = "dfopt-mpi replay",
                                         .policy = "{\"switches\":{}}",
                                         .preset = "default",
                                         .acks_mode = "assumed",
                                         .run_id = "r-1"};
}

static inline struct dfopt_declog *must_create(const struct fixture *f,
                                               int compression)
{
    struct dfopt_declog_options o = log_options(f->path, compression);
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog *w = NULL;
    if (dfopt_declog_create(&w, f->dict, &o, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return w;
}

static inline struct dfopt_declog_reader *must_open(const char *path)
{
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_reader *r = NULL;
    if (dfopt_declog_reader_open(&r, path, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    return r;
}

static inline struct dfopt_verdict_row verdict_number(const struct fixture *f,
                                                      uint64_t i)
{
    return (struct dfopt_verdict_row){.seq = i / 3,
                                      .position = (uint32_t)(i % 3),
                                      .verdict =
                                          (uint32_t)(i % DFOPT_VERDICT_COUNT),
                                      .tag = i % 5 ? f->tag : DFOPT_SYM_NONE,
                                      .knob = i % 5 ? f->knob : DFOPT_SYM_NONE,
                                      .node = i % 2 ? f->node : DFOPT_SYM_EMPTY,
                                      .value = (double)i * 0.5,
                                      .threshold = -(double)i};
}

/* Appends verdicts first .. first + n - 1. */
static inline enum dfopt_err add_verdicts(struct dfopt_declog *w,
                                          const struct fixture *f, uint64_t first,
                                          size_t n)
{
    struct dfopt_decisions d = {.verdicts = {0}};
    for (uint64_t i = first; i < first + n; i++) {
        struct dfopt_verdict_row row = verdict_number(f, i);
        if (dfopt_buf_add(&d.verdicts, &row, sizeof row) != DFOPT_OK)
            abort();
    }
    enum dfopt_err e = dfopt_declog_decisions(w, &d);
    dfopt_decisions_free(&d);
    return e;
}

/* Reads all verdicts in uneven blocks, and compares. Returns how many. */
static inline uint64_t check_verdicts(struct dfopt_declog_reader *r,
                                      const struct fixture *f)
{
    static struct dfopt_verdict_row rows[9000];
    struct dfopt_error err = {.text = ""};
    uint64_t total = dfopt_declog_reader_rows(r, DFOPT_TABLE_VERDICTS);
    size_t n = 1;
    for (uint64_t at = 0; at < total; at += n, n = n * 7 % 8999 + 1) {
        if (n > total - at)
            n = (size_t)(total - at);
        if (dfopt_declog_reader_read(r, DFOPT_TABLE_VERDICTS, at, n, rows, &err) !=
            DFOPT_OK)
            fail_msg("%s", err.text);
        for (size_t i = 0; i < n; i++) {
            struct dfopt_verdict_row want = verdict_number(f, at + i);
            assert_memory_equal(&rows[i], &want, sizeof want);
        }
    }
    return total;
}

static inline void must_commit(struct dfopt_declog *w, uint64_t next_seq)
{
    struct dfopt_declog_position at = {.next_seq = next_seq,
                                       .origin = DFOPT_SYM_NONE,
                                       .offset = next_seq * 100,
                                       .record_line = next_seq,
                                       .wall_ns = 1};
    struct dfopt_error err = {.text = ""};
    if (dfopt_declog_commit(w, &at, true, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
}

static inline void must_close(struct dfopt_declog *w, bool complete)
{
    struct dfopt_error err = {.text = ""};
    if (dfopt_declog_close(&w, complete, &err) != DFOPT_OK)
        fail_msg("%s", err.text);
    assert_null(w);
}

#endif
