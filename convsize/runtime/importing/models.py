"""Models by name: the module that a source means, built without its weights, and the input that it is for."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn
from torch.utils.weak import WeakTensorKeyDictionary

from convsize.errors import UsageError
from convsize.words import nearest, or_rather

__all__ = ["build", "input_of", "on_meta"]

LIBRARIES = ("torchvision", "timm")

_SIZE = 224


@contextmanager
def on_meta() -> Iterator[None]:
    """Parameters that modules register have a shape and no values: nothing is allocated or initialised.

    Everything else is as ever: buffers, and what a factory computes, hold their values.
    """
    register = nn.Module.register_parameter
    known = WeakTensorKeyDictionary()

    def on_meta(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        if parameter is not None and parameter.device.type != "meta":
            if parameter not in known:
                known[parameter] = nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)
            parameter = known[parameter]
        register(module, name, parameter)

    nn.Module.register_parameter = on_meta  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def build(source: str) -> nn.Module:
    """The module of `torchvision:resnet50`, `timm:resnet50`, `package.module:factory(args)` or `file.py:Class(args)`.

    Arguments are literals. What the source names is run. Raises UsageError where there is no such model, where it
    cannot be built, or where what is built is no module.
    """
    home, _, call = source.partition(":")
    if not call:
        raise UsageError(f"`{source}` names no model: write torchvision:resnet50, or package.module:factory(arguments)")
    name, arguments, options = _call(call)
    if home in LIBRARIES:
        _require(home)
        factory = _torchvision(name) if home == "torchvision" else _timm(name)
    else:
        factory = _own(home, name)
    try:
        with on_meta():
            module = factory(*arguments, **options)
    except NotImplementedError:  # what looks at values of parameters while it is built
        module = _built(source, factory, arguments, options)
    except Exception as error:
        raise _failed(source, error) from None
    if not isinstance(module, nn.Module):
        raise UsageError(f"`{source}` gives a {type(module).__name__}, not a torch.nn.Module")
    return module.eval()


def input_of(source: str, module: nn.Module) -> tuple[int, ...]:
    """The depth and extents of the input that a model is published for; 3@224x224 where nothing else is known."""
    home, _, call = source.partition(":")
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    if home == "timm" and isinstance(config, dict) and config.get("input_size"):
        return tuple(map(int, config["input_size"]))
    if home == "torchvision":
        return _published(call.partition("(")[0])
    return 3, _SIZE, _SIZE


def _published(name: str) -> tuple[int, ...]:
    from torchvision import models

    weights = list(models.get_model_weights(name))
    transforms = weights[0].transforms() if weights else None
    crop = getattr(transforms, "crop_size", None)
    if not crop:
        return 3, _SIZE, _SIZE
    sizes = tuple(crop) * (1 if len(crop) > 1 else 2)
    frames = 16 if "min_temporal_size" in weights[0].meta or name in _videos() else 0
    return (3, frames, *sizes) if frames else (3, *sizes)


def _videos() -> list[str]:
    from torchvision import models

    return list(models.list_models(module=models.video))


def _torchvision(name: str) -> Callable[..., Any]:
    from torchvision import models

    known = models.list_models()
    if name not in known:
        raise _unknown("torchvision", name, known)

    def factory(*arguments: Any, **options: Any) -> Any:
        if name in ("googlenet", "inception_v3"):
            options = {"init_weights": False, **options}
        if name in models.list_models(module=models.segmentation) or name in models.list_models(
            module=models.detection
        ):
            options = {"weights_backbone": None, **options}
        return models.get_model(name, *arguments, weights=None, **options)

    return factory


def _timm(name: str) -> Callable[..., Any]:
    import timm

    if not timm.is_model(name):
        raise _unknown("timm", name, timm.list_models())
    return lambda **options: timm.create_model(name, pretrained=False, **options)


def _own(home: str, name: str) -> Callable[..., Any]:
    """What a module of the user's has under a name: its code is run."""
    try:
        if home.endswith(".py"):
            path = Path(home)
            if not path.is_file():
                raise UsageError(f"there is no file `{home}`")
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None
            assert spec.loader is not None
            found = importlib.util.module_from_spec(spec)
            sys.modules[path.stem] = found
            sys.path.insert(0, str(path.parent))
            spec.loader.exec_module(found)
        else:
            sys.path.insert(0, "")
            found = importlib.import_module(home)
    except UsageError:
        raise
    except ModuleNotFoundError as error:
        raise UsageError(f"`{home}` cannot be imported: there is no module `{error.name}`") from None
    except Exception as error:
        raise UsageError(f"`{home}` cannot be imported: {_line(error)}") from None
    made: Any = found
    for part in name.split("."):
        if not hasattr(made, part):
            raise _unknown(home, name, [each for each in dir(found) if not each.startswith("_")])
        made = getattr(made, part)
    if isinstance(made, nn.Module):
        module = made
        return lambda: module
    if not callable(made):
        raise UsageError(f"`{name}` of `{home}` is neither a class nor a function nor a module")
    return made  # type: ignore[no-any-return]


def _call(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """`net(3, width=64)` taken apart."""
    try:
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.Call):
            arguments = [ast.literal_eval(each) for each in tree.args]
            options = {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords}
            return ast.unparse(tree.func), arguments, options
        return ast.unparse(tree), [], {}
    except (SyntaxError, ValueError):
        problem = f"`{text}` is no name and no call with literal arguments, such as resnet50(num_classes=10)"
        raise UsageError(problem) from None


def _built(source: str, factory: Callable[..., Any], arguments: list[Any], options: dict[str, Any]) -> Any:
    try:
        return factory(*arguments, **options)
    except Exception as error:
        raise _failed(source, error) from None


def _failed(source: str, error: Exception) -> UsageError:
    return UsageError(f"`{source}` cannot be built: {_line(error)}")


def _line(error: Exception) -> str:
    """The first line of what an error says, with its kind."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _require(library: str) -> None:
    try:
        importlib.import_module(library)
    except ImportError:
        raise UsageError(f"{library} is not installed: pip install {library}") from None
    except Exception as error:
        raise UsageError(f"{library} cannot be imported: {_line(error)}") from None


def _unknown(home: str, name: str, known: list[str]) -> UsageError:
    return UsageError(f"{home} has no `{name}`{or_rather(nearest(name, known, most=4096))}")
