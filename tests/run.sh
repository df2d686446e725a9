#!/bin/sh
# make test: install what the tests need, then run them on both requirement sets and both databases. The complete suite
# comes last, in two runs; arguments go to both. The first failure ends it all.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
unset PYTHONDONTWRITEBYTECODE

# Where arguments such as -k choose among the tests, one of the runs may have nothing to do: pytest then ends with 5.
chosen=$#
nothing_to_do() { [ "$chosen" -gt 0 ] && [ "$1" = 5 ]; }

section() { printf '\n=== %s\n' "$*"; }

section "services"
tests/packages.sh

section "requirements-lts.txt and tests/requirements.txt, in .venv"
"$python" deploy/embedded setup tests/requirements.txt

section "requirements.txt by plain pip, in var/plain: manage.py check, the library and the chat; beside it the chat on PostgreSQL"
plain=var/plain
wanted=$(cksum <requirements.txt)
if [ "$(cat $plain/.installed 2>/dev/null)" != "$wanted" ]; then
    rm -rf $plain
    "$python" -m venv $plain
    $plain/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
    echo "$wanted" >$plain/.installed
fi
$plain/bin/python manage.py check
# Neither measures anything, so each may have a processor.
said=$plain/postgresql.log
TIMEOUT_SCALE=${TIMEOUT_SCALE:-2} .venv/bin/python -m tests.services postgres .venv/bin/python -m pytest -q \
    -m "not system" tests/chat >$said 2>&1 &
postgresql=$!
status=0
# The fault suite runs the deployment, and so with the LTS set alone; its people need a package that this set lacks.
TIMEOUT_SCALE=${TIMEOUT_SCALE:-2} $plain/bin/python -m pytest -q -m "not system" --ignore=tests/faults || status=$?

section "the chat on PostgreSQL"
wait $postgresql || status=$?
cat $said
[ $status = 0 ] || exit $status

# Most tests wait for most of their time; where several do so at once, each may take longer.
section "everything that does not mind company"
TIMEOUT_SCALE=${TIMEOUT_SCALE:-3} .venv/bin/python -m pytest -n 2 --dist loadfile -m "not alone" "$@" || nothing_to_do $?

section "faults and bench, which run alone"
.venv/bin/python -m pytest -m alone "$@" || nothing_to_do $?
