/* The module: Mofka's client (diaspora-stream-api) behind the functions of
 * module.h: connections, topics, producers, and the table; consumers are in
 * consumer.cpp. Only these two include the client's headers.
 *
 * Threads, besides MPI's (which are unaffected: only rank 0 loads this, and only
 * its main thread calls MPI). The client is built on Argobots. The first thread to
 * connect becomes Argobots' primary one: waiting there spins a core, so it opens
 * and prepares, then sleeps until the end. All other calls come from ordinary
 * threads, which Argobots blocks while they wait. The client itself starts one
 * network progress thread and, for each consumer and producer here, one that
 * fetches data or sends. They inherit the signal mask of the connecting thread, so
 * signals go to the program's main thread.
 *
 * A consumer is bounded as follows: its broker announces events as fast as it can.
 * The consumer's own thread fetches their data one by one and calls the selector
 * below first, which waits there while too much is in flight or held (flow.hpp). */
#include "net/mofka/client.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

using dfopt_mofka::guarded;

struct dfopt_mofka_producer {
    dfopt_mofka_topic *topic;
    diaspora::ThreadPool pool;
    diaspora::Producer producer;
    std::optional<diaspora::Future<std::optional<diaspora::Flushed>>> flushing;
    /* of each partition's first event; the others share its batch */
    std::vector<diaspora::Future<std::optional<diaspora::EventID>>> sent;
};

/* ---- the service ---- */

/* A service on this machine (na+sm://PID-N) that has died would never answer. */
static dfopt_err check_process(const dfopt_mofka_broker &b, dfopt_error *err)
{
    for (const std::string &a : b.addresses) {
        int pid = 0;
        if (std::sscanf(a.c_str(), "na+sm://%d-", &pid) == 1 && pid > 0 &&
            kill(pid, 0) != 0 && errno == ESRCH)
            return dfopt_error_set(err, DFOPT_ERR_IO,
                                   "no process %d (%s): the broker has ended, or "
                                   "the group file is outdated",
                                   pid, a.c_str());
    }
    return DFOPT_OK;
}

static dfopt_err read_group(dfopt_mofka_broker &b, dfopt_error *err)
{
    std::ifstream in(b.group_file);
    if (!in.good())
        return dfopt_error_set(err, DFOPT_ERR_ARG, "cannot read it: %s",
                               std::strerror(errno));
    const auto json = nlohmann::json::parse(in, nullptr, false);
    const char *wrong = json.is_discarded() ? "is not JSON"
                        : !json.is_object() ? "is not a JSON object"
                        : !json.count("members") || !json["members"].is_array() ||
                                json["members"].empty()
                            ? "has no members"
                            : nullptr;
    if (wrong)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: not a group file of Flock",
                               wrong);
    for (const auto &m : json["members"]) {
        if (!m.is_object() || !m.count("address") || !m["address"].is_string())
            return dfopt_error_set(err, DFOPT_ERR_ARG,
                                   "a member has no address: not a group file of "
                                   "Flock");
        b.addresses.push_back(m["address"].get<std::string>());
    }
    return check_process(b, err);
}

static dfopt_err mofka_connect(dfopt_mofka_broker **out, const char *group_file,
                               dfopt_error *err)
{
    return guarded(err, [&] {
        auto b = std::make_unique<dfopt_mofka_broker>();
        b->group_file = group_file;
        const dfopt_err e = read_group(*b, err);
        if (e)
            return e;
        spdlog::set_level(spdlog::level::off); /* it logs to standard output */
        /* Without these two options a hop takes 12 ms instead of 0.2. */
        b->driver = diaspora::Driver::New(
            "mofka", diaspora::Metadata{nlohmann::json{
                         {"group_file", group_file},
                         {"margo",
                          {{"use_progress_thread", true},
                           {"progress_spindown_msec", 0},
                           {"progress_timeout_ub_msec", 5},
                           /* otherwise warnings go to standard output */
                           {"mercury", {{"log_level", "error"}}}}}}});
        *out = b.release();
        return DFOPT_OK;
    });
}

static dfopt_err mofka_check(const dfopt_mofka_broker *b, dfopt_error *err)
{
    return check_process(*b, err);
}

/* The client's topicExists cannot tell a dead broker from a missing topic. */
static bool topic_exists(const diaspora::Driver &d, const char *name)
{
    try {
        (void)d.openTopic(name);
    } catch (const diaspora::Exception &x) {
        if (std::string_view{x.what()}.find("not found") == std::string_view::npos)
            throw;
        return false;
    }
    return true;
}

static dfopt_err mofka_ping(dfopt_mofka_broker *b, dfopt_error *err)
{
    return guarded(err, [&] {
        (void)topic_exists(b->driver, "dfopt-mpi.ping");
        return DFOPT_OK;
    });
}

/* ---- shutdown ---- */

/* A shared-memory client (na+sm) has a file and a folder with a socket, named
 * by its process id. They remain if it is not closed, and ours never is; a
 * later process with that id could then not use Mofka. */
static void remove_traces_in(const char *folder)
{
    const std::string mine = "-" + std::to_string(getpid()) + "-";
    std::error_code ignored;
    std::filesystem::directory_iterator at(folder, ignored);
    for (; !ignored && at != std::filesystem::directory_iterator();
         at.increment(ignored)) {
        const std::string name = at->path().filename().string();
        if (name.rfind("na_sm", 0) == 0 && name.find(mine) != std::string::npos)
            std::filesystem::remove_all(at->path(), ignored);
    }
}

static void mofka_remove_traces()
{
    (void)guarded(nullptr, [] {
        remove_traces_in("/dev/shm");
        remove_traces_in("/tmp");
        return DFOPT_OK;
    });
}

__attribute__((destructor)) static void at_exit()
{
    mofka_remove_traces();
}

/* ---- topics ---- */

static dfopt_err mofka_topic_open(dfopt_mofka_topic **out, dfopt_mofka_broker *b,
                                  const char *name, dfopt_error *err)
{
    return guarded(err, [&] {
        if (!topic_exists(b->driver, name))
            return dfopt_error_set(err, DFOPT_ERR_ARG, "no such topic");
        auto t = std::make_unique<dfopt_mofka_topic>();
        t->broker = b;
        t->handle = b->driver.openTopic(name);
        for (const auto &p : t->handle.partitions()) {
            t->uuids.push_back(p.json().value("uuid", std::string{}));
            t->index.emplace(t->uuids.back(),
                             static_cast<uint32_t>(t->uuids.size() - 1));
        }
        if (t->uuids.empty())
            return dfopt_error_set(err, DFOPT_ERR_ARG,
                                   "the topic has no partition");
        *out = t.release();
        return DFOPT_OK;
    });
}

static size_t mofka_partitions(const dfopt_mofka_topic *t)
{
    return t->uuids.size();
}

static const char *mofka_partition_uuid(const dfopt_mofka_topic *t, size_t i)
{
    return t->uuids[i].c_str();
}

/* ---- producers ---- */

static dfopt_err mofka_producer_create(dfopt_mofka_producer **out,
                                       dfopt_mofka_topic *t, dfopt_error *err)
{
    return guarded(err, [&] {
        auto p = std::make_unique<dfopt_mofka_producer>();
        p->topic = t;
        p->sent.resize(t->uuids.size());
        p->pool = t->broker->driver.makeThreadPool(diaspora::ThreadCount{1});
        /* twice the size: we flush before the batch is full, so it never waits */
        p->producer = t->handle.producer(
            std::string_view{"dfopt"}, diaspora::BatchSize{2 * DFOPT_MOFKA_BATCH},
            diaspora::MaxNumBatches{2}, diaspora::Ordering::Strict, p->pool);
        *out = p.release();
        return DFOPT_OK;
    });
}

static dfopt_err mofka_push(dfopt_mofka_producer *p, const char *metadata,
                            size_t metadata_len, const char *body, size_t body_len,
                            size_t where, dfopt_error *err)
{
    return guarded(err, [&] {
        auto json = nlohmann::json::parse(metadata, metadata + metadata_len,
                                          nullptr, false);
        if (json.is_discarded())
            return dfopt_error_set(err, DFOPT_ERR_ARG, "metadata is not JSON");
        auto sent =
            p->producer.push(diaspora::Metadata{std::move(json)},
                             diaspora::DataView{const_cast<char *>(body), body_len},
                             std::optional<size_t>{where % p->sent.size()});
        if (!p->sent[where % p->sent.size()])
            p->sent[where % p->sent.size()] = std::move(sent);
        return DFOPT_OK;
    });
}

static dfopt_err mofka_flush(dfopt_mofka_producer *p, int timeout_ms,
                             dfopt_error *err)
{
    return guarded(err, [&] {
        if (!p->flushing)
            p->flushing = p->producer.flush();
        if (!p->flushing->wait(timeout_ms))
            return DFOPT_ERR_STATE;
        p->flushing.reset();
        /* a rejected batch counts as flushed; only its events show it */
        for (auto &s : p->sent) {
            const auto first = std::move(s);
            s = {};
            if (first)
                (void)first.wait(timeout_ms);
        }
        return DFOPT_OK;
    });
}

/* ---- the table ---- */

extern "C" __attribute__((visibility("default")))
const struct dfopt_mofka_module dfopt_mofka_module;

const struct dfopt_mofka_module dfopt_mofka_module = {
    DFOPT_MOFKA_ABI,
    mofka_connect,
    mofka_topic_open,
    dfopt_mofka::consumer_prepare,
    mofka_check,
    mofka_ping,
    mofka_remove_traces,
    mofka_partitions,
    mofka_partition_uuid,
    dfopt_mofka::consumer_subscribe,
    dfopt_mofka::consumer_is_made,
    dfopt_mofka::consumer_release,
    dfopt_mofka::pull,
    dfopt_mofka::consumer_stop,
    dfopt_mofka::consumer_close,
    dfopt_mofka::acknowledge,
    dfopt_mofka::data_free,
    dfopt_mofka::event_free,
    mofka_producer_create,
    mofka_push,
    mofka_flush,
};
