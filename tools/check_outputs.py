#!/usr/bin/env python3
"""Runs the commands of README.md and docs/guards.md and says where they print something else.

check_outputs.py [--update] CRASHDEP

A command is an indented line that begins with "$ "; what follows it is its output, in which a line
"..." stands for any lines. Or it is `...` after "the output of", and its output the next fenced
block. A fenced block of json is the content of the file named before it; "add `A` before `B`" edits
that file. --update writes what is printed now into the documents, as far as it can tell what the
lines between two "..." have become. Commands whose output has times in it are not run.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

DOCUMENTS = ["README.md", "docs/guards.md"]
TIMED = ("tools/test.sh", "--time")


def is_any(line):
    return line.strip() == "..."


def make_workspace(root, crashdep):
    """A directory that looks like the project, and in which commands may write."""
    space = tempfile.mkdtemp(prefix="crashdep-outputs-")
    for name in ("scenarios", "tests", "orders"):
        os.symlink(os.path.join(root, name), os.path.join(space, name))
    shutil.copytree(os.path.join(root, "traces"), os.path.join(space, "traces"))
    os.makedirs(os.path.join(space, "bin"))
    os.symlink(os.path.abspath(crashdep), os.path.join(space, "bin", "crashdep"))
    return space


def run_sh_default(root):
    """What tools/run.sh runs."""
    with open(os.path.join(root, "tools/run.sh"), encoding="utf-8") as file:
        return "crashdep " + re.search(r'exec "\$crashdep" (run .*); fi', file.read()).group(1)


def printed_by(command, space, directory):
    path = ":".join([os.path.join(space, "bin"), os.environ["PATH"], "/sbin", "/usr/sbin"])
    result = subprocess.run(["bash", "-c", command], cwd=directory, env={**os.environ, "PATH": path},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return [line.rstrip() for line in result.stdout.decode("utf-8", "replace").splitlines()]


def agrees(want, printed):
    pattern = "".join(r"(?:.*\n)*?" if is_any(line) else re.escape(line) + r"\n" for line in want)
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


def shape(line):
    return re.sub(r"\s+", " ", re.sub(r"\b[0-9a-f]{6,}\b|\b[0-9][0-9,.e]*", "#", line))


def updated(want, printed):
    """`want` with the lines of `printed` that have their shapes, in order."""
    if not any(map(is_any, want)):
        return printed
    result, at = [], 0
    for line in want:
        here = next((i for i in range(at, len(printed)) if shape(printed[i]) == shape(line)), None)
        if is_any(line) or here is None:
            result.append(line)
        else:
            result.append(printed[here])
            at = here + 1
    return result


class Document:
    def __init__(self, root, path, space):
        self.root, self.path, self.space = root, path, space
        with open(os.path.join(root, path), encoding="utf-8") as file:
            self.lines = file.read().splitlines()
        self.directory = space
        self.named_file = None
        self.commands = self.differences = 0

    def check(self, update):
        at = 0
        while at < len(self.lines):
            if self.lines[at].startswith("    $ "):
                at = self.check_block(at, update)
            elif self.lines[at].startswith("```"):
                at = self.check_fence(at, update)
            else:
                self.read_prose(at)
                at += 1
        if update:
            with open(os.path.join(self.root, self.path), "w", encoding="utf-8") as file:
                file.write("\n".join(self.lines) + "\n")

    def read_prose(self, at):
        paragraph = " ".join(self.lines[at:at + 2])
        if self.lines[at] == "":
            self.directory = self.space
        for name in re.findall(r"`([a-z]+\.json)`", self.lines[at]):
            self.named_file = os.path.join(self.space, name)
        edit = re.search(r"add `(.+?)` before `(.+?)`", paragraph)
        if edit and edit.group(1) in self.lines[at]:
            with open(self.named_file, encoding="utf-8") as file:
                text = file.read()
            with open(self.named_file, "w", encoding="utf-8") as file:
                file.write(text.replace(edit.group(2), edit.group(1) + " " + edit.group(2)))

    def check_block(self, begin, update):
        """The commands and outputs of an indented block; returns where it ends."""
        end = begin
        while end < len(self.lines) and (self.lines[end].startswith("    ") or not self.lines[end]):
            end += 1
        while not self.lines[end - 1]:
            end -= 1
        block = [line[4:] for line in self.lines[begin:end]]
        starts = [i for i, line in enumerate(block) if line.startswith("$ ")]
        result = []
        for start, stop in zip(starts, starts[1:] + [len(block)]):
            result.append(block[start])
            result += self.check_command(block[start][2:], block[start + 1:stop], update)
        self.lines[begin:end] = ["    " + line if line else "" for line in result]
        return begin + len(result)

    def check_fence(self, begin, update):
        end = self.lines.index("```", begin + 1)
        body = self.lines[begin + 1:end]
        prose = " ".join(self.lines[:begin])
        command = re.search(r"the output of `([^`]+)`", prose)
        if self.lines[begin] == "```json":
            with open(self.named_file, "w", encoding="utf-8") as file:
                file.write("\n".join(body) + "\n")
        elif command:
            body = self.check_command(command.group(1), body, update)
            self.lines[begin + 1:end] = body
        return begin + len(body) + 2

    def check_command(self, command, want, update):
        """The output to have in the document."""
        if any(part in command for part in TIMED):
            return want
        if command.startswith("cd "):
            self.directory = os.path.join(self.directory, command[3:])
            return want
        self.commands += 1
        if command == "tools/run.sh":
            command = run_sh_default(self.root)
        printed = printed_by(command, self.space, self.directory)
        if agrees(want, printed):
            return want
        if update:
            new = updated(want, printed)
            if agrees(new, printed):
                print(f"{self.path}: updated: {command}")
                return new
        self.differences += 1
        print(f"{self.path}: $ {command}\nprints")
        print("\n".join(printed[:60]))
        return want


def main(arguments):
    update = "--update" in arguments
    crashdep = [argument for argument in arguments if argument != "--update"]
    if len(crashdep) != 1 or not os.access(crashdep[0], os.X_OK):
        print(__doc__, file=sys.stderr)
        return 2
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    space = make_workspace(root, crashdep[0])
    documents = [Document(root, path, space) for path in DOCUMENTS]
    for document in documents:
        document.check(update)
    shutil.rmtree(space)
    commands = sum(document.commands for document in documents)
    differences = sum(document.differences for document in documents)
    print(f"{commands} commands, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
