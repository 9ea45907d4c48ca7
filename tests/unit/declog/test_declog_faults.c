/* The decision log where things go wrong: killed writers, full disks, files
 * that are no logs or damaged ones; and a reader beside a writer. */
#include "test_declog.h"

#include "support/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DEADLINE_S 60

/* ---- files that cannot be read ---- */

static void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void must_refuse(const char *path, enum dfopt_err code, const char *words)
{
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_reader *r = NULL;
    assert_int_equal(dfopt_declog_reader_open(&r, path, &err), code);
    assert_null(r);
    assert_non_null(strstr(err.text, path));
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

/* A new file with an attribute of format and one of version, if given. */
static void put_hdf5(const char *path, const char *format, int64_t version)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    if (format) {
        hid_t a = H5Acreate2(file, "format", text, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, text, &format);
        H5Aclose(a);
        a = H5Acreate2(file, "format_version", H5T_STD_I64LE, space, H5P_DEFAULT,
                       H5P_DEFAULT);
        H5Awrite(a, H5T_NATIVE_INT64, &version);
        H5Aclose(a);
    }
    H5Tclose(text);
    H5Sclose(space);
    assert_true(H5Fclose(file) >= 0);
}

static void not_a_log(void **state)
{
    struct fixture *f = *state;
    must_refuse(f->path, DFOPT_ERR_IO, "No such file");
    put_file(f->path, "", 0);
    must_refuse(f->path, DFOPT_ERR_FORMAT, "not an HDF5 file");
    put_file(f->path, "{\"a\":1}\n", 8);
    must_refuse(f->path, DFOPT_ERR_FORMAT, "not an HDF5 file");
    put_hdf5(f->path, NULL, 0);
    must_refuse(f->path, DFOPT_ERR_FORMAT, "not a decision log");
    put_hdf5(f->path, "another", 1);
    must_refuse(f->path, DFOPT_ERR_FORMAT, "not a decision log");
    put_hdf5(f->path, DFOPT_DECLOG_FORMAT, DFOPT_DECLOG_VERSION + 1);
    must_refuse(f->path, DFOPT_ERR_FORMAT, "format version 4");
    put_hdf5(f->path, DFOPT_DECLOG_FORMAT,
             DFOPT_DECLOG_VERSION); /* and nothing else */
    must_refuse(f->path, DFOPT_ERR_FORMAT, "damaged");
}

static char *take_file(const char *path, size_t *n)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    *n = (size_t)st.st_size;
    char *bytes = malloc(*n);
    FILE *file = fopen(path, "r");
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

/* HDF5 1.10 loses blocks of its free lists where metadata turns out to be damaged:
 * here its leaks are not looked for. */
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

/* Reads whatever can be read; only a crash would fail. True: all of a file that
 * is as long as it should be. */
static bool try_to_read(const char *path)
{
    static struct dfopt_verdict_row rows[64];
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_reader *r = NULL;
    if (dfopt_declog_reader_open(&r, path, &err) != DFOPT_OK) {
        assert_true(err.text[0] != '\0');
        return false;
    }
    bool ok = !dfopt_declog_reader_run(r)->cut;
    uint64_t n = dfopt_declog_reader_rows(r, DFOPT_TABLE_VERDICTS);
    for (uint64_t at = 0; ok && at < n; at += 64) {
        size_t take = n - at < 64 ? (size_t)(n - at) : 64;
        ok = dfopt_declog_reader_read(r, DFOPT_TABLE_VERDICTS, at, take, rows,
                                      &err) == DFOPT_OK;
    }
    dfopt_declog_reader_close(r);
    return ok;
}

static void truncated(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = must_create(f, 1);
    assert_int_equal(add_verdicts(w, f, 0, 3000), DFOPT_OK);
    must_close(w, true);
    size_t n;
    char *bytes = take_file(f->path, &n);
    assert_true(try_to_read(f->path));
    for (size_t i = 0; i < 200; i++) {
        size_t len = n * i / 200;
        put_file(f->path, bytes, len);
        assert_false(try_to_read(f->path));
    }
    free(bytes);
}

/* ---- damaged numbers ---- */

static const struct damage {
    const char *dataset;
    int size;
    uint64_t value;
    enum dfopt_declog_table table;
} damages[] = {
    {"/verdicts/tag", 4, 4000, DFOPT_TABLE_VERDICTS},
    {"/verdicts/node", 4, 0x80000000u, DFOPT_TABLE_VERDICTS},
    {"/verdicts/verdict", 1, 200, DFOPT_TABLE_VERDICTS},
    {"/findings/tags", 4, 9, DFOPT_TABLE_FINDINGS},
    {"/plans/rationale_ends", 8, UINT64_MAX, DFOPT_TABLE_PLANS},
    {"/plans/rationale_ends", 8, 1 << 20, DFOPT_TABLE_PLANS},
    {"/plans/new_kind", 1, 77, DFOPT_TABLE_PLANS},
    {"/strings/ends", 8, UINT64_MAX, DFOPT_TABLE_STRINGS},
    {"/strings/ends", 8, 7, DFOPT_TABLE_STRINGS}, /* string 0 is not "" */
    {"/lists/ends", 8, UINT64_MAX / 2, DFOPT_TABLE_LISTS},
    {"/lists/items", 4, 5000, DFOPT_TABLE_LISTS},
};

/* Overwrites the first element. */
static void do_damage(const char *path, const struct damage *d)
{
    hsize_t start = 0, one = 1;
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, d->dataset, H5P_DEFAULT);
    hid_t there = H5Dget_space(dataset), here = H5Screate_simple(1, &one, NULL);
    hid_t type = H5Dget_type(dataset);
    H5Sselect_hyperslab(there, H5S_SELECT_SET, &start, NULL, &one, NULL);
    assert_int_equal(H5Tget_size(type), d->size);
    assert_true(H5Dwrite(dataset, type, here, there, H5P_DEFAULT, &d->value) >= 0);
    H5Tclose(type);
    H5Sclose(here);
    H5Sclose(there);
    H5Dclose(dataset);
    assert_true(H5Fclose(file) >= 0);
}

static void write_some_of_all(struct fixture *f)
{
    struct dfopt_declog *w = must_create(f, 1);
    struct dfopt_decisions d = {.plans = {0}};
    struct dfopt_plan plan = {.relay_id = DFOPT_SYM_NONE, .knob = f->knob};
    struct dfopt_finding_row finding = {.seq = 0};
    finding.f.tags = dfopt_dict_intern_list(f->dict, &f->tag, 1);
    assert_int_equal(dfopt_buf_add(&d.plans, &plan, sizeof plan), DFOPT_OK);
    assert_int_equal(dfopt_declog_decisions(w, &d), DFOPT_OK);
    assert_int_equal(dfopt_declog_findings(w, &finding, 1), DFOPT_OK);
    assert_int_equal(add_verdicts(w, f, 0, 10), DFOPT_OK);
    dfopt_decisions_free(&d);
    must_close(w, true);
}

static void damaged_numbers(void **state)
{
    struct fixture *f = *state;
    static union {
        struct dfopt_verdict_row verdict;
        struct dfopt_declog_plan_row plan;
        struct dfopt_declog_finding_row finding;
    } row;
    for (size_t i = 0; i < N_OF(damages); i++) {
        const struct damage *d = &damages[i];
        struct dfopt_error err = {.text = ""};
        struct dfopt_declog_reader *r = NULL;
        write_some_of_all(f);
        do_damage(f->path, d);
        enum dfopt_err e = dfopt_declog_reader_open(&r, f->path, &err);
        if (!e)
            e = dfopt_declog_reader_read(r, d->table, 0, 1, &row, &err);
        dfopt_declog_reader_close(r);
        if (e != DFOPT_ERR_FORMAT || !strstr(err.text, f->path))
            fail_msg("%s: %d %s", d->dataset, (int)e, err.text);
    }
}

/* A text of 256 GiB, as the last commit and its string say: no memory is asked for.
 */
static void damaged_length(void **state)
{
    struct fixture *f = *state;
    const uint64_t huge = (uint64_t)1 << 38;
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_reader *r;
    struct dfopt_declog_plan_row plan;
    const char *text;
    hsize_t n = 0, one = 1;
    write_some_of_all(f);
    hid_t file = H5Fopen(f->path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof huge); /* of its members, one */
    H5Tinsert(type, "plans_rationale_bytes", 0, H5T_NATIVE_UINT64);
    const char *const names[] = {"/plans/rationale_ends", "/commits"};
    for (size_t i = 0; i < 2; i++) {
        hid_t dataset = H5Dopen2(file, names[i], H5P_DEFAULT);
        hid_t there = H5Dget_space(dataset), here = H5Screate_simple(1, &one, NULL);
        assert_int_equal(H5Sget_simple_extent_dims(there, &n, NULL), 1);
        n--; /* the last one */
        H5Sselect_hyperslab(there, H5S_SELECT_SET, &n, NULL, &one, NULL);
        assert_true(H5Dwrite(dataset, i == 0 ? H5T_NATIVE_UINT64 : type, here,
                             there, H5P_DEFAULT, &huge) >= 0);
        H5Sclose(here);
        H5Sclose(there);
        H5Dclose(dataset);
    }
    H5Tclose(type);
    assert_true(H5Fclose(file) >= 0);
    r = must_open(f->path);
    assert_int_equal(
        dfopt_declog_reader_read(r, DFOPT_TABLE_PLANS, 0, 1, &plan, &err),
        DFOPT_OK);
    assert_int_equal(plan.rationale.end, huge);
    assert_int_equal(dfopt_declog_reader_text(r, DFOPT_POOL_RATIONALE,
                                              plan.rationale, &text, &err),
                     DFOPT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "/plans/rationale_bytes"));
    dfopt_declog_reader_close(r);
}

/* ---- creation ---- */

static void creation(void **state)
{
    struct fixture *f = *state;
    struct dfopt_declog *w = NULL;
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_options o = log_options(NULL, 1);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_ERR_ARG);
    o = log_options(f->path, 10);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_ERR_ARG);
    o = log_options("/nonexistent/log.h5", 1);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent/log.h5"));
    assert_non_null(strstr(err.text, "No such file or directory"));
    o = log_options("/tmp", 1);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_ERR_FORMAT);

    o = log_options(f->path, 1);
    put_file(f->path, "precious", 8);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_ERR_FORMAT);
    assert_non_null(strstr(err.text, "not replaced"));
    put_hdf5(f->path, "another", 1);
    assert_int_equal(dfopt_declog_create(&w, f->dict, &o, &err), DFOPT_ERR_FORMAT);
    assert_null(w);
    put_file(f->path, "", 0);
    must_close(must_create(f, 1), true); /* an empty file is replaced, */
    must_close(must_create(f, 1), true); /* and so is a log */
}

/* ---- killed ---- */

static void killed_writer(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct dfopt_declog *w = must_create(f, 1);
        for (uint64_t i = 0; i < 5; i++) {
            add_verdicts(w, f, i * 5000, 5000);
            must_commit(w, (i + 1) * 5000);
        }
        add_verdicts(w, f, 25000, 40000); /* partly in the file, not committed */
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct dfopt_declog_reader *r = must_open(f->path);
    assert_int_equal(check_verdicts(r, f), 25000);
    assert_false(dfopt_declog_reader_run(r)->complete);
    assert_int_equal(dfopt_declog_reader_run(r)->last.at.next_seq, 25000);
    dfopt_declog_reader_close(r);
    must_close(must_create(f, 1), true); /* may be replaced like any log */
}

/* HDF5 reads a live file's metadata again while its checksum is wrong. A killed
 * writer's file looks live, and what is damaged in it stays so. */
static void damaged_and_killed(void **state)
{
    struct fixture *f = *state;
    const off_t root_header = 60; /* behind the superblock's 48 bytes */
    int status;
    char byte;
    pid_t child = fork();
    if (child == 0) {
        struct dfopt_declog *w = must_create(f, 1);
        must_commit(w, 1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    int fd = open(f->path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, root_header), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, root_header), 1);
    close(fd);
    alarm(DEADLINE_S);
    must_refuse(f->path, DFOPT_ERR_FORMAT, "HDF5 file");
    alarm(0);
}

/* ---- a reader beside a writer ---- */

/* Writes until something arrives on the pipe, then closes in order. */
static void write_until_told(struct fixture *f, int ready, int stop)
{
    char byte = 0;
    struct dfopt_declog *w = must_create(f, 1);
    alarm(DEADLINE_S);
    fcntl(stop, F_SETFL, O_NONBLOCK);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    for (uint64_t n = 0; read(stop, &byte, 1) < 0 && errno == EAGAIN; n += 100) {
        add_verdicts(w, f, n, 100);
        must_commit(w, n + 100);
    }
    must_close(w, true);
    _exit(0);
}

static void live_reader(void **state)
{
    struct fixture *f = *state;
    int ready[2], stop[2], status;
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(stop), 0);
    pid_t child = fork();
    if (child == 0) {
        close(stop[1]); /* a test that fails ends the writer, too */
        write_until_told(f, ready[1], stop[0]);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct dfopt_declog_reader *r = must_open(f->path);
    const int64_t until = now_ms() + DEADLINE_MS;
    uint64_t seen = 0, looks = 0;
    while ((seen < 20000 || looks <= 3) && now_ms() < until) {
        struct dfopt_error err = {.text = ""};
        if (dfopt_declog_reader_refresh(r, &err) != DFOPT_OK)
            fail_msg("%s", err.text);
        uint64_t n = check_verdicts(r, f);
        assert_true(n >= seen && n % 100 == 0);
        looks += n > seen;
        seen = n;
    }
    assert_true(seen >= 20000 && looks > 3);
    assert_int_equal(write(stop[1], "s", 1), 1);
    while (!dfopt_declog_reader_run(r)->complete && now_ms() < until)
        assert_int_equal(dfopt_declog_reader_refresh(r, NULL), DFOPT_OK);
    assert_true(dfopt_declog_reader_run(r)->complete);
    assert_true(check_verdicts(r, f) >= seen);
    dfopt_declog_reader_close(r);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(stop[i]);
    }
}

/* ---- a full disk ---- */

/* Writes until the disk is full. Exits with 0 if everything was as it should. */
static void fill_disk(struct fixture *f, size_t step)
{
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_position at = {.origin = DFOPT_SYM_NONE};
    struct dfopt_declog *w = must_create(f, 0);
    enum dfopt_err e = DFOPT_OK;
    uint64_t n = 0;
    for (; !e && n < 1000000; n += step) {
        e = add_verdicts(w, f, n, step);
        at.next_seq = n + step;
        if (!e)
            e = dfopt_declog_commit(w, &at, true, &err);
    }
    if (e != DFOPT_ERR_IO || add_verdicts(w, f, n, 1) != DFOPT_ERR_IO ||
        dfopt_declog_commit(w, &at, true, &err) != DFOPT_ERR_IO)
        exit(2);
    if (!strstr(err.text, f->path) ||
        !strstr(err.text, "No space left on device") ||
        strcmp(dfopt_declog_error(w)->text, err.text) != 0)
        exit(3);
    if (dfopt_declog_close(&w, true, &err) != DFOPT_ERR_IO || w)
        exit(4);
    must_refuse("/nonexistent.h5", DFOPT_ERR_IO, ""); /* HDF5 still works */
    exit(0);
}

static void full_disk(void **state)
{
    struct fixture *f = *state;
    static const size_t steps[] = {1, 37, 1000, 9000};
    if (mount("tmpfs", f->dir, "tmpfs", 0, "size=1m") < 0) {
        print_message("full_disk: cannot mount a tmpfs: %s\n", strerror(errno));
        skip();
    }
    bool ok = true;
    for (size_t i = 0; ok && i < N_OF(steps); i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0) {
            alarm(DEADLINE_S);
            fill_disk(f, steps[i]);
        }
        ok = waitpid(child, &status, 0) == child && status == 0;
        if (!ok)
            print_message("step %zu: status %d\n", steps[i], status);
        struct dfopt_declog_reader *r = NULL;
        struct dfopt_error err = {.text = ""};
        if (dfopt_declog_reader_open(&r, f->path, &err) != DFOPT_OK) {
            print_message("step %zu: %s\n", steps[i], err.text);
            ok = false;
            continue;
        }
        uint64_t n = dfopt_declog_reader_run(r)->last.at.next_seq;
        ok = ok && n > 0 && check_verdicts(r, f) == n;
        ok = ok && !dfopt_declog_reader_run(r)->complete;
        dfopt_declog_reader_close(r);
        unlink(f->path);
    }
    umount(f->dir);
    assert_true(ok);
}

static void full_disk_at_creation(void **state)
{
    struct fixture *f = *state;
    if (mount("tmpfs", f->dir, "tmpfs", 0, "size=32k") < 0) {
        print_message("full_disk_at_creation: cannot mount a tmpfs: %s\n",
                      strerror(errno));
        skip();
    }
    struct dfopt_declog_options o = log_options(f->path, 1);
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog *w = NULL;
    enum dfopt_err e = dfopt_declog_create(&w, f->dict, &o, &err);
    struct statvfs fs = {.f_files = 0};
    const int asked = statvfs(f->dir, &fs);
    umount(f->dir);
    assert_int_equal(asked, 0);
    assert_int_equal(fs.f_bfree, fs.f_blocks); /* nothing half made is left */
    assert_int_equal(e, DFOPT_ERR_IO);
    assert_null(w);
    assert_non_null(strstr(err.text, "No space left on device"));
}

#define CASE(function)                                                             \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(not_a_log),          CASE(truncated),
        CASE(damaged_numbers),    CASE(damaged_length),
        CASE(creation),           CASE(killed_writer),
        CASE(damaged_and_killed), CASE(live_reader),
        CASE(full_disk),          CASE(full_disk_at_creation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
