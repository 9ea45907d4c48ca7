"""Pages of section 1 against --help: every text of --help stands in the page, too.

An item is an option, a command or an exit status. In the page its text ends at the first
.Pp; what follows explains more. A title of --help is a section of the page, with the same
items in the same order. Descriptions and notes of --help stand in the page as they are.
Texts are compared without blanks, quotes and macros.
"""
import re
import subprocess

from common import TIMEOUT_S, read, wrong

DELIMITERS = set(".,;:()[]!|")
WIDTH = 80
# Titles of --help that are sections of another name.
SECTIONS = {"Commands": "COMMANDS", "Options": "OPTIONS", "Exit status": "EXIT STATUS"}


def help_text(program, *command):
    return subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE,
                          check=True, timeout=TIMEOUT_S, universal_newlines=True).stdout


def help_groups(text):
    """{title: {item: text}}"""
    groups, items, item = {}, None, ""
    for line in text.splitlines():
        option = re.match(r"(?:  (-\S, )| {6})(--\S+) *(.*)$", line)
        row = option or re.match(r"()  (\S.*?)(?:  +(\S.*))?$", line)
        if re.match(r"\S.*:$", line):
            items = groups.setdefault(re.sub(r" \(.*list.*", "", line[:-1]), {})
        elif not line.strip():
            items = None
        elif items is not None and row and (option or line[2] != " "):
            item = (row[1] or "") + row[2]
            items[item] = row[3] or ""
        elif items:
            items[item] += " " + line.strip()
    return groups


def help_paragraphs(text):
    """Descriptions and notes: what is neither the usage line nor a group."""
    return [p for p in re.split(r"\n\n+", text)[1:]
            if not re.match(r"\S.*:\n|Environment: ", p)]


def plain(line):
    """A line of mdoc as it is read: without its macros."""
    if not line.startswith("."):
        return line.replace("\\&", "")
    macro, out = "", []
    for word in line[1:].split():
        if re.fullmatch(r"[A-Z][a-z]", word):
            macro = word
        elif macro == "Xr" and word.isdigit():
            out.append("(%s)" % word)
        else:
            out.append("-" + word if macro == "Fl" and word not in DELIMITERS else word)
    text = " ".join(out).replace("\\&", "")
    return "(%s)" % text if line.startswith(".Pq ") else text


def man_sections(page):
    """{section: {item: (line, text)}}; the item "" has all text of the section."""
    sections, section, item = {}, "", ""
    for number, line in enumerate(read(page).splitlines(), 1):
        if line.startswith((".Sh ", ".Ss ")):
            section, item = line[4:], ""
            sections[section] = {"": (number, "")}
        elif line.startswith(".It "):
            item = bare(plain(line))
            sections[section][item] = (number, "")
        elif line.startswith((".Pp", ".El", ".Bl")):
            item = ""
        elif section and not line.startswith('.\\"'):
            for name in {"", item}:
                start, text = sections[section][name]
                sections[section][name] = (start, text + " " + plain(line))
    return sections


def bare(text):
    return re.sub(r"[\s'`\"\[\]]", "", text).rstrip(".")


def compare_items(page, section, shown, written):
    """Items of a group of --help, and those of the same kind in the section."""
    shown = {bare(item): text for item, text in shown.items()}
    options = any(item.startswith("-") for item in shown)
    found = {item: w for item, w in written.items()
             if item and item.startswith("-") == options}
    for item, text in shown.items():
        if item not in found:
            wrong(page.name, written[""][0], "%s: '%s' is missing" % (section, item))
        elif bare(found[item][1]) != bare(text):
            wrong(page.name, found[item][0],
                  "%s: --help says of '%s': %s" % (section, item, text))
    for item in found.keys() - shown.keys():
        wrong(page.name, found[item][0], "%s: '%s' is not in --help" % (section, item))
    if found.keys() == shown.keys() and list(found) != list(shown):
        wrong(page.name, written[""][0], "%s: not in the order of --help" % section)


def compare_help(page, text, sections, name_of):
    """name_of: the section of a title."""
    for line in text.splitlines():
        if len(line) > WIDTH or line != line.rstrip():
            wrong(page.name, 1, "--help has too long a line, or a blank at its end: " + line)
    for title, shown in help_groups(text).items():
        section = name_of(title)
        if section in sections:
            compare_items(page, section, shown, sections[section])
        else:
            wrong(page.name, 1, "there is no section '%s'" % section)
    whole = bare(" ".join(items[""][1] for items in sections.values()))
    for paragraph in help_paragraphs(text):
        if bare(paragraph) not in whole:
            wrong(page.name, 1, "lacks a text of --help: " + " ".join(paragraph.split()))


def check_page(page, program):
    sections, text = man_sections(page), help_text(program)
    groups = help_groups(text)
    if program.endswith("dfopt-log"):  # its commands have sections
        for command in groups.pop("Commands"):
            titles = {"All commands": "All commands"}
            compare_help(page, help_text(program, command), sections,
                         lambda title: titles.get(title, command))
        compare_items(page, "EXIT STATUS", groups["Exit status"], sections["EXIT STATUS"])
    else:
        compare_help(page, text, sections, lambda title: SECTIONS.get(title, title))
