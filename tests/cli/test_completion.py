#!/usr/bin/env python3
"""Completion in bash: what it offers is what the programs take."""
import os
import re
import subprocess

import harness

SCRIPT = os.path.join(harness.HERE, "..", "..", "src", "cmd", "completion", "dfopt.bash")
DRIVER = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_dfopt "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

# What options follow, where a program has commands.
COMMANDS = {"dfopt-mpi": [], "dfopt-log": ["export"], "dfopt-demo-loader": []}


def complete(*words, cwd=None):
    """What is offered for the last of these words."""
    r = subprocess.run(["bash", "--norc", "-c", DRIVER, "bash", SCRIPT, *words], cwd=cwd,
                       env=harness.environment(words[0], {"LC_ALL": "C"}),
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                       check=False, universal_newlines=True)
    if r.returncode or "error" in r.stderr:
        raise AssertionError(r.stderr)
    return set(filter(None, r.stdout.split("\n")))


def help_of(*command):
    return subprocess.run([*command, "--help"], stdout=subprocess.PIPE, timeout=60,
                          env=harness.environment(command[0], {}), check=True,
                          universal_newlines=True).stdout


def words_of(*command):
    """A line for each option that takes one of a few words: it and they."""
    return subprocess.run([*command, "--_words"], stdout=subprocess.PIPE, timeout=60,
                          env=harness.environment(command[0], {}), check=True,
                          universal_newlines=True).stdout.splitlines()


def options_of(*command):
    return {m[1] + (m[2] or "") for m in re.finditer(
        r"^  (?:-\S, |    )(--[a-z0-9-]+)(=)?", help_of(*command), re.M)}


class Completion(harness.Case):
    def programs(self):
        c = harness.Config
        return [p for p in (c.program, c.log_program, c.demo_program) if p]

    def test_options(self):
        for program in self.programs():
            expected = options_of(program)
            self.assertIn("--help", expected)
            self.assertEqual(complete(program, "--"), expected)
        self.assertEqual(complete(harness.Config.program, "--decision"),
                         {"--decision-log="})

    def test_commands_of_dfopt_log(self):
        program = harness.Config.log_program
        listed = help_of(program).split("Commands:\n")[1].split("\n\n")[0]
        commands = set(re.findall(r"^  (\w+) ", listed, re.M))
        self.assertLess(3, len(commands))
        self.assertEqual(complete(program, ""), commands)
        for command in sorted(commands):
            self.assertEqual(complete(program, command, "--"),
                             options_of(program, command), command)

    def test_commands_of_dfopt_ctl(self):
        program = os.path.join(os.path.dirname(harness.Config.program), "dfopt-ctl")
        listed = help_of(program).split("Commands:\n")[1].split("\n\n")[0]
        commands = set(re.findall(r"^  (\w+) ", listed, re.M))
        self.assertLess(8, len(commands))
        for before in ((), ("--json",), ("-a", "ipc:///tmp/x/y")):
            self.assertEqual(complete(program, *before, ""), commands, before)
        self.assertEqual(complete(program, "policy", ""), {"check", "apply", "show"})
        self.assertEqual(complete(program, "mode", ""), {"auto", "advise", "shadow", "off"})
        self.assertEqual(complete(program, "stop", "--r"), {"--restore"})
        self.write("p.json", "{}")
        self.assertEqual(complete(program, "policy", "apply", "p", cwd=self.folder), {"p.json"})

    def test_words(self):
        """Each word that is offered is taken, and no other."""
        by_name = {os.path.basename(p): p for p in self.programs()}
        table = [(name, *line.split(" ", 1)) for name, program in by_name.items()
                 for line in words_of(program, *COMMANDS[name])]
        self.assertGreater(len(table), 10)
        tries = []
        for name, option, words in table:
            for form in ((option, ""), (option, "="), (option, "=", "")):
                self.assertEqual(complete(by_name[name], *COMMANDS[name], *form),
                                 set(words.split()), option)
            tries += [(name, option, word) for word in [*words.split(), "no-such-word"]]
        results = harness.run_each([self.a_try(*x, by_name) for x in tries])
        for (name, option, word), r in zip(tries, results):
            self.assert_ran(r)
            self.assertNotEqual(r.code, 0)
            if option != "--idle-timeout":  # takes a number, too
                self.assertEqual("no-such-word" in r.text, word == "no-such-word",
                                 (name, option, word, r.text))

    def a_try(self, name, option, word, by_name):
        """What ends the program once its options are understood comes behind it."""
        before, behind = {
            "dfopt-mpi": ([], ["--findings-file", "/dev/null", "--policy",
                               self.path("nowhere")]),
            "dfopt-log": (["export"], [self.path("nowhere")]),
            "dfopt-demo-loader": ([], ["--data", self.path("nowhere")]),
        }[name]
        return {"args": [*before, option, word, *behind], "program": by_name[name]}

    def test_files(self):
        self.write("log.h5", "")
        self.assertEqual(complete(harness.Config.log_program, "summary", "lo",
                                  cwd=self.folder), {"log.h5"})
        self.assertEqual(complete(harness.Config.program, "--findings-file", "=", "lo",
                                  cwd=self.folder), {"log.h5"})


if __name__ == "__main__":
    harness.main()
