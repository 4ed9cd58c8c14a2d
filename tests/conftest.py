"""What all tests share: the option --no-skips, and the cluster."""

from __future__ import annotations

import pytest

from tests.cluster.client import LATER, SLURM, WITHOUT_SCRONTAB
from tests.cluster.fixture import cluster, finished, report, workload

NO_VERSION = "none"
__all__ = ["cluster", "finished", "report", "workload"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped makes the run fail")
    parser.addoption("--no-cluster", action="store_true", help="leave out the tests that need the Slurm cluster")
    parser.addoption("--only-cluster", action="store_true", help="leave out all other tests")
    parser.addoption(
        "--slurm",
        action="append",
        choices=(*SLURM, *LATER),
        help=f"a version of Slurm to run the cluster's tests on, may be repeated; default: {' and '.join(SLURM)}",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The tests that use the cluster run on each version; those of scrontab where there is one."""
    if "cluster" not in metafunc.fixturenames:
        return
    versions = metafunc.config.getoption("--slurm") or SLURM
    if metafunc.definition.get_closest_marker("scrontab"):
        versions = [version for version in versions if version not in WITHOUT_SCRONTAB]
    if metafunc.definition.get_closest_marker("one_version"):
        versions = [version for version in versions if version == SLURM[-1]]
    metafunc.parametrize("cluster", versions or [NO_VERSION], indirect=True, scope="session")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--no-skips"):
        config.pluginmanager.register(NoSkips(), "no-skips")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for; the cluster's tests are the ones that use its fixture."""
    left_out = [item for item in items if not is_wanted(config, item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def is_wanted(config: pytest.Config, item: pytest.Item) -> bool:
    """Whether a test is among those asked for; one that fits none of the versions is not."""
    if "cluster" not in getattr(item, "fixturenames", ()):
        return not config.getoption("--only-cluster")
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return not config.getoption("--no-cluster") and parameters.get("cluster") != NO_VERSION


class NoSkips:
    """Fails a run in which anything was skipped, and says what: a check that does not run is no check."""

    def __init__(self) -> None:
        self.skipped: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append((report.nodeid, reason_of(report)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append((report.nodeid, reason_of(report)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.skipped and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.skipped:
            return
        terminalreporter.section("skipped, which --no-skips forbids", red=True)
        for name, reason in self.skipped:
            terminalreporter.write_line(f"{name}: {reason}")


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why a test or a file was skipped."""
    told = report.longrepr
    return str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")
