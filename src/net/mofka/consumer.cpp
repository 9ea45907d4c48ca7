/* Consumers: Mofka's own, with flow control before each fetch (flow.hpp). */
#include "net/mofka/client.hpp"
#include "net/mofka/flow.hpp"

#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>

using dfopt_mofka::Flow;

namespace
{

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

    /* Counts the data as held. */
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
    Body *body = nullptr; /* owned by the event */
};

} // namespace

struct dfopt_mofka_consumer {
    dfopt_mofka_topic *topic;
    std::string name;
    std::shared_ptr<Flow> flow;
    diaspora::ThreadPool pool;
    size_t pool_before = 0; /* in the pool while the gate is closed */
    std::mutex lock;
    std::condition_variable changed;
    bool shut = false, open = false;
    std::optional<diaspora::Consumer> consumer;
    diaspora::Future<std::optional<diaspora::Event>> future;
    bool pulling = false;
};

namespace dfopt_mofka
{

/* Closes the gate: the consumer's thread, which would request events, waits. */
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

dfopt_err consumer_prepare(dfopt_mofka_consumer **out, dfopt_mofka_topic *t,
                           const char *name, const dfopt_mofka_bounds *bounds,
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

dfopt_err consumer_subscribe(dfopt_mofka_consumer *c, dfopt_error *err)
{
    return guarded(err, [&] {
        const std::shared_ptr<Flow> flow = c->flow;
        const diaspora::DataSelector select =
            [flow](const diaspora::Metadata &, const diaspora::DataDescriptor &d) {
                const size_t most = flow->bounds.event_bytes;
                const size_t n = d.size() < most ? d.size() : most;
                if (!flow->enter())
                    return diaspora::DataDescriptor{};
                flow->asked = d.size(); /* nothing runs between this and its use */
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

bool consumer_is_made(dfopt_mofka_consumer *c)
{
    return c->pool.size() >= c->pool_before + c->topic->uuids.size();
}

void consumer_release(dfopt_mofka_consumer *c)
{
    std::lock_guard<std::mutex> hold(c->lock);
    c->open = true;
    c->changed.notify_all();
}

static bool has(const nlohmann::json &metadata, const char *key, const char *value)
{
    if (!metadata.is_object())
        return false;
    const auto m = metadata.find(key);
    return m != metadata.end() && m->is_string() &&
           m->get_ref<const std::string &>() == value;
}

/* The partition of an event; the client identifies it by UUID. */
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
    const auto &metadata = from.metadata().json();
    e->stop = has(metadata, "name", "end") || has(metadata, "type", "stop");
    e->presence = has(metadata, "type", DFOPT_MOFKA_PRESENCE);
    e->body = static_cast<Body *>(from.data().context());
    if (e->body)
        e->body->hold();
    e->data = e->body ? e->body->bytes : nullptr;
    e->len = e->body ? e->body->size : 0;
    e->full_len = e->body ? e->body->full_size : 0;
    e->event = std::move(from);
    return e.release();
}

dfopt_mofka_pulled pull(dfopt_mofka_consumer *c, int timeout_ms,
                        dfopt_mofka_event **out, dfopt_error *err)
{
    dfopt_mofka_pulled got = DFOPT_MOFKA_NOTHING;
    const dfopt_err e = guarded(err, [&] {
        if (!c->pulling)
            c->future = c->consumer->pull();
        c->pulling = true; /* also after a timeout, or the event is lost */
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

void consumer_stop(dfopt_mofka_consumer *c)
{
    c->flow->end();
    consumer_release(c);
}

void consumer_close(dfopt_mofka_consumer *c)
{
    if (!c)
        return;
    (void)guarded(nullptr, [&] {
        c->future = {};
        if (c->consumer) {
            auto &own = c->consumer->as<diaspora::ConsumerInterface>();
            own.unsubscribe();
            /* Never freed: the client's threads use it a little longer, and
             * freeing it at once sometimes aborts. */
            new std::shared_ptr<diaspora::ConsumerInterface>(
                own.shared_from_this());
        }
        delete c;
        return DFOPT_OK;
    });
}

dfopt_err acknowledge(const dfopt_mofka_event *e, dfopt_error *err)
{
    return guarded(err, [&] {
        static_cast<const Event *>(e)->event.acknowledge();
        return DFOPT_OK;
    });
}

void data_free(dfopt_mofka_event *e)
{
    auto *event = static_cast<Event *>(e);
    if (event->body)
        event->body->release();
    e->data = nullptr;
    e->len = 0;
}

void event_free(dfopt_mofka_event *e)
{
    delete static_cast<Event *>(e);
}

} // namespace dfopt_mofka
