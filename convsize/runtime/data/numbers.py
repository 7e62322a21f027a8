"""Numbers that regressed outputs are trained on, from a table beside the images."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from convsize.errors import UsageError
from convsize.runtime.data.files import is_there
from convsize.runtime.data.samples import Task
from convsize.words import plural

TABLE = "targets.csv"

_LARGEST = torch.finfo(torch.float32).max


def read_numbers(directory: Path, paths: Sequence[Path], task: Task) -> dict[str, Tensor]:
    """What DIR/targets.csv says of some images: (N, k) float32 by the name of the regressed output.

    The column `file` is an image's path below DIR. Every other column is a number of the output it is named by, in
    order; after a full stop it may say which: `box.x,box.y,box.width,box.height`. Columns of no regressed output are
    ignored. Without the file there are no numbers.

    Raises UsageError where the table cannot be read, says nothing of an image, or has something else than numbers.
    """
    table = directory / TABLE
    if not is_there(table):
        return {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            heading, *rows = [(line, row) for line, row in enumerate(csv.reader(file), start=1) if row] or [(1, [])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"`{table}` cannot be read: {getattr(error, 'strerror', None) or error}") from None
    titles = [title.strip() for title in heading[1]]
    if "file" not in titles:
        raise UsageError(f"`{table}` has no column `file`, with the image paths, such as train/cat/1.jpg")
    columns = {
        output: [at for at, title in enumerate(titles) if title.partition(".")[0] == output]
        for output in task.outputs
        if output in task.regressed
    }
    lines: dict[Path, tuple[int, list[str]]] = {}
    for line, row in rows:
        if len(row) != len(titles):
            raise UsageError(f"`{table}`, line {line}: {plural(len(row), 'value')} in {plural(len(titles), 'column')}")
        name = row[titles.index("file")].strip()
        path = directory / name
        if path in lines:
            raise UsageError(f"`{table}`, line {line}: `{name}` stands in line {lines[path][0]} already")
        lines[path] = (line, row)
    without = [path for path in paths if path not in lines]
    if without:
        raise UsageError(
            f"`{table}` has no row for {len(without):,} of {plural(len(paths), 'image')}, such as "
            f"`{without[0].relative_to(directory)}`"
        )
    return {
        output: torch.tensor([[_number(table, *lines[path], at) for at in own] for path in paths])
        for output, own in columns.items()
        if own
    }


def _number(table: Path, line: int, row: list[str], at: int) -> float:
    try:
        value = float(row[at])
        if not abs(value) <= _LARGEST or "_" in row[at]:
            raise ValueError
    except ValueError:
        raise UsageError(f"`{table}`, line {line}: `{row[at]}` is not a number of 32 bits") from None
    return value
