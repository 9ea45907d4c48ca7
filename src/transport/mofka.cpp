/* The module: Mofka's client (diaspora-stream-api) behind the functions of
 * mofka_module.h. The only file that includes its headers.
 *
 * Threads, beside MPI's (which are not touched: rank 0 alone loads this, and only
 * its main thread speaks MPI). The client stands on Argobots. The thread that
 * connects first becomes Argobots' primary one: waiting there spins a core, so it
 * opens and prepares, and then sleeps until the end. All else comes from ordinary
 * threads, which Argobots puts to sleep while they wait. The client itself starts
 * one thread for progress on the network and, for each consumer and producer here,
 * one that fetches data or sends. They inherit the signal mask of the thread that
 * connects, so that signals stay with the program's main thread.
 *
 * What bounds a consumer: its broker announces events as fast as it can. Their data
 * is fetched one by one by the consumer's own thread, which asks the selector below
 * first; that waits there while too much is under way or held (Flow). */
#include "transport/mofka_module.h"

#include <diaspora/Driver.hpp>
#include <diaspora/TopicHandle.hpp>

#include <abt.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <unistd.h>

namespace
{

/* Argobots' mutex, which puts an ordinary thread to sleep, and lets a thread of its
 * own that waits be replaced by another. */
class Mutex
{
  public:
    void lock()
    {
        ABT_mutex_lock(handle());
    }
    void unlock()
    {
        ABT_mutex_unlock(handle());
    }
    ABT_mutex handle()
    {
        return ABT_MUTEX_MEMORY_GET_HANDLE(&memory);
    }

  private:
    ABT_mutex_memory memory = ABT_MUTEX_INITIALIZER;
};

class Condition
{
  public:
    void wait(Mutex &lock)
    {
        ABT_cond_wait(handle(), lock.handle());
    }
    void notify_all()
    {
        ABT_cond_broadcast(handle());
    }

  private:
    ABT_cond handle()
    {
        return ABT_COND_MEMORY_GET_HANDLE(&memory);
    }
    ABT_cond_memory memory = ABT_COND_INITIALIZER;
};

/* What keeps a consumer from fetching too much at once. The client fetches a batch
 * by a thread of Argobots', one event after the other. Without a bound there are as
 * many of them as there are batches, all asking the broker at once, more than its
 * queue takes. So only a few batches are fetched at a time, in the order in which
 * they came (for events are pulled in that order), and only while little is held of
 * what has been pulled. What is still on its way to be pulled does not count: it
 * might be behind what waits here. */
class Flow : public std::enable_shared_from_this<Flow>
{
  public:
    explicit Flow(const dfopt_mofka_bounds &b) : bounds(b)
    {
        if (ABT_key_create(batch_done, &key) != ABT_SUCCESS)
            throw std::bad_alloc();
    }
    Flow(const Flow &) = delete;
    Flow &operator=(const Flow &) = delete;
    ~Flow()
    {
        ABT_key_free(&key);
    }

    /* Before an event is fetched, by the thread that does it. Waits for room;
     * false: it is over. */
    bool enter()
    {
        void *mine = nullptr;
        ABT_key_get(key, &mine);
        std::lock_guard<Mutex> hold(lock);
        if (!mine)
            begin_batch();
        while (!over && is_full())
            changed.wait(lock);
        return !over;
    }

    void add(size_t n)
    {
        std::lock_guard<Mutex> hold(lock);
        events++;
        bytes += n;
    }

    void leave(size_t n)
    {
        std::lock_guard<Mutex> hold(lock);
        const bool was_full = is_full();
        events--;
        bytes -= n;
        if (was_full && !is_full())
            changed.notify_all();
    }

    void end()
    {
        std::lock_guard<Mutex> hold(lock);
        over = true;
        changed.notify_all();
    }

    const dfopt_mofka_bounds bounds;
    size_t asked = 0; /* size of the event that is about to be fetched */

  private:
    bool is_full() const
    {
        return events >= bounds.events || bytes >= bounds.bytes;
    }

    void begin_batch()
    {
        const uint64_t ticket = tickets++;
        while (!over && (ticket != turn || active >= bounds.batches))
            changed.wait(lock);
        turn++;
        active++;
        changed.notify_all();
        ABT_key_set(key, new std::shared_ptr<Flow>(shared_from_this()));
    }

    /* The thread of a batch has come to its end. */
    static void batch_done(void *arg)
    {
        const std::unique_ptr<std::shared_ptr<Flow>> own(
            static_cast<std::shared_ptr<Flow> *>(arg));
        Flow &flow = **own;
        std::lock_guard<Mutex> hold(flow.lock);
        flow.active--;
        flow.changed.notify_all();
    }

    Mutex lock;
    Condition changed;
    ABT_key key = ABT_KEY_NULL;
    uint64_t tickets = 0, turn = 0; /* batches that came; that were let in */
    size_t active = 0;
    size_t events = 0, bytes = 0;
    bool over = false;
};

/* The data of one event. */
struct Body {
    Body(const std::shared_ptr<Flow> &f, size_t n)
        : flow(f), size(n), full_size(f->asked)
    {
        bytes = n ? static_cast<char *>(std::malloc(n)) : nullptr;
        if (n && !bytes)
            throw std::bad_alloc();
    }
    Body(const Body &) = delete;
    Body &operator=(const Body &) = delete;
    ~Body()
    {
        release();
    }

    /* Counts it as held. */
    void hold()
    {
        flow->add(size);
        held = true;
    }

    void release()
    {
        if (held)
            flow->leave(size);
        held = false;
        std::free(bytes);
        bytes = nullptr;
    }

    const std::shared_ptr<Flow> flow;
    char *bytes;
    const size_t size, full_size;
    bool held = false;
};

struct Event : dfopt_mofka_event {
    diaspora::Event event;
    Body *body = nullptr; /* the event's own */
};

/* Runs f; an exception becomes an error. */
template <typename F> dfopt_err guarded(dfopt_error *err, F &&f)
{
    try {
        return f();
    } catch (const std::bad_alloc &) {
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    } catch (const std::exception &x) {
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s", x.what());
    } catch (...) {
        return dfopt_error_set(err, DFOPT_ERR_IO, "unknown exception");
    }
}

} // namespace

struct dfopt_mofka_broker {
    std::string group_file;
    std::vector<std::string> addresses;
    diaspora::Driver driver;
};

struct dfopt_mofka_topic {
    dfopt_mofka_broker *broker;
    diaspora::TopicHandle handle;
    std::vector<std::string> uuids;
    std::unordered_map<std::string, uint32_t> index;
};

struct dfopt_mofka_consumer {
    dfopt_mofka_topic *topic;
    std::string name;
    std::shared_ptr<Flow> flow;
    diaspora::ThreadPool pool;
    size_t pool_before = 0; /* in the pool while the gate is shut */
    std::mutex lock;
    std::condition_variable changed;
    bool shut = false, open = false;
    std::optional<diaspora::Consumer> consumer;
    diaspora::Future<std::optional<diaspora::Event>> future;
    bool pulling = false;
};

struct dfopt_mofka_producer {
    dfopt_mofka_topic *topic;
    diaspora::ThreadPool pool;
    diaspora::Producer producer;
    std::optional<diaspora::Future<std::optional<diaspora::Flushed>>> flushing;
    /* of the first event for each partition; the others share its batch */
    std::vector<diaspora::Future<std::optional<diaspora::EventID>>> sent;
};

/* ---- the service ---- */

/* A service on this machine (na+sm://PID-N) that is gone would never answer. */
static dfopt_err check_process(const dfopt_mofka_broker &b, dfopt_error *err)
{
    for (const std::string &a : b.addresses) {
        int pid = 0;
        if (std::sscanf(a.c_str(), "na+sm://%d-", &pid) == 1 && pid > 0 &&
            kill(pid, 0) != 0 && errno == ESRCH)
            return dfopt_error_set(err, DFOPT_ERR_IO,
                                   "there is no process %d (%s): the broker has "
                                   "ended, or the group file is an old one",
                                   pid, a.c_str());
    }
    return DFOPT_OK;
}

static dfopt_err read_group(dfopt_mofka_broker &b, dfopt_error *err)
{
    std::ifstream in(b.group_file);
    if (!in.good())
        return dfopt_error_set(err, DFOPT_ERR_ARG, "cannot be read: %s",
                               std::strerror(errno));
    const auto json = nlohmann::json::parse(in, nullptr, false);
    const char *wrong = json.is_discarded() ? "is not JSON"
                        : !json.is_object() ? "is not a JSON object"
                        : !json.count("members") || !json["members"].is_array() ||
                                json["members"].empty()
                            ? "names no members"
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
        spdlog::set_level(spdlog::level::off); /* it prints on standard output */
        /* Without these two a hop takes 12 ms instead of 0.2. */
        b->driver = diaspora::Driver::New(
            "mofka", diaspora::Metadata{nlohmann::json{
                         {"group_file", group_file},
                         {"margo",
                          {{"use_progress_thread", true},
                           {"progress_spindown_msec", 0},
                           {"progress_timeout_ub_msec", 5},
                           /* else warnings go to standard output */
                           {"mercury", {{"log_level", "error"}}}}}}});
        *out = b.release();
        return DFOPT_OK;
    });
}

static dfopt_err mofka_check(const dfopt_mofka_broker *b, dfopt_error *err)
{
    return check_process(*b, err);
}

static dfopt_err mofka_ping(dfopt_mofka_broker *b, dfopt_error *err)
{
    return guarded(err, [&] {
        (void)b->driver.topicExists("dfopt-mpi.ping");
        return DFOPT_OK;
    });
}

/* ---- the end ---- */

/* A client on shared memory (na+sm) has a file and a folder with a socket by the
 * number of its process. They outlive it if it is not closed, which ours is not; a
 * later process of that number could not use Mofka then. */
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
        if (!b->driver.topicExists(name))
            return dfopt_error_set(err, DFOPT_ERR_ARG, "there is no such topic");
        auto t = std::make_unique<dfopt_mofka_topic>();
        t->broker = b;
        t->handle = b->driver.openTopic(name);
        for (const auto &p : t->handle.partitions()) {
            t->uuids.push_back(p.json().value("uuid", std::string{}));
            t->index.emplace(t->uuids.back(),
                             static_cast<uint32_t>(t->uuids.size() - 1));
        }
        if (t->uuids.empty())
            return dfopt_error_set(err, DFOPT_ERR_ARG, "it has no partition");
        *out = t.release();
        return DFOPT_OK;
    });
}

static dfopt_err mofka_topic_create(dfopt_mofka_broker *b, const char *name,
                                    size_t partitions, dfopt_error *err)
{
    return guarded(err, [&] {
        if (!b->driver.topicExists(name))
            b->driver.createTopic(name, diaspora::Metadata{nlohmann::json{
                                            {"num_partitions", partitions},
                                            {"config", {{"type", "memory"}}}}});
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

/* ---- consumers ---- */

/* Shuts the gate: the consumer's thread, which would ask for events, waits. */
static void shut_gate(dfopt_mofka_consumer *c)
{
    c->pool.pushWork([c] {
        std::unique_lock<std::mutex> hold(c->lock);
        c->shut = true;
        c->changed.notify_all();
        c->changed.wait(hold, [c] { return c->open; });
    });
    std::unique_lock<std::mutex> hold(c->lock);
    c->changed.wait(hold, [c] { return c->shut; });
    c->pool_before = c->pool.size();
}

static dfopt_err mofka_consumer_prepare(dfopt_mofka_consumer **out,
                                        dfopt_mofka_topic *t, const char *name,
                                        const dfopt_mofka_bounds *bounds,
                                        dfopt_error *err)
{
    return guarded(err, [&] {
        auto c = std::make_unique<dfopt_mofka_consumer>();
        c->topic = t;
        c->name = name;
        c->flow = std::make_shared<Flow>(*bounds);
        c->pool = t->broker->driver.makeThreadPool(diaspora::ThreadCount{1});
        shut_gate(c.get());
        *out = c.release();
        return DFOPT_OK;
    });
}

static dfopt_err mofka_consumer_subscribe(dfopt_mofka_consumer *c, dfopt_error *err)
{
    return guarded(err, [&] {
        const std::shared_ptr<Flow> flow = c->flow;
        const diaspora::DataSelector select =
            [flow](const diaspora::Metadata &, const diaspora::DataDescriptor &d) {
                const size_t most = flow->bounds.event_bytes;
                const size_t n = d.size() < most ? d.size() : most;
                if (!flow->enter())
                    return diaspora::DataDescriptor{};
                flow->asked = d.size(); /* nothing runs between this and below */
                return n == d.size() ? d : d.makeSubView(0, n);
            };
        const diaspora::DataAllocator allocate =
            [flow](const diaspora::Metadata &, const diaspora::DataDescriptor &d) {
                auto body = new Body(flow, d.size());
                return diaspora::DataView(body->bytes, d.size(), body, [](void *b) {
                    delete static_cast<Body *>(b);
                });
            };
        c->consumer.emplace(c->topic->handle.consumer(
            c->name, diaspora::BatchSize{flow->bounds.batch}, c->pool, allocate,
            select));
        return DFOPT_OK;
    });
}

static bool mofka_consumer_is_made(dfopt_mofka_consumer *c)
{
    return c->pool.size() >= c->pool_before + c->topic->uuids.size();
}

static void mofka_consumer_release(dfopt_mofka_consumer *c)
{
    std::lock_guard<std::mutex> hold(c->lock);
    c->open = true;
    c->changed.notify_all();
}

static bool is_stop(const nlohmann::json &metadata)
{
    if (!metadata.is_object())
        return false;
    const auto is = [&metadata](const char *key, const char *value) {
        const auto m = metadata.find(key);
        return m != metadata.end() && m->is_string() &&
               m->get_ref<const std::string &>() == value;
    };
    return is("name", "end") || is("type", "stop");
}

/* Which partition an event is of; the client tells it by its UUID. */
static uint32_t partition_of(const dfopt_mofka_topic &t, const diaspora::Event &e)
{
    if (t.uuids.size() == 1)
        return 0;
    return t.index.at(e.partition().json().at("uuid").get<std::string>());
}

static Event *take(const dfopt_mofka_topic &t, diaspora::Event &&from)
{
    auto e = std::make_unique<Event>();
    e->next = nullptr;
    e->mark = 0;
    e->id = from.id();
    e->partition = partition_of(t, from);
    e->stop = is_stop(from.metadata().json());
    e->body = static_cast<Body *>(from.data().context());
    if (e->body)
        e->body->hold();
    e->data = e->body ? e->body->bytes : nullptr;
    e->len = e->body ? e->body->size : 0;
    e->full_len = e->body ? e->body->full_size : 0;
    e->event = std::move(from);
    return e.release();
}

static dfopt_mofka_pulled mofka_pull(dfopt_mofka_consumer *c, int timeout_ms,
                                     dfopt_mofka_event **out, dfopt_error *err)
{
    dfopt_mofka_pulled got = DFOPT_MOFKA_NOTHING;
    const dfopt_err e = guarded(err, [&] {
        if (!c->pulling)
            c->future = c->consumer->pull();
        c->pulling = true; /* also after a time-out: else the event is lost */
        auto event = c->future.wait(timeout_ms);
        if (!event)
            return DFOPT_OK;
        c->pulling = false;
        got = event->id() == diaspora::NoMoreEvents ? DFOPT_MOFKA_END
                                                    : DFOPT_MOFKA_EVENT;
        if (got == DFOPT_MOFKA_EVENT)
            *out = take(*c->topic, std::move(*event));
        return DFOPT_OK;
    });
    return e ? DFOPT_MOFKA_FAILED : got;
}

static void mofka_consumer_stop(dfopt_mofka_consumer *c)
{
    c->flow->end();
    mofka_consumer_release(c);
}

static void mofka_consumer_close(dfopt_mofka_consumer *c)
{
    if (!c)
        return;
    (void)guarded(nullptr, [&] {
        c->future = {};
        if (c->consumer) {
            auto &own = c->consumer->as<diaspora::ConsumerInterface>();
            own.unsubscribe();
            /* Never freed: the client's threads touch it for a moment after that,
             * and freeing it at once aborts now and then. */
            new std::shared_ptr<diaspora::ConsumerInterface>(
                own.shared_from_this());
        }
        delete c;
        return DFOPT_OK;
    });
}

static dfopt_err mofka_acknowledge(const dfopt_mofka_event *e, dfopt_error *err)
{
    return guarded(err, [&] {
        static_cast<const Event *>(e)->event.acknowledge();
        return DFOPT_OK;
    });
}

static void mofka_data_free(dfopt_mofka_event *e)
{
    auto *event = static_cast<Event *>(e);
    if (event->body)
        event->body->release();
    e->data = nullptr;
    e->len = 0;
}

static void mofka_event_free(dfopt_mofka_event *e)
{
    delete static_cast<Event *>(e);
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
        /* twice: the batch is flushed before it is full, and never waits */
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
        /* a batch that the broker refused counts as flushed; its events know */
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
    mofka_topic_create,
    mofka_consumer_prepare,
    mofka_check,
    mofka_ping,
    mofka_remove_traces,
    mofka_partitions,
    mofka_partition_uuid,
    mofka_consumer_subscribe,
    mofka_consumer_is_made,
    mofka_consumer_release,
    mofka_pull,
    mofka_consumer_stop,
    mofka_consumer_close,
    mofka_acknowledge,
    mofka_data_free,
    mofka_event_free,
    mofka_producer_create,
    mofka_push,
    mofka_flush,
};
