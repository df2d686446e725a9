"""Acting when a module is imported, so that a shim costs nothing until what it mends is used."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Context = Callable[[ModuleType], AbstractContextManager[object]]
Action = Callable[[ModuleType], object]


def after_import(name: str, action: Action) -> None:
    """Call *action* with module *name* once its code has run; at once, if that was before."""
    module = sys.modules.get(name)
    if module is not None:
        action(module)
        return

    @contextmanager
    def context(module: ModuleType) -> Iterator[None]:
        yield
        action(module)

    around_import(name, context)


def around_import(name: str, context: Context) -> None:
    """Run the code of module *name* inside *context* when it is imported; nothing happens if that was before."""
    _finder.add(name, context)


class _Finder(MetaPathFinder):
    """Finds the modules waited for, through the other finders, and wraps their loaders."""

    def __init__(self) -> None:
        self._contexts: dict[str, list[Context]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, context: Context) -> None:
        with self._lock:
            self._contexts.setdefault(name, []).append(context)
            if self not in sys.meta_path:
                sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        contexts = self._contexts.get(fullname)
        if not contexts:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, tuple(contexts))
                return spec
        return None


class _Loader(Loader):
    """Runs a module's code inside the contexts waiting for it, and then steps out of the way."""

    def __init__(self, loader: Loader, contexts: tuple[Context, ...]) -> None:
        self._loader = loader
        self._contexts = contexts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Before the code runs: it, and whoever reads sources or data files through the loader, sees the real one.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with ExitStack() as stack:
            for context in self._contexts:
                stack.enter_context(context(module))
            self._loader.exec_module(module)


_finder = _Finder()
