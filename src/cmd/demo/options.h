/* The command line. Texts point into argv or static storage. */
#ifndef DFOPT_CMD_DEMO_OPTIONS_H
#define DFOPT_CMD_DEMO_OPTIONS_H

#include "cmd/demo/dataset.h"
#include "cmd/demo/grid.h"
#include "cmd/demo/reader.h"
#include "cmd/demo/tuner.h"
#include "dfopt/client.h"

struct demo_options {
    const char *folder;
    bool make_data;
    struct demo_shape shape; /* of what is made */
    struct demo_reader_options reader;
    int64_t compute_ns; /* a sample */
    bool compute_cpu;   /* on a processor; else a wait */
    int64_t windows;
    int64_t window_ns;          /* length of a window, unless */
    int64_t window_samples;     /* not 0 */
    enum demo_grid_values grid; /* not NONE: nothing is tuned */
    int64_t grid_windows;       /* a setting */
    bool no_optimizer;          /* --optimizer=off */
    bool mofka, verbose;
    const char *findings; /* endpoint; NULL: none are sent */
    bool findings_connect;
    enum dfopt_diagnosis_habit habit;
    enum demo_knob_scope scope;
    struct dfopt_client_options client;
    int64_t wait_optimizer_ns;
    bool stop_optimizer;
    const char *json_file;    /* NULL: none */
    const char *against;      /* NULL: nothing to compare with */
    double at_least;          /* times the throughput of `against` */
    const char *against_grid; /* NULL: no grid to compare with */
};

/* Reads argv. Mistakes are reported and end the program with 2, help and version
 * with 0. */
void demo_options_parse(int argc, char **argv, struct demo_options *out);

#endif
