/* The registration of the two DLIO knobs. It is built as the JSON an application
 * would send, so that it is handled like any other. */
#include "cmd/mpi/bootstrap.h"

#include "json/write.h"
#include "json/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool dfopt_bootstrap_wanted(void)
{
    const char *v = getenv("DFOPTIMIZER_BOOTSTRAP_DLIO");
    return v && strcmp(v, "1") == 0;
}

static enum dfopt_err number(const char *name, long fallback, long *out,
                             struct dfopt_error *err)
{
    const char *text = getenv(name);
    char *end;
    *out = fallback;
    if (!text || !*text)
        return DFOPT_OK;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (*end || errno || v < -1000000 || v > 1000000)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s must be a whole number, not '%.40s'", name,
                               text);
    *out = v;
    return DFOPT_OK;
}

enum dfopt_err dfopt_bootstrap_json(long cpus, struct dfopt_buf *out,
                                    struct dfopt_error *err)
{
    long least, most, threads = 0, prefetch = 0;
    enum dfopt_err e = number("DLIO_KNOB_MIN_THREADS", 0, &least, err);
    if (!e)
        e = number("DLIO_KNOB_MAX_THREADS", cpus, &most, err);
    if (e)
        return e;
    if (least > most)
        least = most;
    const long floor = most > 0 ? 1 : 0;
    e = number("DFOPTIMIZER_BOOTSTRAP_READ_THREADS", least > floor ? least : floor,
               &threads, err);
    if (!e)
        e = number("DFOPTIMIZER_BOOTSTRAP_PREFETCH_SIZE", 2, &prefetch, err);
    if (e)
        return e;
    const char *when = getenv("DLIO_KNOB_BOUNDARY");
    if (!when || !*when)
        when = "window_boundary";
    struct dfopt_buf at = {0};
    e = dfopt_json_write_text(when, strlen(when), &at);
    if (!e)
        e = dfopt_buf_add(&at, "", 1);
    if (!e)
        e = dfopt_buf_printf(
            out,
            "{\"namespace\":\"dlio\",\"function_name\":\"DLIOBenchmark.make_"
            "loader\","
            "\"knobs\":{"
            "\"dlio.prefetch_size\":{\"id\":\"dlio.prefetch_size\",\"default\":2,"
            "\"type\":\"int\",\"range\":[1,16],\"scope\":\"job\",\"responds_to\":{"
            "\"dataloader_prefetch\":{\"direction\":\"increase\",\"step_mode\":"
            "\"add\","
            "\"step\":2,\"min_persistence\":1,\"cooldown_windows\":2,\"apply_"
            "when\":%s}},"
            "\"target_function\":\"DLIOBenchmark.make_loader\"},"
            "\"dlio.read_threads\":{\"id\":\"dlio.read_threads\",\"default\":%ld,"
            "\"type\":\"int\",\"range\":[%ld,%ld],\"scope\":\"job\",\"responds_"
            "to\":{"
            "\"reader_parallelism\":{\"direction\":\"increase\",\"step_mode\":"
            "\"evidence\",\"min_persistence\":1,\"cooldown_windows\":1,"
            "\"apply_when\":%s},"
            "\"reader_contention\":{\"direction\":\"decrease\",\"step\":1,"
            "\"min_persistence\":2,\"cooldown_windows\":3,\"apply_when\":%s}},"
            "\"target_function\":\"DLIOBenchmark.make_loader\"}},"
            "\"current_values\":{\"dlio.prefetch_size\":%ld,\"dlio.read_threads\":%"
            "ld}}",
            at.data, least > 0 ? least : 0, least, most, at.data, at.data, prefetch,
            threads);
    dfopt_buf_free(&at);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : DFOPT_OK;
}
