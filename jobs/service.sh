# The service beside an application: see jobs/slurm/online.sbatch. Sourced by sh, after
# common.sh.
# shellcheck shell=sh disable=SC2154 # set where it is sourced

# endpoint STREAM: where the service listens, as others reach it; nothing before it does.
endpoint() {
    sed -n "s/.*\"optimizer.listening\".*\"$1\":\"\([^\"]*\)\".*/\1/p" \
        "$results/optimizer.log" | tail -n 1 | sed "s/0\.0\.0\.0/$host/"
}

# start_service: on its nodes; ends the job if it does not start.
# shellcheck disable=SC2086 # options are split
start_service() {
    host=$(uname -n)
    any="tcp://${DFOPT_INTERFACE:-*}:*" # a free port; the log line says which
    on=$(first_nodes "$((DFOPT_SERVICE_NODES > 0 ? DFOPT_SERVICE_NODES : 1))")
    : >"$results/optimizer.log" || exit 1
    launch_on "$on" "$DFOPT_RANKS" "$program" --transport zmq --address "$any" --bind \
        --plans-address "$any" --plans-pattern pub --registry-address "$any" \
        --acks-address "$any" --idle-timeout never \
        "$(log_option "$results/decisions.h5")" $DFOPT_OPTIONS \
        2>>"$results/optimizer.log" &
    service=$!
    left=$((DFOPT_START_S * 5))
    while [ -z "$(endpoint plans)" ]; do
        kill -0 "$service" 2>/dev/null || service_failed "did not start"
        [ "$left" -gt 0 ] || service_failed "did not start within $DFOPT_START_S s"
        [ -z "$stopped" ] || service_failed "was asked to stop before it had started"
        left=$((left - 1))
        sleep 0.2
    done
    say "dfopt-mpi listens on $on"
}

service_failed() {
    kill -KILL "$service" 2>/dev/null
    cat "$results/optimizer.log"
    give_up "dfopt-mpi $1"
}

# run_application COMMAND...: with what it needs to know in its environment.
run_application() {
    DFOPT_FINDINGS=$(endpoint findings)
    DFOPT_CLIENT_PLANS=$(endpoint plans)
    DFOPT_CLIENT_REGISTRY=$(endpoint registrations)
    DFOPT_CLIENT_ACKS=$(endpoint acks)
    DFOPT_CLIENT_PLANS_PATTERN=sub
    DFOPT_APP_NODES=$(nodes_behind "$DFOPT_SERVICE_NODES")
    DFOPT_APP_NNODES=$(count "$DFOPT_APP_NODES")
    export DFOPT_FINDINGS DFOPT_CLIENT_PLANS DFOPT_CLIENT_REGISTRY DFOPT_CLIENT_ACKS \
        DFOPT_CLIENT_PLANS_PATTERN DFOPT_APP_NODES DFOPT_APP_NNODES
    "$@" &
    application=$!
    if ! wait_for "$application"; then
        say "SIG$stopped: SIG$DFOPT_APP_SIGNAL to the application"
        kill -s "$DFOPT_APP_SIGNAL" "$application" 2>/dev/null
        end_of "$application" "$DFOPT_APP_GRACE_S"
    fi
    application_code=$code
    say "the application ended with $code"
}

# stop_service: what is under way is decided, published and logged; its code in code.
stop_service() {
    kill -USR1 "$service" 2>/dev/null ||
        say "dfopt-mpi had ended before: see $results/optimizer.log"
    end_of "$service" "$DFOPT_STOP_S"
    say "dfopt-mpi ended with $code"
}

# serve COMMAND...: the whole job. Its exit code is the application's; 1 if that went
# well and the service did not; 3 if the batch system ended both.
serve() {
    [ "$#" -gt 0 ] || give_up "which application? the command that starts it is missing"
    [ "$(count "$nodes")" -gt "$DFOPT_SERVICE_NODES" ] ||
        give_up "$DFOPT_SERVICE_NODES nodes for the service leave none of $nodes;" \
            "DFOPT_SERVICE_NODES=0 shares the first"
    start_service
    run_application "$@"
    stop_service
    if [ -n "$stopped" ] && [ "$code" -eq 0 ]; then
        stopped_early
        exit 3
    fi
    [ "$code" -eq 0 ] || [ "$application_code" -ne 0 ] || exit 1
    exit "$application_code"
}
