import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTokenAuthFile, TokenAuthFileError } from "./token-auth-file.ts";

const parse = (text: string) => parseTokenAuthFile("tokens.csv", text);

describe("parseTokenAuthFile", () => {
  test.each([
    { text: "", want: [] },
    { text: "\n\r\n", want: [] },
    { text: "t,jane,1", want: [{ token: "t", name: "jane", uid: "1", groups: [] }] },
    { text: 't,jane,1,"dev,ops"\r\n', want: [{ token: "t", name: "jane", uid: "1", groups: ["dev", "ops"] }] },
    { text: "t,jane,1,dev,more\n", want: [{ token: "t", name: "jane", uid: "1", groups: ["dev"] }] },
    { text: 't,jane,1,""\n', want: [{ token: "t", name: "jane", uid: "1", groups: [] }] },
    { text: '"a""b","j,\nx",\n', want: [{ token: 'a"b', name: "j,\nx", uid: "", groups: [] }] },
    { text: "#t,jane,1", want: [{ token: "#t", name: "jane", uid: "1", groups: [] }] },
    { text: "\uFEFFt,jane,1", want: [{ token: "t", name: "jane", uid: "1", groups: [] }] },
    { text: " t , jane,1", want: [{ token: " t ", name: " jane", uid: "1", groups: [] }] },
  ])("$text", ({ text, want }) => expect(parse(text)).toEqual({ records: want, warnings: [] }));

  test("warns of an empty and of a repeated token; the last one counts", () => {
    const { records, warnings } = parse('secret,a,1\n,b,2\n"x\ny",c,3\nsecret,d,4\n');
    expect(records.map(({ name }) => name)).toEqual(["d", "c"]);
    expect(warnings).toEqual([
      "token file tokens.csv, line 2: the token is empty, the line is ignored",
      "token file tokens.csv, line 5: this token stands on an earlier line too, which is ignored",
    ]);
  });

  test.each([
    { text: "a,b,c\nsecret,b", want: "line 2: must have at least 3 columns (token, user name, user uid), found 2" },
    { text: 'a,b,c\n\nsec"ret,b,c', want: "line 3: a quote" },
    { text: '"secret,b,c\n', want: "line 1: a quote" },
    { text: '"secret"x,b,c\n', want: "line 1: a quote" },
    { text: `"${"secret".repeat(400_000)}`, want: "is larger than 2 MiB" },
    { text: `"${"secret".repeat(300_000)}`, want: "line 1: a quote" },
  ])("fails with the line and without the token ($want)", ({ text, want }) => {
    expect(() => parse(text)).toThrow(TokenAuthFileError);
    expect(() => parse(text)).toThrow(want);
    expect(() => parse(text)).not.toThrow("secret");
  });

  test("reads back whatever is written with quotes", () => {
    const quote = (field: string) => `"${field.replaceAll('"', '""')}"`;
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "#", " ") });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(field.filter(Boolean), field, field), { selector: ([token]) => token }), (rows) => {
        const text = rows.map((row) => row.map(quote).join(",")).join("\n");
        expect(parse(text).records).toEqual(rows.map(([token, name, uid]) => ({ token, name, uid, groups: [] })));
      }),
    );
  });
});
