/* What the writer's two files share: writer.c (the file) and rows.c (rows). */
#ifndef DFOPT_DECLOG_WRITER_IMPL_H
#define DFOPT_DECLOG_WRITER_IMPL_H

#include "declog/driver.h"
#include "declog/store.h"
#include "declog/writer.h"

struct dfopt_declog {
    char *path;
    const struct dfopt_dict *dict;
    enum dfopt_declog_detail detail;
    struct dfopt_driver driver;
    hid_t file, commits, complete;
    struct dfopt_packer packer;
    struct dfopt_store store[DFOPT_STORE_COUNT];
    uint32_t strings, lists;              /* of the dictionary, in their stores */
    struct dfopt_declog_position at;      /* as last noted */
    struct dfopt_declog_commit_row saved; /* as last committed */
    struct dfopt_buf commit_rows; /* of the chunk of /commits being filled */
    uint64_t n_commits;
    struct dfopt_buf text;      /* scratch */
    struct dfopt_error failure; /* the first; code OK: none */
};

/* Makes a failure, e or the driver's, the writer's. Returns the writer's
 * failure; OK if there is none. */
enum dfopt_err dfopt_declog_check(struct dfopt_declog *w, enum dfopt_err e,
                                  const char *what);

/* Appends the rows of the run that now begins. */
enum dfopt_err dfopt_declog_begin_run(struct dfopt_declog *w,
                                      const struct dfopt_declog_options *o);

/* Appends the dictionary's new strings and lists. */
enum dfopt_err dfopt_declog_add_names(struct dfopt_declog *w);

#endif
