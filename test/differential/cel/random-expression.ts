import type { JSONObject } from "@annex/apimachinery";
import { Random } from "../../e2e/hostile/random.ts";
import type { ExpressionQuestion } from "./corpus.ts";
import { PRODUCTIONS, type Sort } from "./productions.ts";

/** So many schemas are made of a seed: to make an environment of one takes longer than to answer an expression. */
const SCHEMAS = 20;

/** What random expressions speak of: a field of each type, with bounds or without. */
export function randomSchema(random: Random): JSONObject {
  const bound = (keyword: string, most: number) => (random.chance(0.5) ? { [keyword]: random.below(most) } : {});
  const text = (most = 20) => ({ type: "string", ...bound("maxLength", most) });
  const list = (items: JSONObject, rest: JSONObject = {}) => ({ type: "array", ...bound("maxItems", 8), ...rest, items });
  const thing = () => ({ type: "object", properties: { n: { type: "integer" }, s: text(6) } });
  return {
    type: "object",
    properties: {
      b: { type: "boolean" },
      i: { type: "integer" },
      d: { type: "number" },
      whole: { type: "number" },
      s: text(),
      bounded: random.chance(0.2) ? { type: "string", enum: ["a", "b+", "[", "xyz"] } : { type: "string", maxLength: 1 + random.below(9) },
      absent: text(),
      data: { type: "string", format: "byte", ...bound("maxLength", 9) },
      every: { type: "string", format: "duration" },
      at: { type: "string", format: "date-time" },
      ints: list({ type: "integer" }),
      strings: list(text(9)),
      set: list({ type: "string" }, { "x-kubernetes-list-type": "set" }),
      map: { type: "object", ...bound("maxProperties", 5), additionalProperties: { type: "integer" } },
      one: { type: "object", ...bound("maxProperties", 2), additionalProperties: { type: "integer" } },
      object: thing(),
      objects: list(random.chance(0.3) ? { ...thing(), required: ["s"] } : thing()),
      mapList: list({ ...thing(), required: ["s"] }, { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["s"] }),
      port: { "x-kubernetes-int-or-string": true, ...bound("maxLength", 9) },
      named: { "x-kubernetes-int-or-string": true },
    },
  };
}

const SORTS = Object.keys(PRODUCTIONS) as Sort[];
/** Beyond that many characters an expression gets no more parts. */
const MAX_LENGTH = 400;

/**
 * An expression and the object that it is about, both made of a seed. Most are sound; one in twelve has a token too many, too few or another.
 *
 * @param number which expression of the seed.
 */
export function randomExpression(seed: number, number: number): ExpressionQuestion {
  const random = new Random(seed, number);
  const schema = randomSchema(new Random(seed, random.below(SCHEMAS), SCHEMAS));
  const expression = writeExpression(random, random.chance(0.5) ? "bool" : random.pick(SORTS));
  return {
    op: "expression",
    schema,
    self: randomObject(random),
    oldSelf: randomObject(random),
    expression: random.chance(1 / 12) ? damaged(random, expression) : expression,
    ...(random.chance(1 / 12) ? { costLimit: 1 + random.below(60) } : {}),
  };
}

/** A sound expression of a sort. */
export function writeExpression(random: Random, sort: Sort): string {
  return new Writer(random).write(sort, 1 + random.below(5));
}

class Writer {
  readonly #random: Random;
  readonly #variables: { readonly name: string; readonly sort: Sort }[] = [];
  #length = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  write(sort: Sort, depth: number): string {
    const production = this.#variable(sort) ?? this.#random.pick(this.#length > MAX_LENGTH || depth <= 0 ? leavesOf(sort) : PRODUCTIONS[sort]);
    this.#length += production.length;
    const known = this.#variables.length;
    const text = production.replace(/<(\w+)>|\$(\w+)/g, (_, part: Sort | undefined, variable: Sort | undefined) =>
      variable === undefined ? this.#part(part ?? sort, depth - 1) : this.#declare(variable),
    );
    this.#variables.length = known;
    return text;
  }

  /** In parentheses where an operator is its outermost: what binds stronger than another is the corpus' affair. */
  #part(sort: Sort, depth: number): string {
    const text = this.write(sort, depth);
    return /^[\w.']*$|^[\w.]+\([^()]*\)$|^\[[^\]]*\]$/.test(text) ? text : `(${text})`;
  }

  #declare(sort: Sort): string {
    const name = `v${this.#variables.length}`;
    this.#variables.push({ name, sort });
    return name;
  }

  #variable(sort: Sort): string | undefined {
    const fitting = this.#variables.filter((variable) => variable.sort === sort);
    return fitting.length > 0 && this.#random.chance(0.5) ? this.#random.pick(fitting).name : undefined;
  }
}

function leavesOf(sort: Sort): readonly string[] {
  return PRODUCTIONS[sort].filter((text) => !/[<$]\w/.test(text));
}

/** An object that fits the schemas. */
export function randomObject(random: Random): JSONObject {
  const word = () => random.pick(["", "a", "b", "abc", "42", "\u00e9\ud83d\ude00"]);
  const number = () => random.pick([-1, 0, 1, 2, 3, 100]);
  const several = <T>(make: () => T) => Array.from({ length: random.below(4) }, make);
  const thing = () => ({ ...(random.chance(0.8) ? { n: number() } : {}), ...(random.chance(0.8) ? { s: word() } : {}) });
  return {
    b: random.chance(0.5),
    i: number(),
    d: random.pick([0.5, -1.25, 1e12, 3]),
    whole: number(),
    s: word(),
    bounded: random.pick(["a", "b+", "[", "xyz"]),
    data: random.pick(["", "YWI=", "/wA="]),
    every: random.pick(["1s", "90m", "-5ms"]),
    at: random.pick(["2020-01-31T00:00:00Z", "1969-12-31T23:59:59.5Z"]),
    ints: several(number),
    strings: several(word),
    set: [...new Set(several(word))],
    map: { a: number(), b: number(), abc: number() },
    one: { [word()]: number() },
    object: thing(),
    objects: several(thing),
    mapList: [...new Set(several(word))].map((s) => ({ s, n: number() })),
    port: number(),
    named: word(),
  };
}

const TOKEN = /'[^']*'|\w+|[^\w\s]/g;
const INTRUDERS = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ".",
  "+",
  "-",
  "!",
  "?",
  ":",
  "<",
  "==",
  "&&",
  "||",
  "in",
  "1",
  "1u",
  "2.0",
  "'a'",
  "null",
  "self",
  "unknown",
  "size",
  "`",
  '"',
  "\\",
  "\u00e9",
];

/** With one token left out, put in, or taken instead of another. */
function damaged(random: Random, expression: string): string {
  const tokens = [...expression.matchAll(TOKEN)];
  const hit = random.pick(tokens);
  const start = hit.index;
  const end = start + hit[0].length;
  const kind = random.below(3);
  const left = expression.slice(0, kind === 2 ? end : start);
  return `${left}${kind === 0 ? "" : ` ${random.pick(INTRUDERS)} `}${expression.slice(end)}`;
}
