from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.site import Site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that the tests of this folder share: each leaves it well, and ends the load that it began.

    Without the proxy, which is so slow that workers would not batch.
    """
    with Site(tmp_path_factory.mktemp("site"), postgres=True, proxied=False) as site:
        yield site
