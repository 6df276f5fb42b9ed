#!/usr/bin/env python3
"""clang-tidy over the product's sources, in parallel: clang_tidy.py BUILD_DIR JOBS

Most of clang-tidy's time goes into reading headers, so sources of one folder that are compiled alike are looked at many
at a time, as one source that includes them. A group in which anything is refused is halved until it is one source, so
that the verdict is always that of the sources alone.

What passed is remembered in the user's cache folder, for every checkout, by a hash of the sources, all headers of this
project that they include (ninja knows them from the build), the checks, how they are compiled, and clang-tidy itself: a
second run looks only at groups in which something changed.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = "broker-core|push|db|config|gateway"
GROUP_SIZE = 24
# Ours, as the build sees them, and not what it generates; in a group the sources count as headers.
OURS = rf"(include/({FOLDERS})/[^<]*\.hpp|^{re.escape(str(ROOT))}/({FOLDERS})/[^<]*\.cpp)$"


class Group:
    """Sources that are compiled alike; paths are relative to the root."""

    def __init__(self, directory, flags, sources, files):
        self.directory, self.flags, self.sources = directory, flags, sources
        self.files = files  # what they are made from, themselves included

    def halves(self):
        middle = len(self.sources) // 2
        return [Group(self.directory, self.flags, part, self.files) for part in (self.sources[:middle], self.sources[middle:])]

    def key(self, common):
        digest = hashlib.sha256(common)
        digest.update(" ".join([*self.sources, *self.flags]).replace(str(ROOT), "").encode())
        for file in sorted(self.files):
            digest.update(file.encode() + hashlib.sha256((ROOT / file).read_bytes()).digest())
        return digest.hexdigest()


def files_read(build):
    """Object -> the files of this project that it was made from."""
    read = {}
    for line in subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout.splitlines():
        if line and not line.startswith(" "):
            files = read.setdefault(line.split(":")[0], set())
        elif line.strip():
            # Includes go through links below BUILD/include/FOLDER.
            path = os.path.realpath(os.path.join(build, line.strip()))
            if path.startswith(f"{ROOT}/") and not path.startswith(os.path.realpath(build)):
                files.add(os.path.relpath(path, ROOT))
    return read


def flags_for_clang(words):
    """Without input and output; and a precompiled header of g++ is nothing to clang: the sources include what they use."""
    flags = []
    rest = iter(words)
    for word in rest:
        if word in ("-o", "-c"):
            next(rest)
        elif word == "-include":
            assert next(rest).endswith("cmake_pch.hxx")
        elif word not in ("-Winvalid-pch", "-fpch-preprocess"):
            flags.append(word)
    return tuple(flags)


def sources_of(file):
    """The product's that one compiler call reads: the file, or what a unity build put together there."""
    paths = re.findall(r'^#include "(.*)"', Path(file).read_text(), re.MULTILINE) if "/Unity/unity_" in file else [file]
    names = [os.path.relpath(path, ROOT) for path in paths]
    return [name for name in names if re.match(rf"({FOLDERS})/", name)]


def groups_in(build):
    read = files_read(build)
    alike = defaultdict(lambda: ([], set()))
    for entry in json.loads(Path(build, "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])[1:]
        sources = sources_of(entry["file"])
        if not sources:
            continue
        if (made := words[words.index("-o") + 1]) not in read:
            sys.exit(f"tidy: {made} is not built: run ./dev build first")
        all_sources, files = alike[entry["directory"], flags_for_clang(words)]
        all_sources += sources
        files |= read[made] | set(sources)
    for (directory, flags), (sources, files) in alike.items():
        for begin in range(0, len(sources), GROUP_SIZE):
            yield Group(directory, flags, sources[begin:begin + GROUP_SIZE], files)


def look_at(file, group):
    """clang-tidy's words; empty: nothing is refused."""
    # Warnings that only g++ has are switched off for some sources by name; clang need not know them.
    command = ["clang-tidy", "--quiet", f"--config-file={ROOT}/.clang-tidy", f"--header-filter={OURS}",
               str(file), "--", *group.flags, "-Wno-unknown-warning-option"]
    done = subprocess.run(command, cwd=group.directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode == 0:
        return ""
    return done.stdout or f"tidy: {file}: clang-tidy failed without a word\n"


def refused_in(group, work):
    """What is refused; empty: nothing."""
    if len(group.sources) == 1:
        return look_at(ROOT / group.sources[0], group)
    file = Path(work, hashlib.sha256(" ".join(group.sources).encode()).hexdigest() + ".cpp")
    file.write_text("".join(f'#include "{ROOT / source}"  // NOLINT(bugprone-suspicious-include)\n' for source in group.sources))
    if not look_at(file, group):
        return ""
    return "".join(refused_in(half, work) for half in group.halves())


def main(build, job_count):
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "wakemq/clang-tidy")
    cache.mkdir(parents=True, exist_ok=True)
    if not Path(build, "compile_commands.json").exists():
        sys.exit(f"tidy: {build} has no compile_commands.json: run ./dev build first")
    groups = list(groups_in(build))
    common = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout + (ROOT / ".clang-tidy").read_bytes()
    todo = {group: key for group in groups if not (cache / (key := group.key(common))).exists()}
    print(f"tidy: {sum(len(group.sources) for group in todo)} of {sum(len(group.sources) for group in groups)} sources to look at",
          flush=True)
    is_refused = False
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(job_count) as pool:
        for group, words in zip(todo, pool.map(lambda group: refused_in(group, work), todo)):
            if words:
                is_refused = True
                print(words, file=sys.stderr, flush=True)
            else:
                (cache / todo[group]).touch()
                print(f"tidy: {group.sources[0]} to {group.sources[-1]}", flush=True)
    if is_refused:
        sys.exit("tidy: see the lines above; what is refused is listed in .clang-tidy")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
