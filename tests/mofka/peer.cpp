/* A peer for the tests: creates topics, sends and receives events with Mofka's own
 * client, and nothing of ours.
 *
 * usage: peer GROUP_FILE create TOPIC PARTITIONS [TYPE]
 *        peer GROUP_FILE push TOPIC           lines "METADATA<tab>BODY" from stdin
 *        peer GROUP_FILE pull TOPIC NAME COUNT QUIET_MS [ack]
 *                lines "PARTITION ID METADATA<tab>BODY", until COUNT (0: no bound)
 *                or until nothing has come for QUIET_MS
 *        peer GROUP_FILE drain TOPIC NAME COUNT BATCH   the same without printing:
 * how many a second, with an acknowledgement every 4096 peer GROUP_FILE wedge TOPIC
 * subscribes, takes one event, and is killed */
#include <diaspora/Driver.hpp>
#include <diaspora/TopicHandle.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>

using diaspora::Metadata;
using Clock = std::chrono::steady_clock;

static const char *group_file;

static diaspora::Driver connect_to()
{
    setenv("IPATH_NO_BACKTRACE", "1", 0);
    return diaspora::Driver::New(
        "mofka", Metadata{nlohmann::json{{"group_file", group_file},
                                         {"margo",
                                          {{"use_progress_thread", true},
                                           {"progress_spindown_msec", 0},
                                           {"progress_timeout_ub_msec", 5}}}}});
}

static int create(const diaspora::Driver &d, const char *topic, int partitions,
                  const char *type)
{
    d.createTopic(topic, Metadata{nlohmann::json{{"num_partitions", partitions},
                                                 {"config", {{"type", type}}}}});
    return 0;
}

static int push(const diaspora::Driver &d, const char *topic)
{
    auto handle = d.openTopic(topic);
    auto pool = d.makeThreadPool(diaspora::ThreadCount{1});
    auto *producer = new diaspora::Producer(handle.producer(
        std::string_view{"peer"}, diaspora::BatchSize{128},
        diaspora::MaxNumBatches{4}, diaspora::Ordering::Strict, pool));
    std::deque<std::string> bodies;
    std::string line;
    size_t n = 0;
    while (std::getline(std::cin, line)) {
        const size_t tab = line.find('\t');
        bodies.push_back(line.substr(tab + 1));
        producer->push(
            Metadata{line.substr(0, tab)},
            diaspora::DataView{bodies.back().data(), bodies.back().size()});
        if (++n % 4096 == 0) { /* bounded memory */
            if (!producer->flush().wait(2000))
                throw diaspora::Exception{"flush: time is up"};
            bodies.clear();
        }
    }
    for (int i = 0; i < 10; i++)
        if (producer->flush().wait(2000))
            return 0;
    throw diaspora::Exception{"flush: time is up"};
}

/* The bare consumer. */
static diaspora::Consumer *subscribe(const diaspora::Driver &d, const char *topic,
                                     const char *name, size_t batch = 256)
{
    auto handle = d.openTopic(topic);
    auto pool = d.makeThreadPool(diaspora::ThreadCount{1});
    const diaspora::DataSelector all =
        [](const Metadata &, const diaspora::DataDescriptor &what) { return what; };
    const diaspora::DataAllocator allocate =
        [](const Metadata &, const diaspora::DataDescriptor &what) {
            char *bytes = new char[what.size()];
            return diaspora::DataView(bytes, what.size(), bytes, [](void *p) {
                delete[] static_cast<char *>(p);
            });
        };
    return new diaspora::Consumer(
        handle.consumer(name, diaspora::BatchSize{batch}, pool, allocate, all));
}

/* Takes events until there are `count` or nothing comes for quiet_ms. */
template <typename F>
static size_t take(diaspora::Consumer &c, size_t count, int quiet_ms, F &&f)
{
    size_t n = 0;
    auto future = c.pull();
    auto last = Clock::now();
    while (count == 0 || n < count) {
        auto event = future.wait(100);
        if (event) {
            f(*event);
            n++;
            last = Clock::now();
            if (count == 0 || n < count)
                future = c.pull();
        } else if (Clock::now() - last > std::chrono::milliseconds(quiet_ms)) {
            break;
        }
    }
    return n;
}

static int pull(const diaspora::Driver &d, const char *topic, const char *name,
                size_t count, int quiet_ms, bool acknowledge)
{
    auto *consumer = subscribe(d, topic, name);
    std::map<std::string, diaspora::Event> last;
    std::map<std::string, int> number;
    const auto handle = d.openTopic(topic);
    for (const auto &p : handle.partitions())
        number.emplace(p.json().at("uuid"), static_cast<int>(number.size()));
    take(*consumer, count, quiet_ms, [&](diaspora::Event &e) {
        const auto uuid = e.partition().json().at("uuid").get<std::string>();
        std::string body(e.data().size(), '\0');
        e.data().read(body.data(), body.size());
        std::printf("%d %llu %s\t%s\n", number.at(uuid),
                    static_cast<unsigned long long>(e.id()),
                    e.metadata().dump().c_str(), body.c_str());
        last[uuid] = e;
    });
    for (auto &l : last)
        if (acknowledge)
            l.second.acknowledge();
    delete consumer;
    return 0;
}

static int drain(const diaspora::Driver &d, const char *topic, const char *name,
                 size_t count, size_t batch)
{
    const auto start = Clock::now();
    auto *consumer = subscribe(d, topic, name, batch);
    size_t since = 0;
    const size_t n = take(*consumer, count, 5000, [&](diaspora::Event &e) {
        if (++since == 4096) {
            e.acknowledge();
            since = 0;
        }
    });
    const double s = std::chrono::duration<double>(Clock::now() - start).count();
    std::printf("{\"events\":%zu,\"seconds\":%.3f,\"per_second\":%.0f}\n", n, s,
                static_cast<double>(n) / s);
    delete consumer;
    return 0;
}

static int wedge(const diaspora::Driver &d, const char *topic)
{
    auto *consumer = subscribe(d, topic, "wedge");
    take(*consumer, 1, 5000, [](diaspora::Event &) {});
    kill(getpid(), SIGKILL);
    return 0;
}

static int run(int argc, char **argv)
{
    const std::string what = argc > 2 ? argv[2] : "";
    const auto d = new diaspora::Driver(connect_to());
    if (what == "create" && argc >= 5)
        return create(*d, argv[3], std::atoi(argv[4]),
                      argc > 5 ? argv[5] : "memory");
    if (what == "push" && argc == 4)
        return push(*d, argv[3]);
    if (what == "pull" && argc >= 7)
        return pull(*d, argv[3], argv[4], std::strtoul(argv[5], nullptr, 10),
                    std::atoi(argv[6]), argc > 7);
    if (what == "drain" && argc == 7)
        return drain(*d, argv[3], argv[4], std::strtoul(argv[5], nullptr, 10),
                     std::strtoul(argv[6], nullptr, 10));
    if (what == "wedge" && argc == 4)
        return wedge(*d, argv[3]);
    std::fprintf(stderr, "peer: see the head of peer.cpp\n");
    return 2;
}

/* The work is on a thread of its own: on the one that connects, waiting spins. What
 * connects is left to the end of the process. */
int main(int argc, char **argv)
{
    int code = 1;
    group_file = argc > 1 ? argv[1] : "";
    std::thread worker([&] {
        try {
            code = run(argc, argv);
        } catch (const std::exception &x) {
            std::fprintf(stderr, "peer: %s\n", x.what());
        }
    });
    worker.join();
    std::fflush(nullptr);
    _exit(code);
}
