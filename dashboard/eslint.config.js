// What the dashboard's modules are held to. Which room may import which stands here too: each knows those after it
// alone.

import js from "@eslint/js";
import globals from "globals";

const ROOMS = ["page", "subjects", "tables", "charts", "common"];

// A room may import from itself and from what comes after it in ROOMS; tables and charts are neighbours that do not.
function forbiddenTo(room) {
  const above = ROOMS.slice(0, ROOMS.indexOf(room));
  return room === "charts" ? above : room === "tables" ? [...above, "charts"] : above;
}

function borders(room) {
  const group = forbiddenTo(room).map((other) => `**/${other}/**`);
  const patterns = [{ group, message: `${room} stands below: it is imported from there, and imports nothing of it.` }];
  const ours = { files: [`${room}/**/*.js`], ignores: ["**/*.test.js"] };
  return { ...ours, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export default [
  { ignores: ["node_modules/", "types/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      curly: ["error", "multi-line"],
      "default-param-last": "error",
      eqeqeq: "error",
      "max-len": [
        "error",
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true },
      ],
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 60, skipComments: true }],
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-param-reassign": "error",
      "no-self-compare": "error",
      "no-shadow": "off", // the joined modules share one scope, and small names are used anew inside functions
      "no-template-curly-in-string": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      // text from outside is put in as text: nothing here parses markup
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
          property,
          message: "Use element().",
        })),
      ],
    },
  },
  ...ROOMS.filter((room) => forbiddenTo(room).length).map(borders),
  {
    files: ["**/*.test.js", "tools/*.js", "eslint.config.js"],
    languageOptions: { globals: globals.node },
    rules: { "max-lines-per-function": "off", "no-console": "off" },
  },
];
