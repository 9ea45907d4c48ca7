/* A guest library is configured by the environment only. Endpoints and keys have
 * the same names as in the Python binding. */
#include "mpiio/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void dfopt_mpiio_say(const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    fprintf(stderr, "dfopt_mpiio: %s\n", text); /* one write a line */
}

static void on_line(void *verbose, enum dfopt_client_level level, const char *text)
{
    if (verbose || level == DFOPT_CLIENT_WARNING)
        dfopt_mpiio_say("%s", text);
}

/* An empty variable counts as unset. */
static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

static enum dfopt_err read_pattern(struct dfopt_client_options *o)
{
    const char *pattern = variable("DFOPT_CLIENT_PLANS_PATTERN");
    if (pattern && strcmp(pattern, "sub") == 0)
        o->plans_pattern = DFOPT_CLIENT_SUB;
    else if (pattern && strcmp(pattern, "pull") != 0)
        return DFOPT_ERR_ARG;
    return DFOPT_OK;
}

static void read_client(struct dfopt_mpiio_settings *s)
{
    struct dfopt_client_options *o = &s->client;
    const char *end = variable("DFOPT_CLIENT_FINDINGS_END");
    o->app_namespace = s->knobs->name_space;
    o->function = "MPI_File_open";
    o->plans_endpoint = variable("DFOPT_CLIENT_PLANS");
    o->registry_endpoint = variable("DFOPT_CLIENT_REGISTRY");
    o->acks_endpoint = variable("DFOPT_CLIENT_ACKS");
    o->objectives_endpoint = variable("DFOPT_CLIENT_OBJECTIVES");
    o->findings_endpoint = variable("DFOPT_CLIENT_FINDINGS");
    o->endpoints_file = variable("DFOPT_CLIENT_ENDPOINTS");
    o->findings_end = end && strcmp(end, "1") == 0;
    o->curve_server_key = variable("DFOPT_CLIENT_CURVE_SERVER_KEY");
    o->curve_secret_key = variable("DFOPT_CLIENT_CURVE_SECRET_KEY");
    o->curve_public_key = variable("DFOPT_CLIENT_CURVE_PUBLIC_KEY");
    o->reports = DFOPT_CLIENT_REPORTS_JOB;
    o->log = on_line;
    o->log_arg = s->verbose ? s : NULL;
}

static enum dfopt_err read_all(struct dfopt_mpiio_settings *s, const char *knobs,
                               struct dfopt_error *err)
{
    const char *report = variable("DFOPT_MPIIO_REPORT");
    enum dfopt_err e = dfopt_mpiio_knobs_read(&s->knobs, knobs, err);
    if (e)
        return e;
    read_client(s);
    if (read_pattern(&s->client))
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "DFOPT_CLIENT_PLANS_PATTERN must be pull or sub");
    s->report = report ? fopen(report, "ae") : NULL;
    return !report || s->report ? DFOPT_OK
                                : dfopt_error_set(err, DFOPT_ERR_IO,
                                                  "DFOPT_MPIIO_REPORT: %.200s: %s",
                                                  report, strerror(errno));
}

void dfopt_mpiio_settings_read(struct dfopt_mpiio_settings *s)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    const char *knobs = variable("DFOPT_MPIIO_KNOBS");
    *s = (struct dfopt_mpiio_settings){.verbose = variable("DFOPT_MPIIO_VERBOSE")};
    if (!knobs || !read_all(s, knobs, &err))
        return;
    dfopt_mpiio_say("continuing untuned: %s", err.text);
    dfopt_mpiio_settings_free(s);
}

void dfopt_mpiio_settings_free(struct dfopt_mpiio_settings *s)
{
    if (s->report)
        fclose(s->report);
    dfopt_mpiio_knobs_free(s->knobs);
    *s = (struct dfopt_mpiio_settings){.knobs = NULL};
}
