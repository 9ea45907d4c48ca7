/* Shared by the C++ files of the module: a connection, an open topic, conversion of
 * exceptions to errors, and the functions of consumer.cpp for the table in
 * module.cpp. */
#ifndef DFOPT_NET_MOFKA_CLIENT_HPP
#define DFOPT_NET_MOFKA_CLIENT_HPP

#include "net/mofka/module.h"

#include <diaspora/Driver.hpp>
#include <diaspora/TopicHandle.hpp>

#include <exception>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

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

namespace dfopt_mofka
{

/* Runs f and converts exceptions to errors. */
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

/* Functions of struct dfopt_mofka_module for consumers and their events. */
dfopt_err consumer_prepare(dfopt_mofka_consumer **out, dfopt_mofka_topic *t,
                           const char *name, const dfopt_mofka_bounds *bounds,
                           dfopt_error *err);
dfopt_err consumer_subscribe(dfopt_mofka_consumer *c, dfopt_error *err);
bool consumer_is_made(dfopt_mofka_consumer *c);
void consumer_release(dfopt_mofka_consumer *c);
dfopt_mofka_pulled pull(dfopt_mofka_consumer *c, int timeout_ms,
                        dfopt_mofka_event **out, dfopt_error *err);
void consumer_stop(dfopt_mofka_consumer *c);
void consumer_close(dfopt_mofka_consumer *c);
dfopt_err acknowledge(const dfopt_mofka_event *e, dfopt_error *err);
void data_free(dfopt_mofka_event *e);
void event_free(dfopt_mofka_event *e);

} // namespace dfopt_mofka

#endif
