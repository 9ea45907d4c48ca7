/* Shared by the writer's files: writer.c (the file) and rows.c (rows). */
#ifndef DFOPT_DECLOG_WRITER_IMPL_H
#define DFOPT_DECLOG_WRITER_IMPL_H

#include "declog/driver.h"
#include "declog/place.h"
#include "declog/store.h"
#include "declog/writer.h"

struct dfopt_declog {
    char *path;
    char *made_at; /* the file's path until it is complete; NULL: it is at `path` */
    struct dfopt_place replaces; /* what the path should name by then */
    const struct dfopt_dict *dict;
    enum dfopt_declog_detail detail;
    double min_effect;
    struct dfopt_driver driver;
    hid_t file, commits, complete;
    struct dfopt_packer packer;
    struct dfopt_store store[DFOPT_STORE_COUNT];
    uint32_t strings, lists;              /* of the dictionary, in their stores */
    struct dfopt_declog_position at;      /* as last recorded */
    struct dfopt_declog_commit_row saved; /* as last committed */
    struct dfopt_buf commit_rows;         /* of the current chunk of /commits */
    uint64_t n_commits;
    struct dfopt_buf text;      /* scratch */
    struct dfopt_error failure; /* the first; code OK: none */
};

/* Makes a failure, e or the driver's, the writer's. Returns the writer's
 * failure; OK if there is none. */
enum dfopt_err dfopt_declog_check(struct dfopt_declog *w, enum dfopt_err e,
                                  const char *what);

/* Creates a writer with everything that its file will hold, beside
 * options->path, to replace what is there. Returns owned: dfopt_declog_drop,
 * which removes the file. */
enum dfopt_err dfopt_declog_make(struct dfopt_declog **out,
                                 const struct dfopt_dict *dict,
                                 const struct dfopt_declog_options *options,
                                 const struct dfopt_place *replaces,
                                 struct dfopt_error *err);
void dfopt_declog_drop(struct dfopt_declog *w);

/* Commits what has been appended and moves the file into place, where readers
 * can follow it; `sync`: only once it is on disk. OK, IO or NOMEM. */
enum dfopt_err dfopt_declog_go_live(struct dfopt_declog *w, bool sync);

/* Writes what is not yet in the file, and a row of /commits. */
enum dfopt_err dfopt_declog_flush(struct dfopt_declog *w);

/* Writes rows of /commits without a flush. */
enum dfopt_err dfopt_declog_put_commits(struct dfopt_declog *w,
                                        const struct dfopt_declog_commit_row *rows,
                                        size_t n);

/* Appends the rows of the run that starts now. */
enum dfopt_err dfopt_declog_begin_run(struct dfopt_declog *w,
                                      const struct dfopt_declog_options *o);

/* Appends the dictionary's new strings and lists. */
enum dfopt_err dfopt_declog_add_names(struct dfopt_declog *w);

#endif
