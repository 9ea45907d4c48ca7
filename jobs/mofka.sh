# Mofka's side of service.sh: the group file, and a broker of the job's own. Sourced by
# sh, after common.sh.
# shellcheck shell=sh disable=SC2154 # set where it is sourced

broker= # the process, if there is one of the job's own

# find_broker: sets group_file, which is there afterwards; starts the broker, if that is
# for this job to do. Ends the job if there is none.
# shellcheck disable=SC2086 # the command is split
find_broker() {
    group_file=${DFOPT_GROUP_FILE:-$results/mofka.json}
    case $group_file in
    /*) ;;
    *) group_file=$PWD/$group_file ;;
    esac
    export MOFKA_GROUP_FILE="$group_file"
    if [ -n "$DFOPT_BROKER_COMMAND" ]; then
        rm -f "$group_file" # of a broker that is gone
        export DFOPT_FINDINGS_TOPIC DFOPT_PLANS_TOPIC DFOPT_REGISTRY_TOPIC \
            DFOPT_ACKS_TOPIC
        # What ends everything else of the job leaves it: the service needs it to end.
        (trap '' TERM USR1 && exec $DFOPT_BROKER_COMMAND) >"$results/broker.log" 2>&1 &
        broker=$!
        trap stop_broker EXIT
    elif [ -z "$DFOPT_GROUP_FILE" ]; then
        give_up "DFOPT_TRANSPORT=mofka needs DFOPT_GROUP_FILE or DFOPT_BROKER_COMMAND"
    fi
    comes_up "$broker" test -s "$group_file" || {
        [ -z "$broker" ] || cat "$results/broker.log"
        give_up "the broker with group file $group_file $why"
    }
}

# stop_broker: the job's own, and not before the service.
stop_broker() {
    [ -n "$broker" ] || return 0
    kill -HUP "$broker" 2>/dev/null
    before=${code:-}
    end_of "$broker" "$DFOPT_STOP_S"
    say "the broker ended with $code"
    code=$before
    broker=
}
