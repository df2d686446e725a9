"""A plug-in for supervisorctl: bare names of groups, and ``roll``, the rolling restart.

In the configuration that supervisorctl reads::

    [ctlplugin:channels]
    supervisor.ctl_factory=channels_lts.supervisor:Plugin

For supervisor 4.2 and 4.3. Only supervisorctl imports this; supervisord and Django do not.
"""

from __future__ import annotations

import getopt
import math
import os
import xmlrpc.client
from typing import Any

from supervisor.options import split_namespec
from supervisor.supervisorctl import DefaultControllerPlugin, LSBInitExitStatuses

from channels_lts.rolling import Roll, RollFailed, name_of

_FROM_COMMAND_LINE = 2
_TIMEOUT = 60.0
_UNIX = "unix://"


class Plugin(DefaultControllerPlugin):
    """supervisorctl's own commands, and ``roll``. ``start``, ``stop``, ``restart``, ``signal`` and ``status`` take a
    whole group by its bare name; what they did before, they do as before.
    """

    def __init__(self, controller: Any, **options: str) -> None:
        super().__init__(controller)
        # In place of the default plug-in, which supervisorctl would ask first, and whose help knows no `roll`.
        controller.options.plugins[:] = [
            plugin for plugin in controller.options.plugins if type(plugin) is not DefaultControllerPlugin
        ]
        controller.vocab[:] = [word for word in controller.vocab if not hasattr(self, f"do_{word}")]
        _find_supervisord(controller.options)

    def do_start(self, arg: str) -> None:
        super().do_start(self._with_groups(arg))

    def do_stop(self, arg: str) -> None:
        super().do_stop(self._with_groups(arg))

    def do_status(self, arg: str) -> None:
        super().do_status(self._with_groups(arg))

    def do_signal(self, arg: str) -> None:
        signal, _, names = arg.strip().partition(" ")
        super().do_signal(f"{signal} {self._with_groups(names)}".strip())

    def _with_groups(self, arg: str) -> str:
        """Return *arg* with the bare names of groups as ``group:*``, as supervisorctl knows them."""
        names = arg.split()
        if "all" in names or not any(":" not in name for name in names):
            return arg
        try:
            infos = self.ctl.get_supervisor().getAllProcessInfo()
        except (OSError, xmlrpc.client.Error):
            # The command itself asks next, and says what is wrong.
            return arg
        return " ".join(_with_group(name, infos) for name in names)

    def do_roll(self, arg: str) -> None:
        try:
            options, names = getopt.gnu_getopt(arg.split(), "", ["timeout="])
            timeout = _seconds(dict(options).get("--timeout"))
            if not names:
                raise ValueError("roll requires a process name")
        except (getopt.GetoptError, ValueError) as error:
            self.ctl.output(f"Error: {error}")
            self.ctl.exitstatus = LSBInitExitStatuses.INVALID_ARGS
            self.help_roll()
            return
        if not self.ctl.upcheck():
            return
        supervisor = self.ctl.get_supervisor()
        chosen = self._choose(names, supervisor.getAllProcessInfo())
        if chosen is not None and not self._roll(Roll(supervisor, chosen, timeout=timeout, say=self._say)):
            self.ctl.exitstatus = LSBInitExitStatuses.GENERIC

    def _choose(self, names: list[str], infos: list[dict[str, Any]]) -> list[str] | None:
        """Return the processes that *names* mean, each once; None where one means nothing, which is said."""
        chosen: dict[str, None] = {}
        for name in names:
            group, process = split_namespec(_with_group(name, infos))
            found = [
                name_of(info)
                for info in infos
                if name == "all" or (info["group"] == group and process in (None, info["name"]))
            ]
            if not found:
                self.ctl.output(f"{name}: ERROR (no such process or group)")
                self.ctl.exitstatus = LSBInitExitStatuses.GENERIC
                return None
            chosen.update(dict.fromkeys(found))
        return list(chosen)

    def _roll(self, roll: Roll) -> bool:
        try:
            return roll.run()
        except RollFailed as error:
            self._say(str(error))
        except KeyboardInterrupt:
            self._say(f"ended in the middle: look at {roll.current}")
        except (OSError, xmlrpc.client.Error) as error:
            self._say(f"ERROR (supervisord does not answer: {error}); ended in the middle: look at {roll.current}")
        return False

    def _say(self, text: str) -> None:
        try:
            self.ctl.output(text)
            self.ctl.stdout.flush()
        except OSError:
            # The terminal has gone. What was begun must be finished all the same.
            pass

    def help_roll(self) -> None:
        self.ctl.output(
            "roll <name>\t\tRestart a process, and wait until the new one is ready\n"
            "roll <gname>\t\tRestart all processes in a group, one at a time: the next one\n"
            "\t\t\tonly when the new one is ready\n"
            "roll <name> <gname>\tThe same for multiple processes or groups\n"
            "roll all\t\tThe same for all processes\n"
            f"roll --timeout S <name>\tSeconds in which each must be ready; {_TIMEOUT:g} without it\n"
            "A process is ready when the file that its command names with --ready-file holds its\n"
            "process id, or else when it is RUNNING. One that does not come up ends the roll; the\n"
            "processes after it are left alone. So are those that are STOPPED. Ctrl-C ends it when\n"
            "the process at hand is ready."
        )

    def help_start(self) -> None:
        super().help_start()
        self.ctl.output("start <gname>\t\tThe same as start <gname>:*")

    def help_stop(self) -> None:
        super().help_stop()
        self.ctl.output("stop <gname>\t\tThe same as stop <gname>:*")

    def help_restart(self) -> None:
        super().help_restart()
        self.ctl.output("restart <gname>\t\tThe same as restart <gname>:*")


def _with_group(name: str, infos: list[dict[str, Any]]) -> str:
    """Return *name*, or ``name:*`` where it is that of a group and of no process."""
    is_process = any(name == info["group"] == info["name"] for info in infos)
    is_group = any(name == info["group"] for info in infos)
    return f"{name}:*" if is_group and not is_process else name


def _seconds(text: str | None) -> float:
    try:
        seconds = _TIMEOUT if text is None else float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"--timeout takes a number of seconds, not {text}")
    return seconds


def _find_supervisord(options: Any) -> None:
    """Let supervisorctl speak to the supervisord of ``RUN_DIR``, where the environment of a deployment is loaded.

    Otherwise it is the one that the configuration names. That may be a link to its socket, which is followed here: the
    path of a socket has a limit, and a link may stand deep in a tree. ``--serverurl`` comes before all that.
    """
    if options.attr_priorities.get("serverurl") == _FROM_COMMAND_LINE:
        return
    if os.environ.get("RUN_DIR"):
        options.serverurl = f"{_UNIX}{os.environ['RUN_DIR']}/supervisor.sock"
    elif options.serverurl.startswith(_UNIX):
        options.serverurl = _UNIX + os.path.realpath(options.serverurl.removeprefix(_UNIX))
