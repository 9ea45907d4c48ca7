# Completion for dfopt-mpi, dfopt-log and dfopt-demo-loader in bash. Options come from
# --help of the program that is being typed, so they are always its own; here are only
# the words that some of them take.
# shellcheck shell=bash

# _dfopt_options PROGRAM [COMMAND]: its long options, one a line, with = if they take
# a value.
_dfopt_options() {
    "$@" --help 2>/dev/null |
        sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z0-9-]*\)\(\[*=\)\{0,1\}.*/\2\3/p' |
        sed 's/\[*=$/=/'
}

# _dfopt_words PROGRAM OPTION: what it takes, if that is one of a few words.
_dfopt_words() {
    case $1:$2 in
    dfopt-mpi:--acks) echo auto assumed explicit ;;
    dfopt-mpi:--compat) echo default upstream ;;
    dfopt-mpi:--idle-timeout) echo never ;;
    dfopt-mpi:--log-detail) echo plans verdicts findings ;;
    dfopt-mpi:--log-format) echo json text ;;
    dfopt-mpi:--log-level) echo debug info warning error off ;;
    dfopt-mpi:--plans-pattern) echo push pub ;;
    dfopt-mpi:--readers) echo auto all one ;;
    dfopt-mpi:--transport) echo file zmq mofka ;;
    dfopt-log:--color) echo auto always never ;;
    dfopt-log:--format) echo csv jsonl ;;
    dfopt-demo-loader:--compute-kind) echo wait cpu ;;
    dfopt-demo-loader:--optimizer) echo on off ;;
    dfopt-demo-loader:--plans-pattern) echo pull sub ;;
    *) return 1 ;;
    esac
}

_dfopt() {
    local program=$1 current=$2 before=$3 name words command='' word i
    name=${program##*/}
    COMPREPLY=()
    # bash splits words at =: --option = value
    if [ "$current" = "=" ]; then
        current=
    elif [ "$before" = "=" ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if words=$(_dfopt_words "$name" "$before"); then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    if [ "$name" = dfopt-log ]; then
        for ((i = 1; i < COMP_CWORD; i++)); do
            word=${COMP_WORDS[i]}
            case $word in
            -*) ;;
            *)
                command=$word
                break
                ;;
            esac
        done
        if [ -z "$command" ] && [[ $current != -* ]]; then
            words=$("$program" --help 2>/dev/null |
                sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
            return
        fi
    fi
    if [[ $current == -* ]]; then
        words=$(_dfopt_options "$program" ${command:+"$command"})
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        if [ "${#COMPREPLY[@]}" -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then
            compopt -o nospace 2>/dev/null
        fi
        return
    fi
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

complete -F _dfopt dfopt-mpi dfopt-log dfopt-demo-loader
