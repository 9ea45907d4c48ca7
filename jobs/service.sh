# The service beside an application: see jobs/slurm/online.sbatch. Sourced by sh, after
# common.sh.
# shellcheck shell=sh disable=SC1091,SC2154 # set where it is sourced

. "$jobs/mofka.sh"

# logged EVENT FIELD: of the last such line of the service's log.
logged() {
    sed -n "s/.*\"$1\".*\"$2\":\"\([^\"]*\)\".*/\1/p" "$results/optimizer.log" |
        tail -n 1
}

# endpoint STREAM: where the service listens, as others reach it, or, over Mofka, its
# topic; nothing before it does.
endpoint() {
    case $DFOPT_TRANSPORT:$1 in
    zmq:registrations | zmq:acks) endpoint applications ;;
    zmq:*) logged optimizer.listening "$1" | sed "s/0\.0\.0\.0/$host/" ;;
    *:findings) logged optimizer.stream.start input_topic ;;
    *:plans) logged optimizer.stream.start output_topic ;;
    *:registrations) logged optimizer.stream.start registry_topic ;;
    *:acks) logged optimizer.stream.start acks_topic ;;
    esac
}

# comes_up PROCESS CONDITION...: whether that is true in time; if not, why. PROCESS,
# without which it cannot come true, may be empty.
comes_up() {
    process=$1
    shift
    left=$((DFOPT_START_S * 5))
    until "$@"; do
        if [ -n "$process" ] && ! kill -0 "$process" 2>/dev/null; then
            why="did not start"
        elif [ "$left" -le 0 ]; then
            why="did not start within $DFOPT_START_S s"
        elif [ -n "$stopped" ]; then
            why="was asked to stop before it had started"
        else
            left=$((left - 1))
            sleep 0.2
            continue
        fi
        return 1
    done
}

listens() {
    [ -n "$(endpoint plans)" ]
}

# announce_metrics: where Prometheus finds them.
announce_metrics() {
    target=
    [ -n "$DFOPT_METRICS" ] || return 0
    at=$(logged optimizer.metrics.listening address |
        sed "s/^0\.0\.0\.0:/$host:/; s/^\[::\]:/$host:/")
    target=${DFOPT_TARGETS:-$results}/$job_id.json
    { mkdir -p "${target%/*}" &&
        printf '[{"targets": ["%s"], "labels": {"job_id": "%s"}}]\n' "$at" "$job_id" \
            >"$target.new" && mv "$target.new" "$target"; } ||
        say "metrics are at $at, and $target cannot be written"
    say "metrics at http://$at/metrics"
}

# start_service: on its nodes; ends the job if it does not start.
# shellcheck disable=SC2086 # options are split
start_service() {
    host=$(uname -n)
    any="tcp://${DFOPT_INTERFACE:-*}:*" # a free port; the log line says which
    on=$(first_nodes "$((DFOPT_SERVICE_NODES > 0 ? DFOPT_SERVICE_NODES : 1))")
    case $DFOPT_TRANSPORT in
    zmq)
        set -- --address "$any" --bind --plans-address "$any" --plans-pattern pub \
            --applications-address "$any" --endpoints-file "$results/endpoints.json"
        rm -f "$results/endpoints.json"
        ;;
    mofka)
        find_broker
        set -- --group-file "$group_file" --input-topic "$DFOPT_FINDINGS_TOPIC" \
            --output-topic "$DFOPT_PLANS_TOPIC" \
            --registry-topic "$DFOPT_REGISTRY_TOPIC" --acks-topic "$DFOPT_ACKS_TOPIC"
        ;;
    *) give_up "DFOPT_TRANSPORT is zmq or mofka, not '$DFOPT_TRANSPORT'" ;;
    esac
    [ -z "$DFOPT_METRICS" ] || set -- "$@" --metrics-address "$DFOPT_METRICS"
    : >"$results/optimizer.log" || exit 1
    launch_on "$on" "$DFOPT_RANKS" "$program" --fault-trace --transport "$DFOPT_TRANSPORT" "$@" \
        --idle-timeout never "$(log_option "$results/decisions.h5")" $DFOPT_OPTIONS \
        2>>"$results/optimizer.log" &
    service=$!
    comes_up "$service" listens || service_failed
    say "dfopt-mpi listens on $on"
    announce_metrics
}

service_failed() {
    kill -KILL "$service" 2>/dev/null
    cat "$results/optimizer.log"
    give_up "dfopt-mpi $why"
}

# run_application COMMAND...: with what it needs to know in its environment.
run_application() {
    DFOPT_FINDINGS=$(endpoint findings)
    DFOPT_CLIENT_PLANS=$(endpoint plans)
    DFOPT_CLIENT_REGISTRY=$(endpoint registrations)
    DFOPT_CLIENT_ACKS=$(endpoint acks)
    case $DFOPT_TRANSPORT in
    zmq)
        DFOPT_CLIENT_ENDPOINTS=$results/endpoints.json
        export DFOPT_CLIENT_ENDPOINTS DFOPT_CLIENT_PLANS_PATTERN=sub
        ;;
    mofka) export DFOPT_CLIENT_GROUP_FILE="$group_file" ;;
    esac
    DFOPT_APP_NODES=$(nodes_behind "$DFOPT_SERVICE_NODES")
    DFOPT_APP_NNODES=$(count "$DFOPT_APP_NODES")
    export DFOPT_TRANSPORT DFOPT_FINDINGS DFOPT_CLIENT_PLANS DFOPT_CLIENT_REGISTRY \
        DFOPT_CLIENT_ACKS DFOPT_APP_NODES DFOPT_APP_NNODES
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

# stop_service: what is in flight is decided, published and logged; its code in code.
stop_service() {
    kill -USR1 "$service" 2>/dev/null ||
        say "dfopt-mpi had ended before: see $results/optimizer.log"
    end_of "$service" "$DFOPT_STOP_S"
    [ -z "$target" ] || rm -f "$target"
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
    stop_broker
    if [ -n "$stopped" ] && [ "$code" -eq 0 ]; then
        stopped_early
        exit 3
    fi
    [ "$code" -eq 0 ] || [ "$application_code" -ne 0 ] || exit 1
    exit "$application_code"
}
