/* The file that a sweep leaves, with bytes changed and its end lost: HDF5's part
 * comes first and our reading after it. The first byte says whether the end is
 * lost; then come edits of 5 bytes: offset (4), and what the byte there is combined
 * with by exclusive or. */
#include "declog/sweep_file.h"
#include "fuzz.h"

#include <math.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#define EDITS_MAX  16
#define VARIANTS   3
#define PARAMETERS 2

static char path[] = "/tmp/dfopt-fuzz-XXXXXX";
static int fd = -1;
static uint8_t *base;
static size_t base_len;

static void remove_file(void)
{
    unlink(path);
}

static void write_file(void)
{
    static char texts[] = "\0"
                          "0.5\0"
                          "true\0"
                          "lustre";
    static char *paths[PARAMETERS] = {"switches.a", "responses.b.step"};
    static struct dfopt_sweep_setting settings[VARIANTS * PARAMETERS] = {
        {.text = 1}, {.text = 5}, {.text = 10},
        {.text = 0}, {.text = 1}, {.text = 5}};
    static struct dfopt_policy policies[VARIANTS];
    static struct dfopt_sweep_metrics metrics[VARIANTS];
    static const struct dfopt_sweep_knob knob = {.raised = 1, .job = NAN};
    static const char *const texts_of_policies[VARIANTS] = {"{}", "{\"a\":1}",
                                                            "{}"};
    static const char *const knobs[] = {"app.threads"};
    struct dfopt_sweep_result results[VARIANTS];
    struct dfopt_sweep_variants v = {.n = VARIANTS,
                                     .n_parameters = PARAMETERS,
                                     .policies = policies,
                                     .paths = paths,
                                     .settings = settings,
                                     .texts = {texts, sizeof texts, sizeof texts}};
    for (size_t i = 0; i < VARIANTS; i++) {
        metrics[i].variant = i;
        results[i] = (struct dfopt_sweep_result){&metrics[i], &knob, "4"};
    }
    const struct dfopt_sweep_report report = {
        .variants = &v,
        .policies = texts_of_policies,
        .results = results,
        .knobs = knobs,
        .n_knobs = 1,
#define DFOPT_SWEEP_TEXT(name) .name = #name,
        DFOPT_SWEEP_TEXT_LIST(DFOPT_SWEEP_TEXT)
#undef DFOPT_SWEEP_TEXT
            .findings = 7,
        .severity = 1.5,
    };
    struct dfopt_sweep_writer *w = NULL;
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_sweep_writer_create(&w, path, &report, &err) &&
                   !dfopt_sweep_writer_close(&w, true, NULL, &err),
               "%s", err.text);
}

/* Everything that was read is there. */
static void check_table(const struct dfopt_sweep_table *t)
{
    volatile double sum = 0;
    for (size_t i = 0; i < t->n_parameters; i++)
        sum = sum + (double)strlen(t->paths[i]);
    for (size_t i = 0; i < t->n * t->n_parameters; i++)
        sum = sum + t->numbers[i] + (double)strlen(t->settings[i]);
    for (size_t i = 0; i < t->n * t->n_metrics; i++)
        sum = sum + t->values[i];
}

static int read_file(void)
{
    struct dfopt_sweep_table t = {.n = 0};
    struct dfopt_buf policy = {0};
    struct dfopt_error err = {.text = ""};
    const enum dfopt_err e = dfopt_sweep_table_read(&t, path, &err);
    FUZZ_CHECK(!e || strstr(err.text, path), "an error that names no file");
    if (!e)
        check_table(&t);
    dfopt_sweep_table_free(&t);
    if (dfopt_sweep_policy_read(path, 1, &policy, &err))
        FUZZ_CHECK(err.text[0], "an error without a text");
    dfopt_buf_free(&policy);
    return !e;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct stat st;
    (void)argc;
    (void)argv;
    FUZZ_CHECK(close(mkstemp(path)) == 0 && unlink(path) == 0, "%s", path);
    atexit(remove_file);
    write_file();
    fd = open(path, O_RDWR | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && fstat(fd, &st) == 0, "%s", path);
    base_len = (size_t)st.st_size;
    base = malloc(base_len);
    FUZZ_CHECK(base && pread(fd, base, base_len, 0) == (ssize_t)base_len,
               "cannot read it");
    FUZZ_CHECK(read_file(), "a whole file is refused");
    return 0;
}

/* Texts of variable length are in heaps ("GCOL", their size 8 bytes on) without a
 * checksum, and places in them (length, heap, number) among the rows of a table:
 * HDF5 1.10 believes both, and reads beyond its memory. No edits there. */
static int is_heap(size_t i)
{
    return i + 16 <= base_len && memcmp(base + i, "GCOL", 4) == 0;
}

static int is_text(size_t at)
{
    for (size_t i = 0; i + 16 <= base_len && i <= at; i++) {
        uint64_t n, heap;
        memcpy(&n, base + i + 8, sizeof n);
        memcpy(&heap, base + i + 4, sizeof heap);
        if (is_heap(i) && at - i < n)
            return 1;
        if (at - i < 16 && heap < base_len && is_heap((size_t)heap))
            return 1;
    }
    return 0;
}

static void put(const void *bytes, size_t n, size_t at)
{
    FUZZ_CHECK(pwrite(fd, bytes, n, (off_t)at) == (ssize_t)n, "cannot write");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    size_t at[EDITS_MAX], n = 0, end = base_len;
    if (fuzz_number(&in, 1))
        end = (size_t)(fuzz_number(&in, 4) % base_len);
    for (; n < EDITS_MAX && in.left > 0; n++) {
        at[n] = (size_t)(fuzz_number(&in, 4) % base_len);
        const uint8_t byte = (uint8_t)(base[at[n]] ^ fuzz_number(&in, 1));
        if (!is_text(at[n]))
            put(&byte, 1, at[n]);
    }
    FUZZ_CHECK(ftruncate(fd, (off_t)end) == 0, "cannot cut");
    (void)read_file();
    put(base + end, base_len - end, end);
    for (size_t i = 0; i < n; i++)
        put(base + at[i], 1, at[i]);
    return 0;
}
