import assert from "node:assert/strict";
import { test } from "node:test";

import { isoTime } from "../common/clock.js";
import {
  choiceOf,
  chosenRows,
  csvOf,
  nextSort,
  orderWords,
  plainChoice,
  ranksOf,
  sortIn,
  textsOf,
  tsvOf,
} from "./table_data.js";

const COLUMNS = [
  { key: "user", label: "User", kind: "name", value: (row) => row.user },
  { key: "NCPUS", label: "CPU-hours", kind: "number", value: (row) => row.cpu },
];
const ROWS = [
  ["bob", 2.5],
  ["Alice", 10],
  ["=1+1", 0],
  ["dave", 10],
].map(([user, cpu]) => ({ user, cpu }));
const names = (choice) => chosenRows(COLUMNS, ROWS, plainChoice(choice)).map((row) => row.user);

test("rows come as they are, or by a column, and those that are alike keep their order", () => {
  assert.deepEqual(names({}), ["bob", "Alice", "=1+1", "dave"]);
  assert.deepEqual(names({ sort: "NCPUS" }), ["Alice", "dave", "bob", "=1+1"]);
  assert.deepEqual(names({ sort: "NCPUS", down: false }), ["=1+1", "bob", "Alice", "dave"]);
  assert.deepEqual(names({ sort: "user", down: false }).slice(-3), ["Alice", "bob", "dave"]);
  assert.deepEqual(names({ sort: "nothing of the sort" }), names({}));
});

test("a filter takes any part of a name, whatever its case", () => {
  assert.deepEqual(names({ filter: " AL" }), ["Alice"]);
  assert.deepEqual(names({ filter: "nobody" }), []);
  assert.deepEqual(names({ filter: "[" }), []);
});

test("a head leads from the largest to the smallest and back to how it came; names begin with A", () => {
  const clicks = (column) => {
    let choice = plainChoice();
    return [1, 2, 3].map(() => ((choice = { ...choice, ...nextSort(choice, column) }), [choice.sort, choice.down]));
  };
  assert.deepEqual(clicks(COLUMNS[1]), [
    ["NCPUS", true],
    ["NCPUS", false],
    [null, true],
  ]);
  assert.deepEqual(clicks(COLUMNS[0]), [
    ["user", false],
    ["user", true],
    [null, true],
  ]);
});

test("without a choice rows are sorted by the plain column, and a click on it turns it over and back", () => {
  const plain = plainChoice();
  assert.deepEqual(sortIn(COLUMNS, plain, "NCPUS"), { sort: "NCPUS", down: true });
  assert.deepEqual(sortIn(COLUMNS, plainChoice({ sort: "gone" }), "NCPUS"), { sort: "NCPUS", down: true });
  assert.deepEqual(sortIn(COLUMNS, plain, ""), { sort: null, down: true });
  assert.deepEqual(sortIn(COLUMNS, plainChoice({ sort: "user", down: false }), "NCPUS"), { sort: "user", down: false });
  assert.deepEqual(nextSort({ sort: "NCPUS", down: true }, COLUMNS[1], "NCPUS"), { sort: "NCPUS", down: false });
  assert.deepEqual(nextSort({ sort: "NCPUS", down: false }, COLUMNS[1], "NCPUS"), { sort: null, down: true });
  assert.deepEqual(nextSort({ sort: "user", down: true }, COLUMNS[1], "NCPUS"), { sort: null, down: true });
});

test("words say what rows are sorted by, and why where nobody chose", () => {
  const words = (sort, down, isPlain) => orderWords(COLUMNS, { sort, down }, isPlain, "CPUs are short.");
  assert.equal(words("NCPUS", true, true), "Sorted by CPU-hours, largest first. CPUs are short.");
  assert.equal(words("NCPUS", false, false), "Sorted by CPU-hours, smallest first.");
  assert.equal(words("user", false, false), "Sorted by User, A to Z.");
  assert.equal(words(null, true, false), "");
  const start = { ...COLUMNS[1], ends: ["latest first", "earliest first"] };
  assert.equal(
    orderWords([start], { sort: "NCPUS", down: false }, false, null),
    "Sorted by CPU-hours, earliest first.",
  );
});

test("where there is little room the sorted column comes first, with its share, then the plain one", () => {
  const column = (key, kind = "number", more = {}) => ({ key, label: key, kind, value: () => 0, ...more });
  const columns = [
    COLUMNS[0],
    ...["cpu", "gpu", "mem"].flatMap((key) => [column(key), column(`share ${key}`, "share")]),
    column("runs"),
  ];
  const first = (sort, plain = "cpu", of = columns) =>
    [...ranksOf(of, sort, plain)].filter(([, rank]) => rank < 4).map(([key]) => key);
  assert.deepEqual(first("cpu"), ["cpu", "share cpu", "gpu"]);
  assert.deepEqual(first("mem"), ["mem", "share mem", "cpu"]);
  assert.deepEqual(first("share gpu"), ["share gpu", "gpu", "cpu"]);
  assert.deepEqual(first("runs"), ["runs", "cpu", "gpu"]);
  assert.deepEqual(first("user"), ["cpu", "gpu", "mem"]);
  assert.equal(ranksOf(columns, "cpu", "cpu").size, columns.length - 1);
  const long = [COLUMNS[0], column("half", "number", { wide: true }), column("most", "number", { wide: true })];
  assert.deepEqual(first("most", "half", [...long, column("runs")]), ["most", "runs"]);
});

test("a choice survives as text", () => {
  for (const choice of [{}, { sort: "NCPUS" }, { sort: "user", down: false }, { filter: "a&b=c" }]) {
    assert.deepEqual(choiceOf(textsOf(plainChoice(choice))), plainChoice(choice));
  }
  assert.deepEqual(textsOf(plainChoice()), {});
});

test("CSV is quoted, numbers are whole, and no name is a formula", () => {
  const rows = [...ROWS, { user: 'a "b", c\nd', cpu: 1 / 3 }, { user: "-5", cpu: -1 }];
  const lines = csvOf(COLUMNS, rows).split("\r\n");
  assert.equal(lines[0], "User,CPU-hours");
  assert.equal(lines[3], "'=1+1,0");
  assert.equal(lines[5], '"a ""b"", c\nd",0.3333333333333333');
  assert.equal(lines[6], "'-5,-1");
});

test("what is not known is an empty cell, and comes last either way", () => {
  const rows = [
    { user: "a", cpu: null },
    { user: "b", cpu: NaN },
    { user: "c", cpu: 3 },
    { user: "d", cpu: 0 },
  ];
  assert.equal(csvOf(COLUMNS, rows), "User,CPU-hours\r\na,\r\nb,\r\nc,3\r\nd,0\r\n");
  assert.equal(tsvOf(COLUMNS, rows.slice(0, 1)), "User\tCPU-hours\na\t");
  const known = rows.filter(({ user }) => user !== "b");
  const sorted = (down) => chosenRows(COLUMNS, known, plainChoice({ sort: "NCPUS", down })).map(({ user }) => user);
  assert.deepEqual(sorted(true), ["c", "d", "a"]);
  assert.deepEqual(sorted(false), ["d", "c", "a"]);
});

test("a head names the unit, and a time is taken away as ISO 8601", () => {
  const start = { key: "start", label: "start", kind: "number", value: (row) => row.at, head: "start (time)" };
  const columns = [COLUMNS[0], { ...start, taken: (row) => isoTime(row.at, "US/Eastern") }];
  const text = csvOf(columns, [{ user: "a", at: Date.parse("2026-11-20T17:00Z") / 1000 }]);
  assert.equal(text, "User,start (time)\r\na,2026-11-20T12:00:00-05:00\r\n");
});

test("TSV has one line a row whatever a name holds", () => {
  const text = tsvOf(COLUMNS, [
    { user: "a\tb\nc", cpu: 2 },
    { user: "@x", cpu: 1 },
  ]);
  assert.equal(text, "User\tCPU-hours\na\ufffdb\ufffdc\t2\n'@x\t1");
});

test("CSV keeps names apart that differ in what is not text", () => {
  const lines = csvOf(
    COLUMNS,
    ["\udcfe", "\udcff", "🦉"].map((user) => ({ user, cpu: 1 })),
  ).split("\r\n");
  assert.deepEqual(lines.slice(1, 4), ["\\udcfe,1", "\\udcff,1", "🦉,1"]);
});

test("a column is named in full where it stands alone", () => {
  const columns = [COLUMNS[0], { ...COLUMNS[1], label: "share", full: "share of CPU-hours" }];
  assert.equal(csvOf(columns, []), "User,share of CPU-hours\r\n");
  assert.equal(tsvOf(columns, []), "User\tshare of CPU-hours");
});
