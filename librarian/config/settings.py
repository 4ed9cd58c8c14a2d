"""What a configuration tells, as frozen dataclasses with the defaults of docs/configuration.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from librarian.config.digest_options import DigestOptions
from librarian.config.mail_options import MailOptions
from librarian.config.rule_options import ChannelOptions, RuleOptions
from librarian.config.run_options import HOURLY, Alert, RunOptions, StoreOptions
from librarian.privacy.rules import Rules
from librarian.shared.scope import Scope
from librarian.subjects.efficiency.options import EfficiencyOptions
from librarian.subjects.months.grants import Allocation


@dataclass(frozen=True)
class Cluster:
    """The cluster's name as accounting knows it, and the zone of its readers ("": the machine's)."""

    name: str
    timezone: str = ""


@dataclass(frozen=True)
class SlurmTools:
    """Where Slurm's commands are ("": on PATH) and how long one may take."""

    bin_dir: str = ""
    timeout_seconds: int = 120


@dataclass(frozen=True)
class Paths:
    """The two folders that are written; relative to the configuration file. "": a default of the machine's."""

    state: str = ""
    site: str = ""


@dataclass(frozen=True)
class Campaigns:
    """Where campaigns are; relative to the configuration file. "": in the state folder."""

    path: str = ""


@dataclass(frozen=True)
class Head:
    """What stands at the head of the site ("": the cluster's name alone): the group's title, the address of its own
    page, and a picture, a path that starts at the configuration."""

    title: str = ""
    homepage: str = ""
    logo: str = ""


@dataclass(frozen=True)
class ReportOptions:
    """The window and its bins, how the page shows them, when pictures are drawn, how much of the machine a run takes,
    and whether runs that only accounting has open count as running."""

    window_days: int = 30
    bin_seconds: int = 3600
    top_users: int = 12
    refresh_seconds: int = 300
    interval_seconds: int = 600
    pictures: str = HOURLY
    processes: int = 1
    nice: int = 10
    count_runaways: bool = False


@dataclass(frozen=True)
class Qos:
    """A QoS to report on; `limits` are keyed as GrpTRES (sizes in GiB) or "jobs", and override Slurm's."""

    name: str
    title: str = ""
    accounts: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scrontab:
    """How the entries of `librarian scrontab install` are scheduled and what they ask of Slurm ("": its defaults)."""

    schedule: str = "*/10 * * * *"
    watchdog_schedule: str = "*/5 * * * *"
    partition: str = ""
    qos: str = ""
    account: str = ""
    time_limit_minutes: int = 8
    cpus: int = 1
    memory: str = "2G"
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Publish:
    """A place where the site goes: the kind of publisher and its own options."""

    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Config:
    """A whole configuration."""

    cluster: Cluster
    slurm: SlurmTools
    paths: Paths
    report: ReportOptions
    qos: tuple[Qos, ...]
    publish: tuple[Publish, ...]
    privacy: Rules
    scrontab: Scrontab
    run: RunOptions
    store: StoreOptions
    alert: Alert
    allocations: tuple[Allocation, ...] = ()
    head: Head = field(default_factory=Head)
    efficiency: EfficiencyOptions = field(default_factory=EfficiencyOptions)
    rules: tuple[RuleOptions, ...] = ()
    channels: tuple[ChannelOptions, ...] = ()
    mail: MailOptions = field(default_factory=MailOptions)
    campaigns: Campaigns = field(default_factory=Campaigns)
    digest: DigestOptions | None = None

    def scope(self, entry: Qos) -> Scope:
        """Which runs a configured QoS covers."""
        return Scope(self.cluster.name, entry.name, entry.accounts, entry.partitions)
