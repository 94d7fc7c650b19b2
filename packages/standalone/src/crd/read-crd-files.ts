import { decodeYAML, isJSONObject, type JSONValue, YAMLSyntaxError } from "@annex/apimachinery";
import { CRDError, OperatorError, type ParsedCRD, parseCRD } from "@annex/apiserver";
import { readOperatorFile } from "@annex/apiserver-node";

/** A CustomResourceDefinition, and what begins each line about it. */
export interface CRDFile {
  /** `widgets.yaml`, or `widgets.yaml: document 2` where the file has several. */
  readonly place: string;
  readonly crd: ParsedCRD;
}

/** What files say cannot be served. The message has a line for each fault: file, place, reason. */
export class CRDFileError extends OperatorError {
  override readonly exitCode = 2;
  override readonly name = "CRDFileError";
}

/** Larger files are refused. Kubernetes takes objects of 3 MiB, mostly less; a file may have several. */
const MAX_FILE_CHARACTERS = 16 * 1024 * 1024;
const encoder = new TextEncoder();

/**
 * Reads files with CustomResourceDefinitions: YAML with any number of documents, or JSON; lists of them too.
 *
 * @throws {CRDFileError} with a line for each fault: `widgets.yaml: spec.versions[0].name: Required value`.
 * @throws {OperatorFileError} for a file that cannot be read.
 */
export async function readCRDFiles(paths: readonly string[]): Promise<CRDFile[]> {
  const files: CRDFile[] = [];
  const faults: string[] = [];
  for (const path of paths) {
    const values = definitionsOf(path, await readOperatorFile(path), faults);
    for (const { place, value } of values) {
      try {
        files.push({ place, crd: parseCRD(value) });
      } catch (error) {
        if (!(error instanceof CRDError)) throw error;
        faults.push(...error.message.split("\n").map((line) => `${place}: ${line}`));
      }
    }
  }
  if (faults.length > 0) throw new CRDFileError(faults.join("\n"));
  return files;
}

interface Placed {
  readonly place: string;
  readonly value: JSONValue;
}

function definitionsOf(path: string, text: string, faults: string[]): Placed[] {
  if (text.length > MAX_FILE_CHARACTERS) {
    faults.push(`${path}: must not be larger than 16 MiB`);
    return [];
  }
  const before = faults.length;
  const documents = splitDocuments(text).map((document) => decodeDocument(path, document, faults));
  const values = documents.filter((value) => value !== undefined && value !== null);
  const placed = values.map((value, index) => ({ place: values.length === 1 ? path : `${path}: document ${index + 1}`, value }));
  if (values.length === 0 && faults.length === before) faults.push(`${path}: has no CustomResourceDefinition`);
  return placed.flatMap(itemsOf);
}

/** The elements of a list, as `kubectl get crd -o yaml` writes one. */
function itemsOf({ place, value }: Placed): Placed[] {
  if (!isJSONObject(value) || !Array.isArray(value.items)) return [{ place, value }];
  return value.items.map((item, index) => ({ place: `${place}: items[${index}]`, value: item }));
}

/**
 * Parts a stream of YAML where a line is `---`, as kubectl does. Each part keeps the line numbers of the file.
 *
 * Source: k8s.io/apimachinery/pkg/util/yaml, splitYAMLDocument.
 */
function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let lines: string[] = [];
  const all = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  for (const [index, line] of all.entries()) {
    if (/^---\s*$/.test(line)) {
      documents.push(lines.join("\n"));
      lines = new Array<string>(index + 1).fill("");
    } else lines.push(line);
  }
  return [...documents, lines.join("\n")].filter((document) => document.trim() !== "");
}

function decodeDocument(path: string, document: string, faults: string[]): JSONValue | undefined {
  try {
    const { value, duplicates } = decodeYAML(encoder.encode(document));
    faults.push(...duplicates.map((duplicate) => `${path}: ${duplicate}`));
    return value;
  } catch (error) {
    if (!(error instanceof YAMLSyntaxError)) throw error;
    faults.push(`${path}: ${error.message}`);
    return undefined;
  }
}
