"""The plain way to make such a page: the full Plotly, a trace a user, and JSON with each time as ISO text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CHARTS = ("NCPUS", "NGPUS", "MEMORY", "NJOBS")
_PLOTLY = "plotly.min.js"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Usage</title><script src="plotly.min.js"></script></head><body>
<div id="NCPUS"></div><div id="NGPUS"></div><div id="MEMORY"></div><div id="NJOBS"></div>
<script>
fetch("data.json").then((answer) => answer.json()).then((data) => {
  for (const key of ["NCPUS", "NGPUS", "MEMORY", "NJOBS"]) {
    const traces = Object.keys(data[key]).map((user) => ({
      x: data.times, y: data[key][user], name: user, stackgroup: "one", line: {shape: "hv"},
    }));
    Plotly.newPlot(key, traces, {title: {text: key}});
  }
});
</script></body></html>
"""


def write(data: dict[str, Any], folder: Path) -> Path:
    """Write the page of a data file, its own data and Plotly to `folder`; returns the page.

    Raises `ImportError` where the package plotly is missing.
    """
    import plotly

    folder.mkdir(parents=True)
    own = {"times": data["time_idxs"], **{key: data["observables"][key] for key in CHARTS}}
    (folder / "data.json").write_text(json.dumps(own), encoding="utf-8")
    (folder / _PLOTLY).write_bytes((Path(plotly.__file__).parent / "package_data" / _PLOTLY).read_bytes())
    page = folder / "index.html"
    page.write_text(_PAGE, encoding="utf-8")
    return page
