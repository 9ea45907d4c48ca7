/* A live service over ZMQ or Mofka: runs until a signal or an idle timeout. */
#include "cmd/mpi/run.h"

#include "cmd/mpi/endpoints.h"
#include "cmd/mpi/supervise.h"
#include "engine/online/leader.h"
#include "journal/source.h"
#include "transport/file/whole.h"

#include <sys/stat.h>
#include <unistd.h>

#define RESTORE_MS 10000 /* to wait for acks, if dfopt-ctl asks for a restore */

static bool is_named(const char *endpoint)
{
    return endpoint && endpoint[0] != '\0';
}

/* Applications can acknowledge plans only if there is a channel for acks. */
static enum dfopt_err find_acks(struct dfopt_session *s, bool *explicit,
                                struct dfopt_error *err)
{
    (void)err;
    *explicit = s->options->transport == DFOPT_TRANSPORT_MOFKA
                    ? !s->options->mofka.no_registry
                    : is_named(s->options->live.acks_address) ||
                          is_named(s->options->live.applications_address);
    return DFOPT_OK;
}

/* The journal is next to the decision log. */
static enum dfopt_err journal_path(const struct dfopt_session *s,
                                   struct dfopt_buf *path, struct dfopt_error *err)
{
    enum dfopt_err e =
        dfopt_buf_printf(path, "%s" DFOPT_JOURNAL_SUFFIX, s->options->decision_log);
    return e ? dfopt_error_set(err, e, "%s", dfopt_err_text(e)) : DFOPT_OK;
}

/* A journal that was left behind when the log was moved or copied. */
static void note_missing_journal(const struct dfopt_session *s, const char *path)
{
    if (access(path, F_OK) == 0 || !dfopt_resume_has_journal(&s->resume))
        return;
    dfopt_log_event(s->log, DFOPT_LOG_WARNING, "optimizer.journal.missing",
                    DFOPT_F_TEXT("journal", path),
                    DFOPT_F_TEXT("note",
                                 "the run was killed, and what it received last "
                                 "is only in its journal; restore it beside the "
                                 "log, or these records are lost"));
}

/* With --resume, reads the rest of the previous run's journal first. */
static enum dfopt_err open_endpoints(struct dfopt_session *s,
                                     struct dfopt_error *err)
{
    struct dfopt_buf path = {0};
    enum dfopt_err e = dfopt_live_open(&s->live, s->options, err);
    if (!e && is_named(s->options->live.endpoints_file))
        e = dfopt_endpoints_write(&s->live, s->options, &s->endpoints_fd, err);
    if (!e)
        e = dfopt_supervise_create(&s->supervision, s->options, &s->live, s->log,
                                   err);
    if (e || !s->options->resume)
        return e;
    e = journal_path(s, &path, err);
    if (!e)
        note_missing_journal(s, path.data);
    if (!e)
        e = dfopt_journal_source_create(
            &s->left_over, path.data, s->resume.fold.next_seq, s->live.source, err);
    dfopt_buf_free(&path);
    return e;
}

static enum dfopt_err open_journal(struct dfopt_session *s, struct dfopt_error *err)
{
    struct dfopt_buf path = {0};
    enum dfopt_err e = journal_path(s, &path, err);
    if (!e)
        e = dfopt_journal_create(&s->journal, path.data, s->options->resume != NULL,
                                 err);
    dfopt_buf_free(&path);
    return e;
}

/* Host whose plans from a global optimizer are relayed. Over Mofka the default is
 * this host, as in DFOptimizer. */
static dfopt_sym relay_hostname(const struct dfopt_session *s, dfopt_sym given)
{
    char host[256] = "";
    if (given != DFOPT_SYM_EMPTY ||
        s->options->transport != DFOPT_TRANSPORT_MOFKA ||
        gethostname(host, sizeof host - 1) != 0)
        return given;
    return dfopt_dict_intern_z(s->dict, host);
}

static enum dfopt_err read_policy(void *arg, struct dfopt_buf *out,
                                  struct dfopt_error *err)
{
    const struct dfopt_session *s = arg;
    const char *path = s->options->policy_file;
    struct stat st;
    if (stat(path, &st) == 0 &&
        !S_ISREG(st.st_mode)) /* a FIFO may have no writer */
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "%s: not a regular file, so it is not read again",
                               path);
    return dfopt_file_read(path, s->stop, out, err);
}

static void describe(void *arg, struct dfopt_put *p)
{
    const struct dfopt_session *s = arg;
    dfopt_live_describe(&s->live, s->options, p);
}

static enum dfopt_err run(struct dfopt_session *s, struct dfopt_run_config *config,
                          struct dfopt_error *err)
{
    config->relay_hostname = relay_hostname(s, config->relay_hostname);
    config->source = s->left_over ? s->left_over : s->live.source;
    config->journal = s->journal;
    config->port = s->live.port;
    if (s->options->policy_file) {
        config->reload = s->reload;
        config->read_policy = read_policy;
        config->read_policy_arg = s;
    }
    config->restore = s->options->live.restore_ms >= 0;
    config->restore_ms = config->restore ? s->options->live.restore_ms : RESTORE_MS;
    config->describe = describe;
    config->describe_arg = s;
    config->outputs_count = s->options->transport == DFOPT_TRANSPORT_MOFKA;
    dfopt_supervise_start(s->supervision, config, s->assumed_acks);
    dfopt_live_announce(&s->live, s->options);
    const enum dfopt_err e = dfopt_online_run(s->comm, config, &s->result, err);
    dfopt_supervise_stop(s->supervision);
    return e;
}

const struct dfopt_mode dfopt_mode_service = {
    .is_service = true,
    .find_acks = find_acks,
    .open_endpoints = open_endpoints,
    .open_journal = open_journal,
    .run = run,
};
