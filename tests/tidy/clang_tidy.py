#!/usr/bin/env python3
"""clang-tidy over the product's sources, in parallel: clang_tidy.py BUILD_DIR JOBS

Most of clang-tidy's time goes into reading headers, so sources of one folder that are compiled alike are looked at
several at a time, as one source that includes them. A group in which anything is refused is looked at again source by
source, so that the verdict is always that of the sources alone.

What passed is remembered in the user's cache folder, for every checkout, by a hash of the source, all headers of this
project that it includes (ninja knows them from the build), the checks, how it is compiled, and clang-tidy itself: a
second run looks only at what changed.
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
GROUP_SIZE = 8
# Ours, as the build sees them, and not what it generates; in a group the sources count as headers.
OURS = rf"(include/({FOLDERS})/[^<]*\.hpp|^{re.escape(str(ROOT))}/({FOLDERS})/[^<]*\.cpp)$"


def sources_and_headers(build):
    """Source -> every file of the project that it is made from, itself included; both relative to the root."""
    made_from = {}
    files = None
    for line in subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout.splitlines():
        if line and not line.startswith(" "):
            files = []
        elif line.strip() and files is not None:
            # Includes go through links below BUILD/include/FOLDER, so that part of a path is dropped.
            path = re.sub(rf"^(.*/)?include/({FOLDERS})/", "", line.strip())
            path = re.sub(r"^\.\./", "", path).removeprefix(f"{ROOT}/")
            if path.startswith(("/", "../", "./")):
                continue
            files.append(path)
            if len(files) == 1 and re.match(rf"({FOLDERS})/.*\.cpp$", path):
                made_from[path] = files
    return {source: sorted(set(files)) for source, files in made_from.items() if (ROOT / source).exists()}


def compile_flags(build):
    """Source -> (folder, flags): a precompiled header of g++ is nothing to clang; the sources include what they use without it."""
    flags = {}
    for entry in json.loads(Path(build, "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])[1:]
        kept = []
        skip = False
        for word, following in zip(words, words[1:] + [""]):
            if skip:
                skip = False
            elif word in ("-o", "-c") or (word == "-include" and following.endswith("cmake_pch.hxx")):
                skip = True
            elif word not in ("-Winvalid-pch", "-fpch-preprocess"):
                kept.append(word)
        flags[os.path.relpath(entry["file"], ROOT)] = (entry["directory"], tuple(kept))
    return flags


def key_of(source, made_from, flags, common):
    digest = hashlib.sha256(common)
    digest.update(" ".join(flags[source][1]).replace(str(ROOT), "").encode())
    for file in [source, *made_from[source]]:
        if (ROOT / file).exists():
            digest.update(file.encode() + hashlib.sha256((ROOT / file).read_bytes()).digest())
    return digest.hexdigest()


def look_at(file, directory, flags):
    """clang-tidy's words; empty: nothing is refused."""
    # Warnings that only g++ has are switched off for some sources by name; clang need not know them.
    command = ["clang-tidy", "--quiet", f"--config-file={ROOT}/.clang-tidy", f"--header-filter={OURS}",
               str(file), "--", *flags, "-Wno-unknown-warning-option"]
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode == 0:
        return ""
    return done.stdout or f"tidy: {file}: clang-tidy failed without a word\n"


def check(group, flags, work):
    """[(source, what is refused)]"""
    directory, options = flags[group[0]]
    if len(group) > 1:
        file = Path(work, hashlib.sha256(group[0].encode()).hexdigest() + ".cpp")
        file.write_text("".join(f'#include "{ROOT / source}"  // NOLINT(bugprone-suspicious-include)\n' for source in group))
        if not look_at(file, directory, options):
            return [(source, "") for source in group]
    return [(source, look_at(ROOT / source, directory, options)) for source in group]


def groups_of(sources, flags):
    alike = defaultdict(list)
    for source in sorted(sources):
        alike[source.split("/")[0], flags[source]].append(source)
    for group in alike.values():
        for begin in range(0, len(group), GROUP_SIZE):
            yield group[begin:begin + GROUP_SIZE]


def main(build, job_count):
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "wakemq/clang-tidy")
    cache.mkdir(parents=True, exist_ok=True)
    if not Path(build, "compile_commands.json").exists():
        sys.exit(f"tidy: {build} has no compile_commands.json: run ./dev build first")
    made_from = sources_and_headers(build)
    if not made_from:
        sys.exit(f"tidy: no source was found in what {build} was built from: run ./dev build first")
    flags = compile_flags(build)
    common = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout + (ROOT / ".clang-tidy").read_bytes()
    keys = {source: key_of(source, made_from, flags, common) for source in made_from}
    todo = [source for source, key in keys.items() if not (cache / key).exists()]
    print(f"tidy: {len(todo)} of {len(keys)} sources to look at", flush=True)
    refused = False
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(job_count) as pool:
        for verdicts in pool.map(lambda group: check(group, flags, work), groups_of(todo, flags)):
            for source, words in verdicts:
                if words:
                    refused = True
                    print(words, file=sys.stderr, flush=True)
                else:
                    (cache / keys[source]).touch()
                    print(f"tidy: {source}", flush=True)
    if refused:
        sys.exit("tidy: see the lines above; what is refused is listed in .clang-tidy")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
