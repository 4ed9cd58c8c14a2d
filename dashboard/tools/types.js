// The types of the JSON that the page reads, made from the schemas in docs/: types/generated/*.d.ts.

import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileFromFile } from "json-schema-to-typescript";

const SCHEMAS = { data: "Report", index: "SiteIndex", status: "SiteStatus" }; // name of the schema -> that of its type
const fileAt = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = fileAt("../types/generated");

await mkdir(target, { recursive: true });
for (const [name, type] of Object.entries(SCHEMAS)) {
  const made = await compileFromFile(fileAt(`../../docs/${name}.schema.json`), {
    bannerComment: `// Made from docs/${name}.schema.json by tools/types.js.`,
    // a type is called by its title: ours are sentences
    customName: (schema) => (schema.title ? type : undefined),
    additionalProperties: false,
    format: false,
    unknownAny: false,
    ignoreMinAndMaxItems: true,
  });
  await writeFile(`${target}/${name}.d.ts`, made);
}
