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
    struct demo_shape shape; /* of the set to make */
    struct demo_reader_options reader;
    int64_t compute_ns; /* per sample */
    bool compute_cpu;   /* on the CPU; else by sleeping */
    int64_t windows;
    int64_t window_ns;          /* length of a window, unless */
    int64_t window_samples;     /* is not 0 */
    enum demo_grid_values grid; /* not NONE: run the grid, tune nothing */
    int64_t grid_windows;       /* per setting */
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
    const char *against;      /* NULL: no comparison */
    double at_least;          /* times the throughput of `against` */
    const char *against_grid; /* NULL: no comparison with a grid */
};

/* Parses argv. Exits with 2 on a usage error (reported), 0 for help and version. */
void demo_options_parse(int argc, char **argv, struct demo_options *out);

#endif
