import type { Random } from "./random.ts";

const SCALARS = [
  ...[
    "~",
    "yes",
    "0o17",
    "0x1F",
    "1_000",
    ".inf",
    "-.Inf",
    ".nan",
    "1e999",
    "2001-01-01",
    "12:30:45",
    "!!binary aGk=",
    "!!binary '@@'",
    "!!int x",
    "!!float 1",
  ],
  ...[
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!timestamp 2001-01-01",
    "!local x",
    "!<tag:yaml.org,2002:str> 1",
    "!!js/function 'x'",
    "!!python/object:os.system []",
  ],
  ...[
    "'it''s'",
    '"\\x00"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\U0010FFFF"',
    '"\\q"',
    "| \n  text",
    ">+\n  text\n\n",
    "|9\n text",
    "&a [*a]",
    "*none",
    "{? a : b}",
    "[a, b",
    "{a: b",
    "? x",
  ],
];
const KEYS = [
  "<<",
  "__proto__",
  "constructor",
  "? [a, b]",
  "null",
  "1.5",
  "true",
  "''",
  '"\\u0000"',
  "&k key",
  "*k",
  "!!str 1",
  "metadata",
  "a b",
  "- x",
  "%a",
  "@a",
  "`a",
];
const FRAMES = [
  "---\n",
  "--- |\n",
  "%YAML 1.1\n---\n",
  "%YAML 9.9\n---\n",
  "%TAG ! x:\n---\n",
  "\ufeff",
  "...\n",
  "# a comment\n",
  "\t",
  "!!map\n",
  "&all\n",
  "- ",
];

/** Doublings by reference: nine levels of nine. */
function laughs(random: Random): string {
  const levels = random.pick([3, 6, 9, 25]);
  const lines = ['a0: &a0 ["x","x","x","x","x","x","x","x","x"]'];
  for (let level = 1; level < levels; level++) lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(",")}]`);
  return `${lines.join("\n")}\n`;
}

function nested(random: Random): string {
  const depth = random.pick([10, 120, 501, 3000, 50_000]);
  return random.pick(["[".repeat(depth), "{a: ".repeat(depth), "- ".repeat(depth), `${"[".repeat(depth)}${"]".repeat(depth)}`]);
}

const lineAt = (text: string, random: Random) => {
  const lines = text.split("\n");
  return { lines, at: random.below(lines.length) };
};

function changeLine(text: string, random: Random, change: (line: string) => string): string {
  const { lines, at } = lineAt(text, random);
  return lines.map((line, index) => (index === at ? change(line) : line)).join("\n");
}

/** Changes YAML by what it means. JSON is YAML too. */
export const YAML_MUTATORS: Readonly<Record<string, (text: string, random: Random) => string>> = {
  "strange scalar": (text, random) => changeLine(text, random, (line) => line.replace(/:.*|$/, () => `: ${random.pick(SCALARS)}`)),
  "strange key": (text, random) =>
    changeLine(text, random, (line) => `${/^\s*/.exec(line)?.[0] ?? ""}${random.pick(KEYS)}: ${random.pick(SCALARS)}\n${line}`),
  "anchor and alias": (text, random) =>
    changeLine(
      changeLine(text, random, (line) => line.replace(":", ": &a")),
      random,
      (line) => line.replace(/: .*|$/, ": *a"),
    ),
  "merge key": (text, random) =>
    changeLine(
      text,
      random,
      (line) => `${/^\s*/.exec(line)?.[0] ?? ""}<<: ${random.pick(["*a", "{a: b}", "[{a: b}, {c: d}]", "1", "[]", "~"])}\n${line}`,
    ),
  "a billion laughs": (text, random) => (random.chance(0.5) ? laughs(random) + text.trimStart() : `${text.trimStart()}\n${laughs(random)}`),
  "deep nesting": (text, random) => changeLine(text, random, (line) => line.replace(/: .*|$/, () => `: ${nested(random)}`)),
  frame: (text, random) => (random.chance(0.6) ? random.pick(FRAMES) + text : `${text}\n${random.pick(FRAMES)}${random.chance(0.5) ? text : ""}`),
  indentation: (text, random) => changeLine(text, random, (line) => random.pick([" ", "\t", "   ", "- ", "\u00a0"]) + line),
  "a line twice": (text, random) => changeLine(text, random, (line) => `${line}\n${line}`),
  "a key with nothing": (text, random) => changeLine(text, random, (line) => line.replace(/:.*/, ":")),
};
