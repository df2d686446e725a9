#!/bin/sh
# Make requirements-lts.txt and tests/requirements.txt anew from the dependency groups in pyproject.toml.
#
# uv resolves, because it can override what the metadata of Channels 1.1.8 declares; pip then installs the result
# with --no-deps. Usage: deploy/lock.sh [uv's own options, such as --upgrade]
set -eu
cd "$(dirname "$0")/.."

uv_dir=var/lock
[ -x "$uv_dir/bin/uv" ] || { "${PYTHON:-python3}" -m venv "$uv_dir" && "$uv_dir/bin/pip" install --quiet uv; }

lock() { # head comment, group, output, uv's options
    comment=$1 group=$2 output=$3
    shift 3
    # uv keeps the versions that the old file pins, as long as they still fit.
    "$uv_dir/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --group "$group" --output-file "$output" "$@"
    { printf '%s\n' "$comment"; cat "$output"; } >"$output.new"
    mv "$output.new" "$output"
}

lock '# The complete lock on Django 5.2 LTS:   pip install --no-deps --require-hashes -r requirements-lts.txt
#
# Why --no-deps, and why there are two files: Channels 1.1.8 declares asgiref ~= 1.1, Django 5.2 needs asgiref >= 3, and
# no resolver can satisfy both. channels_lts.compat supplies what Channels misses. requirements.txt is the set that plain
# pip resolves, on Django 2.2. Made by `make lock` from pyproject.toml; edit that.' lts requirements-lts.txt "$@"

lock '# The tools of `make test` and `make lint`, on top of requirements-lts.txt:
#   pip install --no-deps --require-hashes -r tests/requirements.txt
# Made by `make lock` from pyproject.toml; edit that.' tools tests/requirements.txt \
    --constraint requirements-lts.txt "$@"
