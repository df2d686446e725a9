"""compat.install(), and what Python and Django no longer have."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import pytest
from django.dispatch import Signal

from tests.fresh_python import prints, run


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Any]:
    return lambda script, *options: run(script, tmp_path, *options)


# --- install() ---


def test_importing_the_package_has_no_effect(python):
    script = """
        import sys
        before = list(sys.meta_path)
        import channels_lts.compat
        print(sys.meta_path == before, sorted(set(sys.modules) & {"django", "asgiref", "channels", "six"}))
    """
    assert prints(python(script)) == "True []"


def test_installing_imports_neither_channels_nor_settings(python):
    script = """
        import sys
        from channels_lts import compat
        compat.install()
        import django.conf
        print(django.conf.settings.configured, sorted({"channels", "asgi_redis", "django.db"} & set(sys.modules)))
    """
    assert prints(python(script)) == "False []"


def test_installing_again_does_nothing(python):
    script = """
        import sys
        from channels_lts import compat
        compat.install()
        import asgiref.inmemory, django.utils.six, channels.signals, channels.handler
        from django.dispatch import Signal
        def state():
            return [
                list(sys.meta_path), asgiref.inmemory, sys.modules["django.utils.six"], Signal.__init__,
                channels.handler.AsgiHandler.get_response,
            ]
        before = state()
        compat.install()
        print(state() == before)
    """
    assert prints(python(script)) == "True"


def test_threads_may_install_at_once(python):
    script = """
        import threading
        from channels_lts import compat
        errors = []
        def install():
            try:
                compat.install()
                import asgiref.inmemory, django.utils.six.moves
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=install) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(errors)
    """
    assert prints(python(script)) == "[]"


def test_all_packages_of_channels_can_be_imported(python):
    script = """
        from channels_lts import compat
        compat.install()
        from django.conf import settings
        settings.configure()
        import asgi_ipc, asgi_redis, channels.binding.base, channels.delay.apps, channels.generic.websockets
        import channels.handler, channels.package_checks, channels.security.websockets, channels.sessions
        import channels.staticfiles, channels.test, channels.worker, daphne.cli
        from channels import Channel, Group, channel_layers, include, route, route_class
        channels.package_checks.check_all()
        print("all")
    """
    assert prints(python(script)) == "all"


# --- The wrong order ---


def channels_needs_shims() -> bool:
    return django.VERSION >= (3,) or sys.version_info >= (3, 12)


def test_channels_before_install_says_what_to_do(python):
    result = python("import channels\nfrom channels_lts import compat\ncompat.install()")
    if not channels_needs_shims():
        assert prints(result) == ""
        return
    assert result.returncode == 1
    last = result.stderr[result.stderr.index("CompatOrderError") :]
    assert "Channels was imported before channels_lts.compat.install()" in last
    assert "__init__.py of your project's package" in last
    assert "    from channels_lts import compat\n    compat.install()\n" in last
    assert "'channels_lts' above 'channels' in INSTALLED_APPS" in last


def test_wrong_order_is_found_again_at_the_second_try(python):
    if not channels_needs_shims():
        pytest.skip("this set needs no shim to import Channels")
    script = """
        import channels
        from channels_lts import compat
        for _ in range(2):
            try:
                compat.install()
            except ImportError as error:
                print(type(error).__name__)
    """
    assert prints(python(script)).split() == ["CompatOrderError", "CompatOrderError"]


# --- distutils and cgi ---

MISSING = """
    import sys
    from importlib.machinery import PathFinder
    find_spec = PathFinder.find_spec
    PathFinder.find_spec = lambda name, *rest: None if name in {missing!r} else find_spec(name, *rest)
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "_distutils_hack"]
    from channels_lts import compat
    try:
        compat.install()
    except ImportError as error:
        print(type(error).__name__, error.name, error)
"""


@pytest.mark.parametrize(
    ("missing", "module", "package"),
    [
        (("cgi",), "cgi", "legacy-cgi"),
        (("distutils", "setuptools"), "distutils", "setuptools"),
    ],
)
def test_missing_package_is_named(python, missing, module, package):
    said = prints(python(textwrap.dedent(MISSING).format(missing=missing)))
    assert said.startswith(f"CompatError {module} ")
    assert said.endswith(f"pip install {package}")


def test_distutils_comes_from_setuptools_without_its_pth_file(python):
    # -S: no .pth file is read. The packages are put on the path by hand.
    paths = [path for path in sys.path if "site-packages" in path]
    script = f"""
        import sys
        sys.path += {paths!r}
        from channels_lts import compat
        compat.install()
        from distutils.version import StrictVersion
        print(StrictVersion("1.10") > StrictVersion("1.9"))
    """
    assert prints(python(script, "-S")) == "True"


# --- django.utils.six ---


def test_six_and_everything_that_moved(python):
    script = """
        from channels_lts import compat
        compat.install()
        import django.utils.six.moves.urllib.request
        from django.utils import six
        from django.utils.six import BytesIO, add_metaclass, text_type
        from django.utils.six.moves import range as moved_range
        from django.utils.six.moves.urllib.parse import urlparse
        from django.utils.six.moves.urllib.request import url2pathname
        print(
            six.text_type is text_type is str, moved_range is range, urlparse("//host/a").path, url2pathname("/a"),
            six.moves.urllib.parse.quote("ä"), six.buffer_types == (bytes, bytearray, memoryview),
        )
    """
    assert prints(python(script)) == "True True /a /a %C3%A4 True"


# --- Signal ---


def test_signal_takes_and_ignores_providing_args():
    received: list[Any] = []
    signal = Signal(providing_args=["environ"])

    def receiver(**kwargs: Any) -> None:
        received.append(kwargs["environ"])

    signal.connect(receiver)
    signal.send(sender=None, environ=1)
    assert received == [1]


def test_signal_still_takes_its_other_argument():
    assert Signal(use_caching=True).use_caching is True
    assert Signal(True if django.VERSION >= (4,) else None).use_caching is (django.VERSION >= (4,))
    assert Signal().use_caching is False


def test_signal_refuses_what_it_never_took():
    with pytest.raises(TypeError):
        Signal(arguments=["a"])


# --- Waiting for imports ---


def test_module_waited_for_is_mended_once_and_looks_like_any_other(python, tmp_path):
    (tmp_path / "late.py").write_text("value = 1\n")
    script = """
        import inspect
        from channels_lts.compat.imports import after_import, around_import
        from contextlib import contextmanager
        said = []
        @contextmanager
        def around(module):
            said.append(hasattr(module, "value"))
            yield
            said.append(module.value)
        around_import("late", around)
        after_import("late", lambda module: said.append(module.__name__))
        import sys
        sys.path.insert(0, "")
        import late
        import late as again
        after_import("late", lambda module: said.append("at once"))
        print(said, type(late.__loader__).__name__, late.__spec__.loader is late.__loader__, inspect.getsource(late))
    """
    assert prints(python(script)) == "[False, 'late', 1, 'at once'] SourceFileLoader True value = 1"


def test_module_that_fails_to_import_fails_as_ever(python, tmp_path):
    (tmp_path / "late.py").write_text("raise LookupError('own fault')\n")
    script = """
        import sys
        sys.path.insert(0, "")
        from channels_lts.compat.imports import after_import
        after_import("late", print)
        for _ in range(2):
            try:
                import late
            except LookupError as error:
                print(error, "late" in sys.modules)
        try:
            after_import("nowhere.to.be.found", print)
            import nowhere.to.be.found
        except ModuleNotFoundError as error:
            print(error)
    """
    assert prints(python(script)).splitlines() == ["own fault False"] * 2 + ["No module named 'nowhere'"]
