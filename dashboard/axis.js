// Where the bins lie on an axis that shows the clock on the cluster's wall.
//
// Plotly's date axes know no zones, so they are fed local times. When the clocks go back a stretch of the wall's clock
// comes twice: its bins share the stretch, each narrower, so that none lies on another. When they go forward the bin
// before the gap is drawn as wide as the gap.

// A time for the start of each bin and one for the end of the data, rising, in milliseconds on the wall's clock.
export function wallTimes(data) {
  const starts = data.time_idxs.map(wallClock);
  const last = starts.length - 1;
  const passed = data.metadata.last_updated_epoch - data.edges[last];
  return untangled([...starts, starts[last] + passed * 1000]);
}

// As Plotly takes it: "2026-11-20T14:00:00".
export function plotlyTime(milliseconds) {
  return new Date(milliseconds).toISOString().slice(0, 19);
}

function wallClock(iso) {
  return Date.parse(`${iso.slice(0, 19)}Z`);
}

function untangled(raw) {
  const times = [...raw];
  let place = 1;
  while (place < raw.length) {
    if (raw[place] > raw[place - 1]) {
      place += 1;
      continue;
    }
    const first = raw.findIndex((time) => time >= raw[place]);
    const next = raw.findIndex((time, later) => later > place && time > raw[place - 1]);
    const after = next < 0 ? raw.length : next;
    const end = next < 0 ? raw[place - 1] + (raw[1] - raw[0]) : raw[next];
    for (let bin = first; bin < after; bin += 1) {
      times[bin] = raw[first] + ((end - raw[first]) * (bin - first)) / (after - first);
    }
    place = after + 1;
  }
  return times;
}
