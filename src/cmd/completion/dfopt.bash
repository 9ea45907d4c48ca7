# Completion for dfopt-mpi, dfopt-log, dfopt-demo-loader and dfopt-ctl in bash. Options
# come from --help of the program that is being typed, and the words that some of them
# take from its --_words, so they are always its own.
# shellcheck shell=bash

# _dfopt_options PROGRAM [COMMAND]: its long options, one a line, with = if they take
# a value.
_dfopt_options() {
    "$@" --help 2>/dev/null |
        sed -n 's/^  \(-., \|    \)\(--[a-z0-9-]*\)\(=\{0,1\}\).*/\2\3/p'
}

# _dfopt_words OPTION PROGRAM [COMMAND]: the words that it takes, if it is of these.
_dfopt_words() {
    local option=$1
    shift
    [[ $option == --* ]] || return 1
    "$@" --_words 2>/dev/null | sed -n "s/^$option //p" | grep .
}

# _dfopt_commands PROGRAM: those of its --help, one a line.
_dfopt_commands() {
    "$1" --help 2>/dev/null |
        sed -En '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p' | sort -u
}

# _dfopt_ctl PROGRAM CURRENT: a command of dfopt-ctl, or what follows it, if that is known.
_dfopt_ctl() {
    local commands command='' word i
    commands=$(_dfopt_commands "$1")
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if grep -qx -- "$word" <<<"$commands"; then
            command="$command $word"
        fi
    done
    case $command in
    '') word=$commands ;;
    ' policy') word='check apply show' ;;
    ' mode') word='auto advise shadow off' ;;
    *) return 1 ;;
    esac
    # behind the word, nothing more is known
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -a | --control-address | --timeout | --zmq-curve-* | check | apply | show) return 1 ;;
    auto | advise | shadow | off) return 1 ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$word" -- "$2")
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
            words=$(_dfopt_commands "$program")
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
            return
        fi
    fi
    if [ "$name" = dfopt-ctl ] && [[ $current != -* ]] && _dfopt_ctl "$program" "$current"; then
        return
    fi
    if words=$(_dfopt_words "$before" "$program" ${command:+"$command"}); then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
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

complete -F _dfopt dfopt-mpi dfopt-log dfopt-demo-loader dfopt-ctl
