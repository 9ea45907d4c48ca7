"""The files of src, as the table "folder, files" of src/README.md names them."""
from arrows import names_of, sources


def check(top):
    readme = "src/README.md"
    rows, real = names_of(top / readme, "folder", "files"), sources(top / "src")
    for folder, paths in sorted(real.items()):
        if folder not in rows:
            yield f"{readme}:1: no row with the files of '{folder}'"
            continue
        line, names = rows[folder]
        stems = {path.stem for path in paths}
        for name in sorted(stems - set(names)):
            yield f"{readme}:{line}: '{folder}' has a file '{name}', which is not named"
        for name in sorted(set(names) - stems):
            yield f"{readme}:{line}: there is no file '{name}' in '{folder}'"
    for folder in sorted(set(rows) - set(real)):
        yield f"{readme}:{rows[folder][0]}: there is no folder '{folder}' with source in it"
