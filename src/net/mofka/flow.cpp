#include "net/mofka/flow.hpp"

#include <mutex>
#include <new>

namespace dfopt_mofka
{

Flow::Flow(const dfopt_mofka_bounds &b) : bounds(b)
{
    if (ABT_key_create(batch_done, &key) != ABT_SUCCESS)
        throw std::bad_alloc();
}

Flow::~Flow()
{
    ABT_key_free(&key);
}

bool Flow::enter()
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

void Flow::add(size_t n)
{
    std::lock_guard<Mutex> hold(lock);
    events++;
    bytes += n;
}

void Flow::leave(size_t n)
{
    std::lock_guard<Mutex> hold(lock);
    const bool was_full = is_full();
    events--;
    bytes -= n;
    if (was_full && !is_full())
        changed.notify_all();
}

void Flow::end()
{
    std::lock_guard<Mutex> hold(lock);
    over = true;
    changed.notify_all();
}

bool Flow::is_full() const
{
    return events >= bounds.events || bytes >= bounds.bytes;
}

void Flow::begin_batch()
{
    const uint64_t ticket = tickets++;
    while (!over && (ticket != turn || active >= bounds.batches))
        changed.wait(lock);
    turn++;
    active++;
    changed.notify_all();
    ABT_key_set(key, new std::shared_ptr<Flow>(shared_from_this()));
}

/* The thread of a batch has finished. */
void Flow::batch_done(void *arg)
{
    const std::unique_ptr<std::shared_ptr<Flow>> own(
        static_cast<std::shared_ptr<Flow> *>(arg));
    Flow &flow = **own;
    std::lock_guard<Mutex> hold(flow.lock);
    flow.active--;
    flow.changed.notify_all();
}

} // namespace dfopt_mofka
