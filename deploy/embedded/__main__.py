# Run as `python3 deploy/embedded up`. Older Pythons must be able to read this file, and this one alone, to say no.
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.stderr.write(
        "Python 3.11 or newer is needed, and %s is %s; choose another with: make %s PYTHON=python3.12\n"  # noqa: UP031
        % (sys.executable or "this one", sys.version.split()[0], (sys.argv + ["up"])[1])  # noqa: RUF005
    )
    sys.exit(1)

# As a package rather than as loose modules, whose names could hide those of the standard library.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from embedded.cli import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
