// Values for a schema that look random and follow from a seed: most of each is as the schema wants it.
import type { Random } from "../hostile/random.ts";
import { FORMATS, type SchemaJSON } from "./random-schema.ts";

/** How many values are of any other kind than the schema's. */
const STRANGE = 0.02;

const TEXTS: readonly string[] = [
  ...[
    "a",
    "b",
    "ab",
    "abc",
    "foo",
    "AB",
    "12",
    "1234",
    "é",
    "😀",
    "😀😀😀",
    "",
    " ",
    "a\nb",
    "x.y",
    "A-b",
    "line\u2028",
    "\u0007",
    'say "x" <&>',
    "a".repeat(12),
  ],
];

/** Texts that some format takes, and some that it nearly takes. */
const FORMED: Readonly<Record<string, readonly string[]>> = {
  bsonobjectid: ["507f1f77bcf86cd799439011", "507f1f77bcf86cd79943901"],
  uri: ["https://example.com/a?b#c", "/path", "http://[::1]:80/", "a b", "http://x/%zz", "mailto:x@y"],
  email: ["a@b.c", "Ann <a@b.c>", "a@", '"q"@b', "a b@c"],
  hostname: ["example.com", "a_b", "ex-.com", "1", "münchen.de", "a.b1"],
  ipv4: ["1.2.3.4", "01.2.3.4", "1.2.3", "::ffff:1.2.3.4"],
  ipv6: ["::1", "fe80::1%eth0", "1::2::3", "1.2.3.4", "::ffff:1.2.3.4"],
  cidr: ["10.0.0.0/8", "10.0.0.0/33", "::/0", "1.2.3.4"],
  mac: ["01:23:45:67:89:ab", "0123.4567.89ab", "01-23-45-67-89-ab", "01:23"],
  uuid: ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000", "123e4567-e89b-12d3-a456-42661417400"],
  isbn: ["0321751043", "978-0321751041", "032175104X"],
  creditcard: ["4012888888881881", "4012 8888 8888 1881", "4012888888881882"],
  ssn: ["123-45-6789", "123 45 6789", "123456789"],
  hexcolor: ["#fff", "FFFFFF", "#ff"],
  rgbcolor: ["rgb(255,255,255)", "rgb( 1 , 2 , 3 )", "rgb(256,0,0)"],
  byte: ["Y2F0", "Y2F", "=", "YWI="],
  date: ["2024-02-29", "2023-02-29", "2024-2-1"],
  duration: ["22s", "22 ns", "1h2m", "3 days", "1.5h", "-1s", "P1D"],
  datetime: ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.123+01:00", "2024-01-01 00:00:00", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z"],
  k8sshortname: ["abc", "Abc", "a".repeat(64), "-a"],
  k8slongname: ["a.b.c", "a..b", "a".repeat(254)],
};

const NUMBERS: readonly number[] = [0, 1, 5, -7, 3, 10, 81, -100, 100, 2.5, 0.1, 1e6, 1e20, 2147483648, 9007199254740991, 1.5e-7, 123456789.5];

/** @returns undefined for a property that is left out. */
export function randomValue(random: Random, schema: SchemaJSON): unknown {
  // Go takes an array for any string that has a format (docs/differences.md).
  const isFormed = schema.type === "string" && schema.format !== undefined;
  if (random.chance(STRANGE)) return isFormed ? random.pick(NUMBERS) : strangeValue(random);
  if (schema.nullable === true && random.chance(0.2)) return null;
  if (schema.enum !== undefined && random.chance(0.7)) return random.pick(schema.enum);
  if (schema["x-kubernetes-int-or-string"] === true) return random.chance(0.5) ? random.pick(NUMBERS) : random.pick(TEXTS);
  switch (schema.type) {
    case "string":
      return randomText(random, schema.format ?? "");
    case "integer":
      return random.chance(0.9) ? Math.trunc(random.pick(NUMBERS)) : random.pick(NUMBERS);
    case "number":
      return random.pick(NUMBERS);
    case "boolean":
      return random.chance(0.5);
    case "array":
      return randomList(random, schema.items ?? {});
    case "object":
      return schema["x-kubernetes-embedded-resource"] === true ? randomResource(random) : randomFields(random, schema);
    default:
      return strangeValue(random);
  }
}

function randomText(random: Random, format: string): string {
  const formed = FORMED[format.replaceAll("-", "").replace(/(uuid|isbn)\d+$/, "$1")];
  return formed !== undefined && random.chance(0.85) ? random.pick(formed) : random.pick(random.chance(0.9) ? TEXTS : FORMATS);
}

function randomList(random: Random, items: SchemaJSON): unknown[] {
  const list = Array.from({ length: random.below(4) }, () => randomValue(random, items));
  const [first] = list;
  return first !== undefined && random.chance(0.15) ? [...list, first] : list;
}

function randomFields(random: Random, { properties, additionalProperties, required = [], ...schema }: SchemaJSON): object {
  const fields: Record<string, unknown> = {};
  const wanted = Array.isArray(required) ? required : [];
  for (const [name, property] of Object.entries(properties ?? {})) {
    if (random.chance(wanted.includes(name) ? 0.93 : 0.6)) fields[name] = randomValue(random, property);
  }
  if (additionalProperties !== undefined) {
    for (const name of ["k", "l", "m.n", "a"]) if (random.chance(0.4)) fields[name] = randomValue(random, additionalProperties);
  }
  if (random.chance(schema["x-kubernetes-preserve-unknown-fields"] === true ? 0.5 : 0.05)) fields.unknown = strangeValue(random);
  return fields;
}

function randomResource(random: Random): object {
  const metadata = { name: random.pick(["x", "a/b", ""]), ...(random.chance(0.3) ? { labels: { "bad key!": "v" } } : {}) };
  return {
    ...(random.chance(0.9) ? { apiVersion: random.pick(["v1", "apps/v1", "a/b/c", ""]) } : {}),
    ...(random.chance(0.9) ? { kind: random.pick(["Pod", "po d", ""]) } : {}),
    ...(random.chance(0.5) ? { metadata } : {}),
    ...(random.chance(0.3) ? { spec: { free: true } } : {}),
  };
}

export function strangeValue(random: Random): unknown {
  switch (random.below(8)) {
    case 0:
      return null;
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return [];
    case 3:
      return {};
    case 4:
      return random.chance(0.5);
    case 5:
      return [random.pick(TEXTS), 1];
    case 6:
      return { a: random.pick(TEXTS), name: "n" };
    default:
      return random.pick(TEXTS);
  }
}

/** The same with a few values changed, taken out or new. */
export function mutated(random: Random, value: unknown, schema: SchemaJSON): unknown {
  if (random.chance(0.12)) return randomValue(random, schema);
  if (Array.isArray(value)) {
    const { items = {} } = schema;
    const list: unknown[] = value.map((element) => (random.chance(0.4) ? mutated(random, element, items) : element));
    if (random.chance(0.15)) list.push(randomValue(random, items));
    if (random.chance(0.1)) list.shift();
    return random.chance(0.1) ? list.reverse() : list;
  }
  if (typeof value !== "object" || value === null) return value;
  const { properties = {}, additionalProperties = {} } = schema;
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    const child = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (!random.chance(0.06)) fields[name] = random.chance(0.5) ? mutated(random, field, child ?? {}) : field;
  }
  for (const [name, property] of Object.entries(properties))
    if (!Object.hasOwn(fields, name) && random.chance(0.1)) fields[name] = randomValue(random, property);
  return fields;
}
