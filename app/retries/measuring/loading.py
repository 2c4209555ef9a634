"""Finding a world by name: one of our own, or somebody else's from a module or a file.

Whatever is wrong with it is said in one sentence. Refuses to know what a world does.
"""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from app.errors import RecoupError
from app.retries.measuring.contest import World

OWN_WORLDS = "app.retries.worlds"
HOW = "give PATH.py:FACTORY or MODULE:FACTORY, FACTORY being a world, its class, or a function without arguments"


class NoSuchWorld(RecoupError):
    """A world cannot be loaded by the name given."""


def load_world(name: str) -> World:
    """The world behind `PATH_OR_MODULE:FACTORY`; a bare name is one of our own worlds. Raises NoSuchWorld.

    FACTORY may be a world itself, a class of worlds or a function that makes one, both called without arguments; a
    dotted name looks inside. Files and modules are also found from the current directory.
    """
    place, _, factory = name.rpartition(":")
    try:
        found: object = _load_file(Path(place)) if place.endswith(".py") else _load_module(place or OWN_WORLDS)
        for part in factory.split("."):
            found = getattr(found, part)
        world = found if _is_world(found) else found()  # type: ignore[operator]
    except Exception as error:  # what is loaded is somebody else's code: anything may come out of it
        raise NoSuchWorld(f"no world {name}: {type(error).__name__}: {error}; {HOW}") from error
    if not _is_world(world):
        raise NoSuchWorld(f"no world {name}: {factory} gave a {type(world).__name__} without `name` and `cases`; {HOW}")
    return world  # type: ignore[return-value]


def _is_world(found: object) -> bool:
    is_made = not isinstance(found, type)
    return is_made and isinstance(getattr(found, "name", None), str) and callable(getattr(found, "cases", None))


def _load_module(name: str) -> ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return import_module(name)


def _load_file(path: Path) -> ModuleType:
    """The module in a file, under a name of its own; files beside it can be imported by it."""
    path = path.expanduser().resolve(strict=True)
    spec = spec_from_file_location(f"world_of_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    return module
