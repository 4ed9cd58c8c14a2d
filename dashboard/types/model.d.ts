// What the page's modules hand to each other. Types of the JSON are made from the schemas: see tools/types.js.

type ReportOfSchema = import("./generated/data.js").Report;
type SiteIndex = import("./generated/index.js").SiteIndex;
type Entry = import("./generated/index.js").Qos;

// --- data -----------------------------------------------------------------------------------------------------------

type Names = "units" | "nice_names";
type Later =
  | "peaks"
  | "near"
  | "pressure"
  | "policy"
  | "flags"
  | "ended"
  | "queue"
  | "waiting"
  | "waits"
  | "efficiency"
  | "weeks"
  | "months"
  | "allocations";

interface Resource {
  key: string;
  name: string;
  title: string;
  unit: string;
  one: string;
  hours: string;
  pictured: boolean;
  wanted?: boolean;
}

/** A report as the page takes it: of an older release, what came later may be missing. */
type Data = Omit<ReportOfSchema, Later | Names | "untracked" | "resources" | "observables"> &
  Partial<Pick<ReportOfSchema, Later>> & {
    untracked: string[];
    resources?: Resource[];
    observables: Record<string, Rows>;
    units: Record<string, { name: string; unit: string; hours: string }>;
    nice_names?: Record<string, string>;
  };
/** What the page has of a report at first: the frame's fields, and what subjects need for the first screen. */
type First = Pick<Data, "metadata" | "staleness" | "notes" | "rejects" | "now" | "limits" | "units" | "untracked"> &
  Partial<Pick<Data, "resources" | "nice_names" | "observables" | "gpu_types">>;
type Loaded = { data: Data };
type Rows = Record<string, number[]>;
type Amounts = Record<string, number>;
type LimitKind = { kind: "limit"; value: number } | { kind: "none"; value: null } | { kind: "unknown"; value: null };
type Limit = LimitKind & { source: string; used?: number | null; history?: LimitHistory };
type LimitHistory = { from: number; kind: string; value: number | null }[];
type PolicyRow = import("./generated/data.js").PolicyRow;
type QueueNow = NonNullable<Data["queue"]>;
type Reason = QueueNow["reasons"][number];
type Month = import("./generated/data.js").Month;
type MonthTotals = import("./generated/data.js").MonthTotals;
type Allocation = import("./generated/data.js").Allocation;
type Week = NonNullable<Data["weeks"]>["spans"][number];
type WeekChange = NonNullable<Data["weeks"]>["changes"][number];
type Use = import("./generated/data.js").Use;
type UseSums = import("./generated/data.js").UseSums;
type UseFinding = NonNullable<NonNullable<Data["efficiency"]>["findings"]>["rules"][number];
type UseShape = NonNullable<NonNullable<Data["efficiency"]>["ask_next"]>["shapes"][number];
type UseSide = "users" | "accounts" | "partitions";
/** Hours of one resource; what is not measured is null. */
type UseRow = {
  user: string | null;
  allocated: number;
  measured: number;
  used: number | null;
  unused: number | null;
  efficiency: number | null;
  coverage: number | null;
};
type UsePaths = { used: string; measured: string; allocated: string; most: number };
type UseParts = {
  viewModel: ViewModel;
  resource: HTMLSelectElement;
  side: HTMLSelectElement;
  choices: HTMLElement;
  words: HTMLElement;
  picture: HTMLElement;
  table: HTMLElement;
  distribution: HTMLElement;
  findings: HTMLElement;
  ask: HTMLElement;
};
type WaitDay = NonNullable<Data["waits"]>["trend"][number];

// --- view -----------------------------------------------------------------------------------------------------------

/** A stretch of time: epochs, half-open. */
type Span = { from: number; to: number };

interface View {
  qos: string | null;
  section: string | null;
  range: string;
  from: number | null;
  to: number | null;
  top: number | null;
  zone: string;
  theme: string | null;
  compare: boolean;
  me: string | null;
  job: string | null;
  hidden: string[];
  only: string[];
  pinned: string[];
  table: Texts;
}
type Texts = Record<string, string>;
type Change = (changes: Partial<View>) => void;
type Say = (sentence: string) => void;

/** An area of the charts: of one user, or of all who have none of their own. */
interface Layer {
  id: string;
  name: string | null;
  users: number;
  isAtMost?: boolean; // there may be fewer
  colour: string;
  means: Map<string, number[]>;
}

interface ViewModel {
  data: Data;
  zone: string;
  range: Span | null;
  outside: boolean;
  stack: Layer[];
  shown: Layer[];
  compares: boolean;
  /** The stretch before the range, as long, where the reader compares and the data have all of it. */
  before: Span | null;
  /** Who the reader is, where the data know them. */
  me: string | null;
  /** The id of the job that is looked at. */
  job: string | null;
}
type JobFile = { file: string; jobs: number; left_out: number };
type JobRow = {
  id: string;
  array: number;
  tasks: number;
  user: string;
  partition: string | null;
  state: string;
  exit: string | null;
  size: number[] | null;
  eligible: number | null;
  start: number | null;
  end: number | null;
  waited: number | null;
  elapsed: number | null;
  limit: number | null;
  cpu: number | null;
  memory: number | null;
  gpu: number | null;
  isLeast: boolean;
  findings: string[];
  /** Of a job array that is one row. */
  runs: JobRow[] | null;
};
type JobChoice = { user: string; state: string; found: string; text: string; sort: string };
type JobColumn = { key: string; name: string; cell: (row: JobRow, viewModel: ViewModel) => Node | string };
type JobParts = {
  viewModel: ViewModel;
  isAsked: boolean;
  loaded: string;
  rows: JobRow[];
  every?: JobRow[];
  shown: JobRow[];
  note?: string;
  first?: number;
  last?: number;
  user: HTMLSelectElement;
  state: HTMLSelectElement;
  found: HTMLSelectElement;
  text: HTMLInputElement;
  words: HTMLElement;
  card: HTMLElement;
  head: HTMLElement;
  body: HTMLElement;
  scroll: HTMLElement;
  table: HTMLElement;
};
/** What the one search field finds: `change` is the part of the view that it leads to. */
type Found = { name: string; kind: string; change: (view: View) => Partial<View>; said?: string };
/** A group of controls on the page. */
type Tool = { part: HTMLElement; show: (viewModel: ViewModel, view: View) => void };
type Tools = { parts: HTMLElement[]; show: (viewModel: ViewModel, view: View) => void };

// --- charts ---------------------------------------------------------------------------------------------------------

type Axis = { edges: number[]; times: number[]; texts: string[] };
type LimitStep = Span & { value: number };
type ChartStyle = {
  text: string;
  quiet: string;
  line: string;
  veil: string;
  font: string;
  size: number;
  coarse: boolean;
};
/** What a layer comes to from bin to bin; `edge` is the colour of the line on top of it, or null. */
type Area = { id: string; name: string; colour: string; y: number[]; edge: string | null };
/** What a line comes to from bin to bin, null for a gap; `kind` is its class. */
type ChartLine = { name: string; kind: string; colour: string; y: (number | null)[] };
type Figure = {
  traces: object[];
  layout: object;
  areas: Area[];
  lines: ChartLine[];
  places: number[];
  most: number;
  span: Span;
  margin: { l: number; r: number; t: number; b: number };
  first: number;
};
type CardLine = { name: string; colour: string | null; value: number };

interface PlotlyAxis {
  range: string[];
  d2c: (time: string) => number;
}
interface PlotlyPoint {
  pointNumber: number;
  x: string;
  xaxis: PlotlyAxis;
}
interface PlotlyLibrary {
  react: (place: HTMLElement, traces: object[], layout: object, config?: object) => Promise<unknown>;
  purge: (place: HTMLElement) => void;
}
/** An element that Plotly has drawn in. */
type Chart = HTMLElement & { on: (event: string, listener: (event: any) => void) => void };
declare var Plotly: PlotlyLibrary | undefined;
/** What scripts with data leave: slug of the QoS -> its encoded data. */
declare var librarianReports: Map<string, string> | undefined;
declare var librarianJobs: Map<string, string> | undefined;

// --- tables ---------------------------------------------------------------------------------------------------------

type Value = string | number | null;
interface Column {
  key: string;
  label: string;
  full?: string;
  /** The head of what is taken away, with the unit. */
  head?: string;
  kind: "name" | "number" | "share";
  /** What rows are sorted by; null where it is not known. */
  value: (row: any) => Value;
  /** How its order is called, down and up, where that is not "largest first". */
  ends?: [string, string];
  /** Its texts are long: of such columns one has room on a phone. */
  wide?: boolean;
  /** What is taken away, where that is another. */
  taken?: (row: any) => Value;
  text?: (row: any) => string;
}
type Sort = { sort: string | null; down: boolean };
type Choice = Sort & { filter: string };

interface TableData {
  name: string;
  title: string;
  span?: string | null;
  note: string | null;
  columns: Column[];
  rows: any[];
  /** The column that rows are sorted by without a choice, and why. */
  sort: string;
  why: string | null;
  total: any;
  cells: (row: any) => HTMLElement[];
  file: string;
}

// --- page -----------------------------------------------------------------------------------------------------------

type Attributes = Record<string, string | number | boolean | null | undefined>;
type Child = Node | string | null | undefined | false;
type Children = Child | Child[];

/** A section of a panel by its name; it is made where the page has none. */
type Place = (name: string) => HTMLElement;

/** See subjects/index.js. */
interface Subject {
  key: string;
  tables?: string[];
  start?: (changed: () => void) => void;
  state?: () => Texts;
  setState?: (texts: Texts, viewModel: ViewModel) => void;
  first?: (first: First) => (place: Place) => void;
  prepare: (viewModel: ViewModel) => ((place: Place) => void) | null;
  glance?: (viewModel: ViewModel, now: number) => Glance | null;
  finds?: (data: Data) => Found[];
}

/** A card of the first screen. */
type Glance = { title: string; children: Children; to: string; more: string };
type WeeksWords = {
  until: string;
  rows: { label: string; cells: string[] }[];
  changes: { user: string; text: string }[];
};

type Try = { tried: number | null; done: number | null; error: string | null };
type Status = { interval: number | null; runs: number | null; collect: Try; render: Try; qos: Map<string, Try> };
type Fact =
  | { kind: "asked" | "collected" | "drawn" | "silent"; at: number; reason: string | null }
  | { kind: "said"; at: null; reason: string | null };
type Health = { since: number | null; facts: Fact[] };
interface ReportsOwner {
  openEntry: () => Entry | undefined;
  show: (entry: Entry, report: Loaded) => void;
  changed: () => void;
}
interface Known {
  index: SiteIndex;
  page: ReportsOwner;
  status: Status | null;
  first: Map<string, First | null>;
  reports: Map<string, Loaded>;
  coming: Map<string, Promise<void>>;
  trouble: Map<string | null, string>;
  polled: number;
  polling: boolean;
}
interface LegendActions {
  toggle: (id: string) => void;
  isolate: (id: string) => void;
  isolateAfterToggle: (id: string) => void;
  unpin: (id: string) => void;
  highlight: (id: string | null) => void;
}
type ClockKind = "full" | "day" | "date";

interface Grid {
  name: string;
  all: boolean;
  tableData: TableData;
  lines: Map<any, HTMLElement>;
  labels: string | null;
  opened: Set<Value>;
  ranks: Map<string, number>;
  until: number;
  order: HTMLElement;
  sortBy: HTMLSelectElement;
  title: HTMLElement;
  span: HTMLElement;
  note: HTMLElement;
  said: HTMLElement;
  filter: HTMLInputElement;
  copy: HTMLButtonElement;
  save: HTMLButtonElement;
  more: HTMLButtonElement;
  tools: HTMLElement;
  head: HTMLElement;
  body: HTMLElement;
  foot: HTMLElement;
  table: HTMLElement;
  scroll: HTMLElement;
}

// --- subjects -------------------------------------------------------------------------------------------------------

type Totals = { hours: Amounts; ended: Amounts };
type TotalsRow = { user: string } & Totals;
type Heat = { cells: (number | null)[][]; whole: number; isLimit: boolean };
type HeatCell = { day: number; hour: number; value: number; alike: number };
interface HeatMap {
  viewModel: ViewModel;
  choice: HTMLSelectElement;
  words: HTMLElement;
  key: HTMLElement;
  body: HTMLElement;
  scroll: HTMLElement;
}
type TypeNow = { type: string; count: number; used: number | null; limit: Limit };
interface PressureRow {
  key: string;
  limit: Limit;
  held: number;
  used: number | null;
  share: number | null;
  peak: (Span & { value: number }) | null;
  near: number | null;
  longest: Span | null;
  holders: { user: string; share: number }[];
}
interface PolicyWords {
  per: string;
  what: string;
  limit: string;
  used: string | null;
  by: string | null;
  share: number | null;
  of: string;
  setting: string;
  binds: boolean;
}
interface ReasonCard {
  reason: string;
  group: string;
  jobs: string;
  wish: string;
  who: string;
  text: string;
  todo: string | null;
  when: string;
}
type WaitRow = {
  user: string | null;
  kind: "cpu" | "gpu";
  size: string | null;
  jobs: number;
  median: number;
  p90: number;
};
type UserWaits = { user: string; jobs: number; gpu: WaitRow | null; cpu: WaitRow | null };
type WaitsFound = Span & { key: string; exact: boolean; everybody: WaitRow[]; users: UserWaits[] };
interface MonthParts {
  viewModel: ViewModel;
  choice: HTMLSelectElement;
  words: HTMLElement;
  users: HTMLElement;
  accounts: HTMLElement;
  allocations: HTMLElement;
}
