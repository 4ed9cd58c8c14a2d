// The parts of a QoS's panel that are not charts: notes, and what each subject shows.

import { element, fill, within } from "../common/dom.js";
import { binName, timeOfDay, visible } from "../common/format.js";
import { SUBJECTS } from "../subjects/index.js";
import { knowTable, setTableState, startGrids, tableState } from "../tables/grid.js";
import { setMine } from "../tables/mine.js";
import { glanceStamp, glancesOf, showGlances } from "./glance.js";

/** @typedef {{ shows: (((place: Place) => void) | null)[], cards: Glance[] | null }} Prepared */

/** @type {WeakMap<HTMLElement, string>} */
const stamps = new WeakMap(); // panel -> what its subjects show, so that they are only made anew when that changes
/** @type {WeakMap<HTMLElement, string>} */
const glanceStamps = new WeakMap(); // the same of the cards of its first screen

// `changed` is called when the reader chose something that a subject shows already, and nothing else does.
/** @type {(changed: () => void) => void} */
export function startSubjects(changed) {
  startGrids(changed);
  for (const subject of SUBJECTS) {
    subject.tables?.forEach(knowTable);
    subject.start?.(changed);
  }
}

// What the reader chose in the subjects, as texts by key, without what is plain; and back.
/** @type {() => Texts} */
export function chosenState() {
  return Object.assign(tableState(), ...SUBJECTS.map((subject) => subject.state?.() ?? {}));
}

/** @type {(texts: Texts, viewModel: ViewModel) => void} */
export function setChosenState(texts, viewModel) {
  setTableState(texts);
  for (const subject of SUBJECTS) subject.setState?.(texts, viewModel);
}

// What the subjects have that is found by its name.
/** @type {(data: Data) => Found[]} */
export function findable(data) {
  return SUBJECTS.flatMap((subject) => subject.finds?.(data) ?? []);
}

// What is known at first, before the report has come.
/** @type {(panel: HTMLElement, first: First) => void} */
export function showFirst(panel, first) {
  showNotes(panel, first);
  for (const subject of SUBJECTS) subject.first?.(first)((name) => placeIn(panel, name));
}

// What a new report says of itself. Throws where something in the report is not as it should be; then nothing changed.
/** @type {(panel: HTMLElement, viewModel: ViewModel) => void} */
export function showReport(panel, viewModel) {
  const prepared = preparedFor(panel, viewModel);
  showNotes(panel, viewModel.data);
  showPrepared(panel, viewModel, prepared);
}

/** @type {(panel: HTMLElement, data: First) => void} */
function showNotes(panel, { notes }) {
  fill(
    within(panel, ".notes"),
    notes.map((note) => element("p", {}, visible(note.text))),
  );
}

/** @type {(panel: HTMLElement, viewModel: ViewModel) => void} */
export function showSubjects(panel, viewModel) {
  fill(within(panel, ".about"), aboutCharts(viewModel));
  if (stamps.get(panel) !== stampOf(viewModel)) showPrepared(panel, viewModel, preparedFor(panel, viewModel));
}

/** @type {(panel: HTMLElement, viewModel: ViewModel) => Prepared} */
function preparedFor(panel, viewModel) {
  const isNew = glanceStamps.get(panel) !== glanceStamp(viewModel);
  return { shows: SUBJECTS.map((subject) => subject.prepare(viewModel)), cards: isNew ? glancesOf(viewModel) : null };
}

/** @type {(panel: HTMLElement, viewModel: ViewModel, prepared: Prepared) => void} */
function showPrepared(panel, viewModel, { shows, cards }) {
  setMine(viewModel.me);
  if (cards) {
    showGlances(panel, cards);
    glanceStamps.set(panel, glanceStamp(viewModel));
  }
  for (const show of shows) show?.((name) => placeIn(panel, name));
  stamps.set(panel, stampOf(viewModel));
}

// A page that was made before a subject has no room for it: then it comes last.
/** @type {(panel: HTMLElement, name: string) => HTMLElement} */
function placeIn(panel, name) {
  const known = panel.querySelector(`section.${name}`);
  if (known instanceof HTMLElement) return known;
  const made = element("section", { class: name });
  within(panel, ".files").before(made);
  return made;
}

// Tables tell of the range, in the colours of those who have areas.
/** @type {(viewModel: ViewModel) => string} */
function stampOf({ data, range, zone, stack, compares, me, job }) {
  return JSON.stringify([
    data.metadata.last_updated_epoch,
    data.staleness,
    range,
    zone,
    compares,
    me,
    job,
    stack.map((layer) => layer.id),
    chosenState(),
  ]);
}

/** @type {(viewModel: ViewModel) => string} */
function aboutCharts({ data, zone }) {
  const { last_updated_epoch: updated, time_resolution_seconds: seconds } = data.metadata;
  const bin = binName(seconds);
  return `Means of each ${bin}. The last one, since ${timeOfDay(data.edges[data.edges.length - 2], zone)}, is not over (shaded): mean up to ${timeOfDay(updated, zone)}.${data.peaks ? ` The thin line is the highest use within each ${bin}.` : ""}`;
}
