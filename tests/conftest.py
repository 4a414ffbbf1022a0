"""How the suite is spread over processes: a file stays together, and so does all that needs the lab."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test without an `xdist_group` one, for `--dist loadgroup`.

    Tests of one file share its fixtures. Tests of the lab share the machine's memory and its two cores: one
    after the other they take no longer, and none waits for another's containers.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            lab = item.get_closest_marker("lab") is not None
            item.add_marker(pytest.mark.xdist_group("lab" if lab else str(item.path)))
