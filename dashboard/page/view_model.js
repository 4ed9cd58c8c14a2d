// What is to be drawn: a report as a view shows it.

import { stackOf } from "../charts/stack.js";
import { readersZone, sameClock } from "../common/clock.js";
import { beforeOf, rangeOf, wholeOf } from "../common/range.js";
import { everyUser } from "../common/resources.js";
import { OTHERS, tokenOf } from "../common/users.js";

// {data, zone, range, outside, stack, shown, compares, before, me}: the zone whose clock is shown, what `rangeOf` says,
// all layers, and those which are not switched off; whether the reader compares, and the stretch that the range is
// compared with; who the reader is.
/** @type {(data: Data, view: View, mine?: string) => ViewModel} */
export function viewModelOf(data, view, mine = readersZone()) {
  const { range, outside } = rangeOf(view, data);
  const me = everyUser(data).find((user) => tokenOf(user) === view.me) ?? null;
  const stack = stackOf(data, {
    range,
    top: view.top,
    picked: [...view.pinned, ...view.only.filter((token) => token !== OTHERS)],
    first: me,
  });
  const zone = view.zone === "mine" && hasOtherClock(data, mine) ? mine : data.metadata.zone;
  const before = view.compare && !outside ? beforeOf(data, range) : null;
  const shown = stack.filter(isShown(view, stack));
  return { data, zone, range, outside, stack, shown, compares: view.compare, before, me, job: view.job };
}

// Whether the reader's clock shows other times than the cluster's.
/** @type {(data: Data, mine?: string) => boolean} */
export function hasOtherClock(data, mine = readersZone()) {
  const { from, to } = wholeOf(data);
  return !sameClock(data.metadata.zone, mine, from, to);
}

// Who alone is shown is only asked where one of them is here: a view goes from QoS to QoS.
/** @type {(view: View, stack: Layer[]) => (layer: Layer) => boolean} */
function isShown(view, stack) {
  const only = new Set(view.only);
  if (stack.some((layer) => only.has(layer.id))) return (layer) => only.has(layer.id);
  const hidden = new Set(view.hidden);
  return (layer) => !hidden.has(layer.id);
}

// The view with a layer switched off or on. While some are shown alone it joins or leaves them.
/** @type {(view: View, viewModel: ViewModel, id: string) => Partial<View>} */
export function toggled(view, viewModel, id) {
  const alone = view.only.filter((token) => viewModel.stack.some((layer) => layer.id === token));
  if (!alone.length) return { hidden: without(view.hidden, id) ?? [...view.hidden, id] };
  const only = without(alone, id) ?? [...alone, id];
  return only.length === viewModel.stack.length ? { only: [], hidden: [] } : { only };
}

// The view with a layer alone, or with all of them where it is alone already.
/** @type {(viewModel: ViewModel, id: string) => Partial<View>} */
export function isolated(viewModel, id) {
  const isAlone = viewModel.shown.length === 1 && viewModel.shown[0].id === id;
  return { only: isAlone ? [] : [id], hidden: [] };
}

/** @type {(list: string[], one: string) => string[] | null} */
function without(list, one) {
  return list.includes(one) ? list.filter((other) => other !== one) : null;
}
