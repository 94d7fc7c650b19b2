import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Namespace } from "../core/index.ts";
import { customResources } from "./custom-resources.ts";
import { CRDFileError, readCRDFiles } from "./read-crd-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crd-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const yaml = (plural: string, kind: string, more = "") => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${plural}.example.com, creationTimestamp: null}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: ${plural}, kind: ${kind}}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object${more}}}
`;

async function read(...texts: readonly string[]) {
  const paths = texts.map((_text, index) => join(folder, `${index}.yaml`));
  await Promise.all(texts.map((text, index) => writeFile(paths[index] ?? "", text)));
  return readCRDFiles(paths);
}

/** The lines of a refusal, without the folder. */
async function refusal(...texts: readonly string[]): Promise<string[]> {
  const error: unknown = await read(...texts)
    .then((files) => customResources(files, [Namespace]))
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  if (!(error instanceof CRDFileError)) throw new Error(`not refused as a file: ${error}`);
  return error.message.split("\n").map((line) => line.replace(`${folder}/`, ""));
}

test("files of several documents, empty ones among them, of JSON and of lists", async () => {
  const documents = `# a comment\n---\n---\n${yaml("as", "A")}---   \n${yaml("bs", "B")}---\n`;
  const json = JSON.stringify({
    kind: "List",
    apiVersion: "v1",
    items: [JSON.parse(JSON.stringify((await read(yaml("cs", "C")))[0]?.crd.definition))],
  });
  const crds = await read(documents, json, `\uFEFF${yaml("ds", "D").replaceAll("\n", "\r\n")}`);
  expect(crds.map(({ crd }) => crd.definition.spec.names?.kind)).toEqual(["A", "B", "C", "D"]);
  expect(customResources(crds, [Namespace]).map(({ resource }) => resource)).toEqual(["as", "bs", "cs", "ds"]);
});

describe("refuses with file, place and reason", () => {
  test.each([
    { texts: [""], want: ["0.yaml: has no CustomResourceDefinition"] },
    { texts: ["a: [\n"], want: [expect.stringMatching(/^0\.yaml: yaml: line 2: /)] },
    {
      texts: [`${yaml("as", "A")}---\na: b: c\n`],
      want: [expect.stringMatching(/^0\.yaml: yaml: line 14: mapping values are not allowed in this context$/)],
    },
    { texts: [yaml("as", "A", ", type: object")], want: [expect.stringMatching(/^0\.yaml: line 12: key "type" already set in map$/)] },
    {
      texts: [yaml("as", "A", ", nullable: true")],
      want: ["0.yaml: spec.versions[0].schema.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the root"],
    },
    {
      texts: [`${yaml("as", "A")}---\n${yaml("bs", "B", ", foo: 1")}`, "apiVersion: v1\nkind: Secret\n"],
      want: [
        "0.yaml: document 2: spec.versions[0].schema.openAPIV3Schema.foo: Forbidden: unknown field",
        '1.yaml: kind: Unsupported value: "Secret": supported values: "CustomResourceDefinition"',
        '1.yaml: apiVersion: Unsupported value: "v1": supported values: "apiextensions.k8s.io/v1"',
      ],
    },
    { texts: ["items: [7]\n"], want: ["0.yaml: items[0]: must be an object"] },
    {
      texts: [yaml("as", "A"), yaml("as", "A")],
      want: ['plural: Invalid value: "as"', 'singular: Invalid value: "a"', 'kind: Invalid value: "A"', 'listKind: Invalid value: "AList"'].map(
        (name) => `1.yaml: spec.names.${name}: is already in use`,
      ),
    },
    {
      texts: [yaml("as", "A"), yaml("bs", "B").replace("kind: B", "kind: B, shortNames: [as]")],
      want: ['1.yaml: spec.names.shortNames[0]: Invalid value: "as": is already in use'],
    },
  ])("$want", async ({ texts, want }) => expect(await refusal(...texts)).toEqual(want));

  test("what is not there, and what is too large", async () => {
    await expect(readCRDFiles([join(folder, "none.yaml")])).rejects.toThrow(/^cannot read .*none\.yaml: there is no such file or folder$/);
    expect(await refusal("#".repeat(16 * 1024 * 1024 + 1))).toEqual(["0.yaml: must not be larger than 16 MiB"]);
  });
});

test("rules in CEL that are none are told with their place", async () => {
  const rules = ', x-kubernetes-validations: [{rule: "true"}, {rule: "self.nothing"}, {rule: "1"}]';
  const path = "0.yaml: spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations";
  const [first, , , last] = await refusal(yaml("as", "A", rules));
  expect(first).toBe(
    `${path}[1].rule: Invalid value: {"Rule":"self.nothing","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'nothing'`,
  );
  expect(last).toBe(
    `${path}[2].rule: Invalid value: {"Rule":"1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool`,
  );
});
