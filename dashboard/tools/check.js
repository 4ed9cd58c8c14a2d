// All checks of the dashboard, side by side; what one of them said is shown where it failed.

import { spawn } from "node:child_process";

const CHECKS = ["types", "lint", "format:check", "test"];

function run(name) {
  return new Promise((done) => {
    const said = [];
    const started = Date.now();
    const child = spawn("npm", ["run", "--silent", name], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => said.push(part));
    const end = (status) => done({ name, status, seconds: (Date.now() - started) / 1000, said: Buffer.concat(said) });
    child.on("error", () => end(127));
    child.on("close", end);
  });
}

for (const { name, status, seconds, said } of await Promise.all(CHECKS.map(run))) {
  console.log(`${name}: ${status === 0 ? "passed" : "FAILED"}, ${seconds.toFixed(1)} s`);
  if (status === 0) continue;
  process.stdout.write(said);
  process.exitCode = 1;
}
