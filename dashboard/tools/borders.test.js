import assert from "node:assert/strict";
import { test } from "node:test";
import { ESLint } from "eslint";

const eslint = new ESLint();

// What is said of an import in a module.
async function saidOf(filePath, imported) {
  const [{ messages }] = await eslint.lintText(`import { a } from "${imported}";\n\na();\n`, { filePath });
  return messages.map((message) => message.ruleId);
}

const FORBIDDEN = [
  ["subjects/queue/a.js", "../../page/view.js"],
  ["tables/a.js", "../page/view.js"],
  ["tables/a.js", "../subjects/index.js"],
  ["tables/a.js", "../charts/stack.js"],
  ["charts/a.js", "../page/view.js"],
  ["charts/a.js", "../subjects/usage/now.js"],
  ["charts/a.js", "../tables/grid.js"],
  ["common/a.js", "../page/view.js"],
  ["common/a.js", "../subjects/index.js"],
  ["common/a.js", "../tables/grid.js"],
  ["common/a.js", "../charts/stack.js"],
];
const ALLOWED = [
  ["page/a.js", "../subjects/index.js"],
  ["subjects/queue/a.js", "../../tables/grid.js"],
  ["subjects/queue/a.js", "../../charts/stack.js"],
  ["tables/a.js", "../common/report.js"],
  ["charts/a.js", "../common/report.js"],
  ["common/a.js", "./report.js"],
  ["charts/a.test.js", "../page/view.js"],
];

test("no room imports from one above it, nor tables and charts from each other", async () => {
  for (const [file, imported] of FORBIDDEN) {
    assert.deepEqual(await saidOf(file, imported), ["no-restricted-imports"], `${file} ${imported}`);
  }
});

test("what stands below may be imported, and tests may import anything", async () => {
  for (const [file, imported] of ALLOWED) assert.deepEqual(await saidOf(file, imported), [], `${file} ${imported}`);
});
