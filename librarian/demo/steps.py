"""What runs of the demo used: the rows of sacct with steps. Users have habits; a few runs are not measured at all."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping

from librarian.demo.runs import Run
from librarian.shared.tres import cpus, gpus, memory_gib, parse_tres

GIB = 1 << 30
_UNMEASURED = 29  # every so many-th run


def _share(*names: object) -> float:
    """A number from 0 to 1 that is always the same for these names."""
    return zlib.crc32(repr(names).encode()) / 2**32


def _clock(seconds: float) -> str:
    """As sacct writes CPU time: `MM:SS.mmm` below an hour, else `[DD-]HH:MM:SS`."""
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60:02d}:{whole % 60:02d}.{int(seconds * 1000) % 1000:03d}"
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}-{clock}" if days else clock


def rows(run: Run) -> Iterator[Mapping[str, str]]:
    """The cells of a run that ended and of its step, as far as they tell of use or are others for steps."""
    empty = dict.fromkeys(("NTasks", "MaxRSS", "TRESUsageInTot", "TRESUsageOutTot", "AdminComment", "TimelimitRaw"), "")
    idle = dict.fromkeys(("UserCPU", "SystemCPU", "TotalCPU"), "00:00:00")
    if run.start is None or run.end is None or run.dbindex % _UNMEASURED == 0:
        yield {**empty, **idle}
        return
    held = parse_tres(run.alloc_tres)
    seconds = run.end - run.start - run.suspended
    busy = (0.35 + 0.6 * _share(run.user, "cpu")) * (0.8 + 0.2 * _share(run.dbindex, "cpu"))
    spent = seconds * cpus(held) * busy
    times = {"UserCPU": _clock(spent * 0.96), "SystemCPU": _clock(spent * 0.04), "TotalCPU": _clock(spent)}
    peak = int(memory_gib(held) * GIB * (0.15 + 0.7 * _share(run.user, "memory")) * (0.7 + 0.3 * _share(run.dbindex)))
    yield {**empty, **times, "AdminComment": _jobstats(run, seconds, spent, peak)}
    sampled = {"MaxRSS": str(peak), "TRESUsageInTot": f"cpu={_clock(spent)},energy=0,fs/disk={peak * 3},mem={peak}"}
    none = dict.fromkeys(("User", "QOS", "Partition"), "")
    step = {**empty, **times, **none, "JobIDRaw": f"{run.jobid}.batch", "NTasks": "1", "TRESUsageOutTot": "energy=0"}
    yield {**step, **(sampled if seconds > 30 else {"TRESUsageInTot": "energy=0"})}


def _jobstats(run: Run, seconds: int, spent: float, peak: int) -> str:
    """What jobstats leaves of a run with GPUs."""
    count = int(gpus(parse_tres(run.alloc_tres)))
    if not count:
        return ""
    if seconds < 60:
        return "JS1:Short"
    busy = 100 * (0.2 + 0.75 * _share(run.user, "gpu"))
    shares = {str(index): round(busy * (0.7 + 0.3 * _share(run.dbindex, index)), 1) for index in range(count)}
    node = {"cpus": 1, "total_time": round(spent, 1), "total_memory": 2 * peak, "used_memory": peak}
    told = {"nodes": {"node": {**node, "gpu_utilization": shares}}, "total_time": seconds, "gpus": count}
    packed = gzip.compress(json.dumps(told).encode(), mtime=0)
    return f"JS1:{base64.b64encode(packed).decode()}"
