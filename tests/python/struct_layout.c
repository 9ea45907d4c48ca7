/* Prints, as JSON, the size of each struct of dfopt/client.h that the Python
 * binding mirrors, and where its members are: what the binding is held against. */
#include "dfopt/client_measure.h"

#include <stdio.h>

#define AT(type, member)                                                           \
    printf("    \"%s\": %zu,\n", #member, offsetof(type, member))

/* clang-format off */
#define VALUE(AT_) AT_(kind) AT_(i) AT_(d) AT_(b) AT_(s)
#define ERROR(AT_) AT_(code) AT_(text)
#define OPTIONS(AT_)                                                               \
    AT_(app_namespace) AT_(function) AT_(hostname) AT_(transport)                  \
        AT_(plans_endpoint) AT_(registry_endpoint) AT_(acks_endpoint)              \
            AT_(plans_pattern) AT_(plans_bind) AT_(lazy_registration)              \
                AT_(curve_server_key) AT_(curve_secret_key) AT_(curve_public_key)  \
                    AT_(max_pending_acks) AT_(max_queued_plans)                    \
                        AT_(max_message_bytes) AT_(log) AT_(log_arg)               \
                            AT_(objectives_endpoint) AT_(max_pending_objectives)   \
                                AT_(reports) AT_(group_file) AT_(consumer_name)    \
                                    AT_(global_group_file)                         \
                                        AT_(global_registry_topic)                 \
                                            AT_(global_acks_topic)                 \
                                                AT_(global_objectives_topic) AT_(findings_endpoint) AT_(max_pending_findings) AT_(findings_end) AT_(endpoints_file) AT_(lease_ms)
#define METRIC(AT_) AT_(name) AT_(value)
#define OBJECTIVE(AT_)                                                             \
    AT_(window_index) AT_(value) AT_(goal) AT_(reports) AT_(metrics) AT_(n_metrics)
#define RESPONSE(AT_)                                                              \
    AT_(tag)                                                                       \
    AT_(direction)                                                                 \
    AT_(step_mode) AT_(step) AT_(set_to) AT_(min_severity) AT_(min_persistence)    \
        AT_(cooldown_windows) AT_(apply_when) AT_(effectiveness_threshold)
#define KNOB(AT_)                                                                  \
    AT_(id)                                                                        \
    AT_(parameter)                                                                 \
    AT_(function) AT_(scope) AT_(type) AT_(default_value) AT_(current) AT_(lo)     \
        AT_(hi) AT_(values) AT_(n_values) AT_(responses) AT_(n_responses) AT_(on_lost)
#define PLAN(AT_)                                                                  \
    AT_(plan_id) AT_(knob_id) AT_(parameter) AT_(function) AT_(new_value)          \
        AT_(old_value) AT_(clamped) AT_(for_node) AT_(severity) AT_(window_index)  \
            AT_(apply_when) AT_(finding_type) AT_(opportunity_tag) AT_(rationale)  \
                AT_(connection)
#define STATS(AT_)                                                                 \
    AT_(plans_received) AT_(plans_malformed) AT_(plans_other_node)                 \
        AT_(plans_unknown) AT_(plans_unfit) AT_(plans_replaced)                    \
            AT_(plans_delivered) AT_(plans_pending) AT_(acks_sent)                 \
                AT_(acks_dropped) AT_(acks_pending) AT_(registrations_sent)        \
                    AT_(connections) AT_(objectives_sent) AT_(objectives_dropped)  \
                        AT_(objectives_pending) AT_(plans_outdated) AT_(findings_sent) AT_(findings_dropped) AT_(findings_pending) \
                            AT_(optimizers_lost) AT_(values_restored)
#define WINDOW(AT_)                                                                \
    AT_(every_n) AT_(max_every_n) AT_(counter) AT_(index) AT_(start_ns) AT_(active)
#define MEASURED(AT_)                                                              \
    AT_(index) AT_(units) AT_(seconds) AT_(fetch_s) AT_(compute_s) AT_(workers)    \
        AT_(memory) AT_(read_spread) AT_(changed)
#define FINDING(AT_)                                                               \
    AT_(type) AT_(window_index) AT_(severity) AT_(persistence) AT_(support)        \
        AT_(prevalence) AT_(confidence) AT_(trend) AT_(motif) AT_(tags)            \
            AT_(n_tags) AT_(suppresses) AT_(n_suppresses) AT_(metrics)             \
                AT_(n_metrics) AT_(reports)
#define MEASURE(AT_)                                                               \
    AT_(client) AT_(window_ns) AT_(window) AT_(phase) AT_(start_ns) AT_(phase_ns)
/* clang-format on */

#define PRINT(type, members)                                                       \
    {                                                                              \
        typedef struct type t;                                                     \
        printf("%s  \"%s\": {\n", between, #type);                                 \
        members(MEMBER) printf("    \"\": %zu\n  }", sizeof(t));                   \
        between = ",\n";                                                           \
    }
#define MEMBER(member) AT(t, member);

int main(void)
{
    const char *between = "{\n";
    PRINT(dfopt_error, ERROR)
    PRINT(dfopt_client_value, VALUE)
    PRINT(dfopt_client_options, OPTIONS)
    PRINT(dfopt_client_response, RESPONSE)
    PRINT(dfopt_client_knob, KNOB)
    PRINT(dfopt_client_plan, PLAN)
    PRINT(dfopt_client_stats, STATS)
    PRINT(dfopt_client_metric, METRIC)
    PRINT(dfopt_client_objective, OBJECTIVE)
    PRINT(dfopt_client_window, MEASURED)
    PRINT(dfopt_client_finding, FINDING)
    PRINT(dfopt_measure, MEASURE)
    PRINT(dfopt_window, WINDOW)
    puts("\n}");
    return 0;
}
