"""The floors: imports only go down, third parties stay in their rooms, and answering loads no torch and no networkx."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "convsize"

GROUND = {"batches", "record", "errors", "words", "geometry", "files", "records"}
MAY_IMPORT = {
    "version": set(),
    "record": set(),
    "errors": {"record"},
    "words": set(),
    "batches": {"errors"},
    "files": {"errors"},
    "geometry": {"record", "errors", "words"},
    "records": {"record", "errors", "words", "geometry", "records"},
    "devices": GROUND | {"devices"},
    "language": GROUND | {"language"},
    "ops": GROUND | {"ops"},
    "graph": GROUND | {"graph", "language", "ops"},
    "analyses": GROUND | {"analyses", "graph", "ops", "language", "devices"},
    "rules": GROUND | {"rules", "graph", "ops", "language"},
    "check": GROUND | {"check", "rules", "analyses", "graph", "ops", "language"},
    "views": GROUND | {"views"},
    "lowering": GROUND | {"lowering", "graph", "ops", "analyses"},
    "importing": GROUND | {"importing", "graph", "ops", "language"},
    "runtime": GROUND | {"runtime", "lowering", "importing", "analyses", "graph", "ops", "devices"},
}
THIRD_PARTY = {
    "record": {"msgspec"},
    "importing": {"msgspec", "h5py", "onnx", "numpy"},
    "network": {"networkx"},
    "views": {"rich", "graphviz", "jinja2", "svglib", "reportlab"},
    "runtime": {
        "torch",
        "numpy",
        "sklearn",
        "PIL",
        "safetensors",
        "onnx",
        "onnxscript",
        "msgspec",
        "torchvision",
        "timm",
    },
    "cli": {"typer", "rich"},
}
EVERYTHING = {"cli", "__init__", "__main__", "api", "network", "answers", "sources"}


@cache
def imports(path: Path) -> set[tuple[str, bool]]:
    """Every imported module with whether the import runs at module level."""
    tree = ast.parse(path.read_text())
    inner = {id(node) for scope in ast.walk(tree) if isinstance(scope, ast.FunctionDef) for node in ast.walk(scope)}
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {(name, id(node) not in inner) for name in names}
    return found


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name, at_module_level in imports(path):
        top, _, rest = name.partition(".")
        if top == "convsize":
            target = rest.split(".")[0]
            if room in EVERYTHING:
                assert target != "runtime" or not at_module_level, f"{path}: runtime is imported inside commands"
                continue
            assert target in MAY_IMPORT[room], f"{path} imports convsize.{rest}"
        elif top not in sys.stdlib_module_names:
            assert top in THIRD_PARTY.get(room, set()), f"{path} imports {name}"
            assert top != "networkx" or not at_module_level, f"{path}: networkx is imported inside functions"


def arrows(folder: Path) -> dict[str, set[str]]:
    """Which rooms of a folder, files and folders alike, import which others of it."""
    prefix = ".".join(("convsize", *folder.relative_to(PACKAGE).parts))
    rooms = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    found: dict[str, set[str]] = {room: set() for room in rooms - {"__init__"}}
    for room in found:
        inside = folder / room
        for path in [inside.with_suffix(".py")] if not inside.is_dir() else inside.rglob("*.py"):
            for name, _ in imports(path):
                if name.startswith(f"{prefix}."):
                    found[room].add(name.removeprefix(f"{prefix}.").split(".")[0])
    return {room: (others & found.keys()) - {room} for room, others in found.items()}


def floors(arrows: dict[str, set[str]]) -> list[set[str]]:
    """The rooms by floors, the lowest first: every arrow goes down. What is left over stands on a circle."""
    left = dict(arrows)
    found: list[set[str]] = []
    while left:
        floor = {room for room, others in left.items() if not others & left.keys()}
        if not floor:
            raise AssertionError(f"these import each other in a circle: {', '.join(sorted(left))}")
        found.append(floor)
        left = {room: others for room, others in left.items() if room not in floor}
    return found


FOLDERS = sorted({path.parent for path in modules()})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_rooms_of_a_folder_import_each_other_in_no_circle(folder: Path) -> None:
    floors(arrows(folder))


@pytest.mark.parametrize(
    ("folder", "rooms", "count"),
    [("analyses", 15, 5), ("views", 9, 4), ("runtime", 19, 7)],
    ids=lambda value: str(value),
)
def test_folders_stay_small_houses(folder: str, rooms: int, count: int) -> None:
    drawn = arrows(PACKAGE / folder)
    assert len(drawn) <= rooms, sorted(drawn)
    assert len(floors(drawn)) <= count, floors(drawn)


@pytest.mark.parametrize(
    "command",
    [
        ["analyze", "-e", "CRCRP", "--input", "3@32x32"],
        ["check", "-"],
        ["check", "specs", "--exit-zero", "-j", "1"],
        ["memory", "specs/lenet5.spec"],
        ["fit", "specs/lenet5.spec", "--memory=1GiB"],
        ["time", "specs/lenet5.spec", "--device", "h200", "--train"],
    ],
)
def test_answers_without_torch_and_networkx(command: list[str]) -> None:
    script = (
        "import sys\nfrom convsize.cli.app import main\n"
        f"sys.argv = ['convsize', *{command!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "loaded = {'torch', 'networkx', 'numpy', 'pydantic', 'rich', 'multiprocessing'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
        # Digests are worked out where they are asked for: hashlib loads OpenSSL, as long as all of an analysis takes.
        "assert sys.argv[1] == 'time' or '_hashlib' not in sys.modules\n"
    )
    text = "input: 3@32x32\nC3D64 R M FC10 S\n"
    subprocess.run(
        [sys.executable, "-c", script], check=True, input=text, text=True, capture_output=True, cwd=PACKAGE.parent
    )


def test_commands_that_run_torch_say_so() -> None:
    from convsize.cli import app

    run = {path.stem for path in (PACKAGE / "cli" / "commands").glob("*.py") if "convsize.runtime" in path.read_text()}
    assert run <= app._RUNS_TORCH
