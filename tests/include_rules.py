#!/usr/bin/env python3
"""Who may include whom: reads every #include of the tree and names each that breaks a rule.

    tests/include_rules.py                 the whole tree; exit status 1 if a rule is broken
    tests/include_rules.py --self-test     proves on small trees that each rule catches its breach

The rules are the four tables below. A row is a place (a folder with all below it, or a file), what
it may include, and the reason that is printed when it includes something else. The row with the
longest place counts.
"""
import os
import re
import sys
import tempfile

# What each folder may include of ours.
FOLDERS = {
    "base": ("base", "base stands on nothing of ours"),
    "migrations": ("base migrations", "migrations are data with one header"),
    "tokenizer": ("base tokenizer", "text knows no numbers: tokenizer never includes model"),
    "model": ("base model", "ids and numbers: model includes no text, SQL or sockets"),
    "server": ("base tokenizer model server", "only server/cmd and tests include everything"),
    "server/engine": ("base tokenizer model server/engine", "the engine knows no socket and no SQL"),
    "server/detect": ("base tokenizer model server/detect",
                      "a language is told from a text and a model alone"),
    "server/quality": ("base tokenizer server/quality", "scores are computed from texts alone"),
    "server/documents": ("base tokenizer model server/engine server/documents",
                         "documents are texts around the engine's: no socket and no SQL"),
    "server/render": ("base tokenizer model server/engine server/render",
                      "a picture knows no SQL and no socket"),
    "server/store": ("base tokenizer migrations model server/engine server/store",
                     "the store keeps what others give it"),
    "server/protocol": ("base server/protocol", "a protocol is bytes in, events out"),
    "server/client": ("server/client", "the client library can be taken away alone"),
    "server/cmd": ("base migrations tokenizer model server", "commands do not include tests"),
    "tests": ("base migrations tokenizer model server tests", ""),
}

# Inside model, from the bottom up: a lower level never includes a higher one.
MODEL_LEVELS = [
    "model/kernels",
    "model/params model/config model/loss model/parts model/file model/file_format model/file_write model/shortlist model/workspace "
    "model/alignment",
    "model/layers",
    "model/encoder model/decoder model/folded",
    "model/seq2seq model/lm model/classifier",
    "model/model model/rewrite",
    "model/search",
    "model/train",
]

# What only some may include: libraries, each at home in one place, and folders of ours that are
# not linked into everything. Below tests/ a library is at home in the mirror of its place.
ONLY_FROM = {
    "jansson.h": ("base/json.h server/client", "JSON goes through base/json.h"),
    "openssl/": ("base/hash.c", "hashes go through base/hash.h"),
    "zlib.h": ("base/gzip.c", "gzip goes through base/gzip.h"),
    "utf8proc.h": ("tokenizer", "Unicode is the tokenizer's"),
    "oneapi/dnnl/": ("model/train", "the inference program links no BLAS and no JIT"),
    "omp.h": ("model/train", "the inference program links no OpenMP"),
    "mpi.h": ("model/train", "ranks speak through model/train/peers.h"),
    "sqlite3.h": ("server/store", "SQL is only in server/store"),
    "uv.h": ("server/net server/jobs server/http/background.c server/cmd",
             "libuv is only in server/net, server/jobs, server/http/background.c and the commands that run its "
             "loop"),
    "llhttp.h": ("server/protocol server/client/reply.h",
                 "HTTP is parsed in server/protocol, and by those who ask in server/client/reply.h"),
    "gumbo.h": ("server/documents/html_tree.c", "HTML goes through server/documents/html.h"),
    "cairo.h": ("server/render", "pictures are drawn in server/render"),
    "pango/": ("server/render", "pictures are drawn in server/render"),
    "verso_client.h": ("server/client/example.c", "files of ours are included as \"folder/file.h\""),
    "check.h": ("tests", "tests are not part of the programs"),
    "model/train/": ("model/train server/cmd tests", "training is linked into verso-train alone"),
    "server/client/": ("server/client tests", "the client library is its users', not ours"),
    "server/cmd/": ("server/cmd tests", "commands wire things together; nothing stands on them"),
}

# The C library, POSIX, Linux and the compilers. A header that is in no table is an error, so that
# a new library gets a home first.
SYSTEM = set("""
    assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h limits.h locale.h math.h setjmp.h
    signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h
    stdnoreturn.h string.h tgmath.h threads.h time.h uchar.h wchar.h wctype.h
    dirent.h fcntl.h fnmatch.h ftw.h getopt.h glob.h grp.h libgen.h netdb.h poll.h pthread.h pwd.h
    regex.h sched.h semaphore.h spawn.h strings.h syslog.h termios.h unistd.h wordexp.h
    dlfcn.h endian.h execinfo.h malloc.h
    arpa/inet.h net/if.h netinet/in.h netinet/tcp.h
    cpuid.h immintrin.h arm_neon.h
""".split())
SYSTEM_FOLDERS = ("sys/", "linux/", "sanitizer/")

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[ \t]*(\S*)", re.MULTILINE)
SKIPPED_TOP_FOLDERS = re.compile(r"\..*|build.*|work")


def is_in(path, places):
    """Whether a path is one of the places or below one: "base/a.h" is in "tokenizer base"."""
    return any(path == place or path.startswith(place + "/") for place in places.split())


def row_of(table, path):
    """The row with the longest place that holds the path, or None."""
    return table.get(max((place for place in table if is_in(path, place)), key=len, default=None))


def only_from_row(name):
    """As row_of for ONLY_FROM, whose keys are headers, or folders that end in "/"."""
    keys = [key for key in ONLY_FROM if name == key or (key[-1] == "/" and name.startswith(key))]
    return ONLY_FROM[max(keys, key=len)] if keys else None


def model_level(path):
    """The number of a model file's level; None for a file that is in no level."""
    if not path.startswith("model/"):
        return None
    stem = os.path.splitext(path)[0]
    for level, places in enumerate(MODEL_LEVELS):
        if is_in(stem, places):
            return level
    return None


def includes_of(text):
    """The (line, target) of every #include; what is in comments is none."""
    text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def breach_of_levels(path, name):
    including, included = model_level(path), model_level(name)
    if is_in(path, "model") and including is None:
        return "the file is in no level of the model: add it to MODEL_LEVELS"
    if including is not None and included is not None and including < included:
        return "in the model a lower level never includes a higher one"
    return None


def breach_of_ours(path, name):
    row = row_of(FOLDERS, path)
    if row is None:
        return "the folder is in no row of FOLDERS"
    allowed, reason = row
    if not is_in(name, allowed):
        return reason
    row = only_from_row(name)
    if row and not is_in(path, row[0]):
        return row[1]
    return breach_of_levels(path, name)


def mirror_of(home):
    """The folder of the tests for a folder or a file."""
    return "tests/" + (os.path.dirname(home) if home.endswith((".c", ".h")) else home)


def breach_of_library(path, name):
    row = only_from_row(name)
    if row is None:
        if name in SYSTEM or name.startswith(SYSTEM_FOLDERS):
            return None
        return "an unknown header: a library's goes into ONLY_FROM with its home, else into SYSTEM"
    homes, reason = row
    mirrors = " ".join(mirror_of(home) for home in homes.split())
    return None if is_in(path, homes) or is_in(path, mirrors) else reason


def breach_of(root, path, target):
    """The rule that an #include breaks, in words; None if it breaks none."""
    name = target[1:-1]
    if len(name) < 1 or target[0] + target[-1] not in ('""', "<>"):
        return 'an #include is "folder/file.h" or <header.h>'
    is_ours = os.path.isfile(os.path.join(root, name))
    if target[0] == '"' and not is_ours:
        return "there is no such file from the root of the project"
    if target[0] == "<" and is_ours:
        return 'files of ours are included as "folder/file.h"'
    return breach_of_ours(path, name) if is_ours else breach_of_library(path, name)


def source_files(root):
    for folder, folders, files in os.walk(root):
        if folder == root:
            folders[:] = [f for f in folders if not SKIPPED_TOP_FOLDERS.fullmatch(f)]
        folders.sort()
        for file in sorted(files):
            if file.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, file), root).replace(os.sep, "/")


def breaches(root):
    """(how many #includes there are, a line of text for each that breaks a rule)"""
    count, found = 0, []
    for path in source_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        for line, target in includes_of(text):
            count += 1
            breach = breach_of(root, path, target)
            if breach:
                found.append(f"{path}:{line}: #include {target}: {breach}")
    return count, found


# ---- the self-test: a tree with one file more, and what is said about it ----

TREE = """
    base/json.h base/hash.h migrations/migrations.h tokenizer/utf8.h model/params.h model/model.h
    model/kernels/kernels.h model/layers/cell.h model/encoder.h model/decoder.h model/seq2seq.h
    model/search/translator.h model/train/trainer.h server/engine/engine.h server/store/db.h
    server/net/conn.h server/jobs/jobs.h server/protocol/protocol.h server/client/verso.h
    server/registry/registry.h server/cmd/options.h tests/helpers.h
""".split()

ALLOWED = [
    ("base/a.c", '"base/json.h"'),
    ("base/json.h", "<jansson.h>"),
    ("base/hash.c", "<openssl/evp.h>"),
    ("base/gzip.c", "<zlib.h>"),
    ("base/a.c", "<sys/stat.h>"),
    ("base/a.c", "<stdatomic.h>"),
    ("tokenizer/a.c", "<utf8proc.h>"),
    ("tokenizer/a.c", '"base/hash.h"'),
    ("model/layers/a.c", '"model/kernels/kernels.h"'),
    ("model/layers/a.c", '"model/params.h"'),
    ("model/encoder.c", '"model/decoder.h"'),
    ("model/train/a.c", "<oneapi/dnnl/dnnl.h>"),
    ("model/train/a.c", '"model/seq2seq.h"'),
    ("server/engine/a.c", '"tokenizer/utf8.h"'),
    ("server/engine/a.c", '"model/search/translator.h"'),
    ("server/registry/a.c", '"server/store/db.h"'),
    ("server/store/a.c", "<sqlite3.h>"),
    ("server/store/a.c", '"migrations/migrations.h"'),
    ("server/render/a.c", "<pango/pangocairo.h>"),
    ("server/render/a.c", '"server/engine/engine.h"'),
    ("server/net/a.c", "<uv.h>"),
    ("server/jobs/a.c", "<uv.h>"),
    ("server/cmd/a.c", "<uv.h>"),
    ("server/protocol/a.c", "<llhttp.h>"),
    ("server/client/a.c", '"server/client/verso.h"'),
    ("server/client/a.c", "<jansson.h>"),
    ("server/client/a.c", "<netdb.h>"),
    ("server/client/reply.h", "<llhttp.h>"),
    ("server/client/example.c", "<verso_client.h>"),
    ("tests/server/client/a.c", '"server/client/verso.h"'),
    ("server/cmd/a.c", '"model/train/trainer.h"'),
    ("tests/base/a.c", "<zlib.h>"),
    ("tests/tokenizer/a.c", "<utf8proc.h>"),
    ("tests/a.c", "<check.h>"),
    ("tests/a.c", '"server/cmd/options.h"'),
]

REFUSED = [
    ("base/a.c", '"tokenizer/utf8.h"', "base stands on nothing"),
    ("base/a.c", "<jansson.h>", "base/json.h"),
    ("base/a.c", "<openssl/evp.h>", "base/hash.h"),
    ("base/a.c", "<zlib.h>", "base/gzip.h"),
    ("base/a.c", "<curl/curl.h>", "an unknown header"),
    ("base/a.c", '"base/absent.h"', "no such file"),
    ("base/a.c", '"json.h"', "no such file"),
    ("base/a.c", "<base/json.h>", "included as"),
    ("base/a.c", "HEADER", "folder/file.h"),
    ("base/a.c", '"tests/helpers.h"', "base stands on nothing"),
    ("base/a.c", "<check.h>", "tests are not part"),
    ("tokenizer/a.c", '"model/params.h"', "tokenizer never includes model"),
    ("tokenizer/a.c", '"server/engine/engine.h"', "tokenizer never includes model"),
    ("model/params.c", '"tokenizer/utf8.h"', "no text, SQL or sockets"),
    ("model/params.c", "<utf8proc.h>", "Unicode is the tokenizer's"),
    ("model/kernels/a.c", '"model/params.h"', "a lower level"),
    ("model/params.c", '"model/layers/cell.h"', "a lower level"),
    ("model/layers/a.c", '"model/encoder.h"', "a lower level"),
    ("model/decoder.c", '"model/seq2seq.h"', "a lower level"),
    ("model/seq2seq.c", '"model/search/translator.h"', "a lower level"),
    ("model/search/a.c", '"model/train/trainer.h"', "training is linked"),
    ("model/novel.c", '"model/params.h"', "MODEL_LEVELS"),
    ("model/search/a.c", "<oneapi/dnnl/dnnl.h>", "no BLAS"),
    ("model/layers/a.c", "<omp.h>", "no OpenMP"),
    ("server/cmd/a.c", "<mpi.h>", "model/train/peers.h"),
    ("server/engine/a.c", "<sqlite3.h>", "SQL is only"),
    ("server/engine/a.c", "<uv.h>", "libuv is only"),
    ("server/engine/a.c", "<llhttp.h>", "HTTP is parsed"),
    ("server/engine/a.c", '"server/store/db.h"', "no socket and no SQL"),
    ("server/engine/a.c", '"model/train/trainer.h"', "training is linked"),
    ("server/http/a.c", "<sqlite3.h>", "SQL is only"),
    ("server/http/a.c", "<cairo.h>", "pictures are drawn"),
    ("server/render/a.c", '"server/store/db.h"', "a picture knows"),
    ("server/http/a.c", "<uv.h>", "libuv is only"),
    ("server/http/a.c", '"server/cmd/options.h"', "nothing stands on them"),
    ("server/registry/a.c", '"migrations/migrations.h"', "only server/cmd and tests"),
    ("server/protocol/a.c", '"server/net/conn.h"', "bytes in, events out"),
    ("server/protocol/a.c", '"tokenizer/utf8.h"', "bytes in, events out"),
    ("server/protocol/a.c", "<uv.h>", "libuv is only"),
    ("server/client/a.c", '"base/json.h"', "taken away alone"),
    ("server/client/a.c", '"server/protocol/protocol.h"', "taken away alone"),
    ("server/client/a.c", "<uv.h>", "libuv is only"),
    ("server/client/a.c", "<llhttp.h>", "HTTP is parsed"),
    ("server/net/a.c", '"server/client/verso.h"', "its users'"),
    ("server/cmd/a.c", '"server/client/verso.h"', "its users'"),
    ("server/cmd/a.c", "<sqlite3.h>", "SQL is only"),
    ("server/cmd/a.c", '"tests/helpers.h"', "do not include tests"),
    ("migrations/a.h", '"model/params.h"', "data with one header"),
    ("tests/server/engine/a.c", "<sqlite3.h>", "SQL is only"),
    ("novel/a.c", '"base/json.h"', "FOLDERS"),
]


def write(root, path, text):
    os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as file:
        file.write(text)


def wrongs_of(root, path, text, expected):
    """What is wrong with the verdict on the tree with this file, as a list."""
    write(root, path, text)
    found = breaches(root)[1]
    if path in TREE:
        write(root, path, "")
    else:
        os.remove(os.path.join(root, path))
    is_right = not found if expected is None else (
        len(found) == 1 and found[0].startswith(f"{path}:3: ") and expected in found[0])
    return [] if is_right else [f"{path} with {text!r}: expected {expected}, found {found}"]


def wrongs_in(root):
    wrongs = []
    for path in TREE:
        write(root, path, "")
    for path, target in ALLOWED:
        wrongs += wrongs_of(root, path, f"/* one\n */\n# include {target} // why\n", None)
    for path, target, expected in REFUSED:
        wrongs += wrongs_of(root, path, f"/* one\n */\n# include {target} // why\n", expected)
        wrongs += wrongs_of(root, path, f"/*\n#include {target}\n*/\n//#include {target}\n", None)
    return wrongs


def self_test():
    with tempfile.TemporaryDirectory() as root:
        wrongs = wrongs_in(root)
    for wrong in wrongs:
        print(wrong)
    print(f"{len(ALLOWED)} allowed and {len(REFUSED)} refused, {len(wrongs)} verdicts are wrong")
    return 1 if wrongs else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:]:
        print(__doc__)
        return 2
    count, found = breaches(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for breach in found:
        print(breach)
    print(f"{count} includes, {len(found)} break a rule")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
