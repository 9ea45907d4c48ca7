#!/bin/sh
# A Mofka broker for one job: Bedrock, with the topics of one service, all in memory.
#
# usage: MOFKA_GROUP_FILE=FILE sh jobs/broker.sh PROTOCOL
#   DFOPT_BROKER_COMMAND='sh jobs/broker.sh ofi+tcp' sbatch ... jobs/slurm/online.sbatch
#
# Topics: DFOPT_FINDINGS_TOPIC, DFOPT_PLANS_TOPIC, DFOPT_REGISTRY_TOPIC and
# DFOPT_ACKS_TOPIC, one partition each. The group file is there when they are. SIGHUP
# ends it. Needs bedrock, bedrock-shutdown and diaspora-ctl on PATH, as Mofka has them.
set -eu

[ "$#" -eq 1 ] || { echo "usage: MOFKA_GROUP_FILE=FILE $0 PROTOCOL" >&2; exit 64; }
protocol=$1
: "${MOFKA_GROUP_FILE:?is where the group file is to be}"

folder=$(mktemp -d "${TMPDIR:-/tmp}/dfopt-broker-XXXXXX")
group=$folder/group.json
broker=
clean_up() {
    rm -rf "$folder"
    if [ -n "$broker" ]; then
        kill -KILL "$broker" 2>/dev/null || true
    fi
}
trap clean_up EXIT
stop=
trap 'stop=yes' HUP

# Short waits: a hop takes 0.2 ms instead of 12.
cat >"$folder/bedrock.json" <<EOF
{"libraries": ["libflock-bedrock-module.so", "libyokan-bedrock-module.so",
               "libmofka-bedrock-module.so"],
 "margo": {"progress_spindown_msec": 0, "progress_timeout_ub_msec": 5},
 "providers": [
   {"name": "master", "provider_id": 1, "type": "yokan", "tags": ["mofka:master"],
    "config": {"database": {"type": "map"}}},
   {"name": "group", "provider_id": 2, "type": "flock",
    "config": {"bootstrap": "self", "file": "$group", "group": {"type": "static"}}}]}
EOF
echo "{\"group_file\": \"$group\"}" >"$folder/driver.json"
echo '{"num_partitions": 1, "config": {"type": "memory"}}' >"$folder/topic.json"

bedrock "$protocol" -c "$folder/bedrock.json" &
broker=$!
while [ ! -s "$group" ]; do # whoever waits for MOFKA_GROUP_FILE knows how long
    [ -z "$stop" ] || exit 1
    kill -0 "$broker" 2>/dev/null || { echo "$0: bedrock has ended" >&2; exit 1; }
    sleep 0.1
done
for topic in "${DFOPT_FINDINGS_TOPIC:-diagnosis_findings}" \
    "${DFOPT_PLANS_TOPIC:-optimizer_plans}" \
    "${DFOPT_REGISTRY_TOPIC:-optimizer_registry}" "${DFOPT_ACKS_TOPIC:-optimizer_acks}"; do
    diaspora-ctl topic create --driver mofka --driver-config "$folder/driver.json" \
        --topic-config "$folder/topic.json" --name "$topic"
done
cp "$group" "$MOFKA_GROUP_FILE.part"
mv "$MOFKA_GROUP_FILE.part" "$MOFKA_GROUP_FILE"

code=0
while [ -z "$stop" ] && kill -0 "$broker" 2>/dev/null; do # a signal ends a wait
    code=0
    wait "$broker" || code=$?
done
if [ -n "$stop" ]; then
    # SIGTERM may be ignored here. What does not end waits for a reader that was killed.
    timeout -s KILL 5 bedrock-shutdown -f "$group" "$protocol" || true
    left=25
    while kill -0 "$broker" 2>/dev/null; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "$0: bedrock does not end: killed" >&2; exit 1; }
        sleep 0.2
    done
    code=0
    wait "$broker" || code=$?
fi
broker=
exit "$code"
