"""Channels' development server: there for ``runserver``, and no burden on anything else."""

from __future__ import annotations

from pathlib import Path

from tests.fresh_python import prints, run

_SET_UP = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "my_project.settings"
import django
django.setup()
"""


def test_a_worker_starts_without_daphne_and_the_reactor(tmp_path: Path):
    script = _SET_UP + (
        "import channels, channels_lts.management.commands.runworker\n"
        "assert channels.channel_layers['default'].router.channels\n"
        "print([name for name in ('daphne', 'autobahn', 'twisted.internet.reactor') if name in sys.modules])\n"
    )
    assert prints(run(script, tmp_path)) == "[]"


def test_runserver_is_still_channels_own(tmp_path: Path):
    script = _SET_UP + (
        "from django.core.management import get_commands, load_command_class\n"
        "command = load_command_class(get_commands()['runserver'], 'runserver')\n"
        "print([base.__module__ for base in type(command).__mro__[:2]])\n"
    )
    static, channels = (
        "django.contrib.staticfiles.management.commands.runserver",
        "channels.management.commands.runserver",
    )
    assert prints(run(script, tmp_path)) == str([static, channels])


def test_it_is_so_too_where_django_had_it_before(tmp_path: Path):
    script = (
        "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'my_project.settings'\n"
        "import my_project\n"
        "from django.contrib.staticfiles.management.commands.runserver import Command\n"
        "import django\ndjango.setup()\n"
        "print(Command.__mro__[1].__module__)\n"
    )
    assert prints(run(script, tmp_path)) == "channels.management.commands.runserver"
