import { quoteGo } from "../meta/go-quote.ts";
import { badRequest, type JSONValue, type KubernetesObject } from "../meta/index.ts";
import { ZERO_TIME } from "./age.ts";
import { type ColumnType, formatCell, type TableCell } from "./cells.ts";
import { compileJSONPath } from "./jsonpath.ts";
import { type ListMeta, type MetaVersion, type PartialObjectMetadata, partialObjectMetadata } from "./partial-object-metadata.ts";

/** A column that a kind defines, with one of `jsonPath` and `value`. Source: apiextensions/v1 CustomResourceColumnDefinition. */
export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, more than that only with `-o wide`. Default 0. */
  readonly priority?: number;
  /** Where the value is found in the object; see `compileJSONPath`. The first of several is shown. */
  readonly jsonPath?: string;
  /** The cell itself, whatever the column's type. `now` is in milliseconds since the epoch; `formatAge` makes a `date` cell. */
  readonly value?: (object: never, now: number) => string | number | boolean | null | undefined;
}

/** The head of a column. Source: meta/v1 TableColumnDefinition. */
export interface TableColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly TableCell[];
  readonly object: KubernetesObject | PartialObjectMetadata | null;
}

/** What kubectl prints. Source: meta/v1 Table. */
export interface Table {
  readonly kind: "Table";
  readonly apiVersion: `meta.k8s.io/${MetaVersion}`;
  readonly metadata: ListMeta;
  /** Null where the reader knows them from an earlier Table of the same watch. */
  readonly columnDefinitions: readonly TableColumnDefinition[] | null;
  /** Null of no objects of a kind without columns: see {@link makeTable}. */
  readonly rows: readonly TableRow[] | null;
}

/** Which part of each object comes along in its row. */
export type IncludeObject = "Metadata" | "Object" | "None";

/** The columns of one version of a kind, compiled once. */
export interface TablePrinter {
  readonly columnDefinitions: readonly TableColumnDefinition[];
  /** The cells of an object's row, one for each column. */
  cells(object: KubernetesObject, now: number): readonly TableCell[];
}

// These two are meta/v1's own descriptions of ObjectMeta's fields; clients are shown them.
const NAME_DESCRIPTION =
  "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
/** Of the age in the tables of compiled-in kinds, too. */
const CREATION_TIMESTAMP_DESCRIPTION =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

const NAME: TableColumnDefinition = { name: "Name", type: "string", format: "name", description: NAME_DESCRIPTION, priority: 0 };
/** How long ago an object was created: the column of custom resources that say nothing of columns. */
export const AGE_COLUMN = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: CREATION_TIMESTAMP_DESCRIPTION,
} as const satisfies TableColumn;

/** When an object was created: that of every kind without columns, for one that states it. */
export const CREATED_AT_COLUMN = {
  name: "Created At",
  type: "date",
  value: ({ metadata }: KubernetesObject) => metadata.creationTimestamp ?? ZERO_TIME,
  description: CREATION_TIMESTAMP_DESCRIPTION,
} as const satisfies TableColumn;

const defaultPrinter = compileColumns([CREATED_AT_COLUMN]);

/**
 * Compiles the columns of a kind. `Name` always comes first; after it the columns given, and nothing that was not given: an age is a column like any
 * other (`{ name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }`). A kind without columns has `Name` and `Created At`.
 *
 * @returns what makes rows; it throws what a column's `value` throws.
 * @throws {TypeError} for a column with both or neither of `jsonPath` and `value`, and for a path that is not supported.
 * Source: k8s.io/apiextensions-apiserver tableconvertor.New; k8s.io/apiserver registry/rest NewDefaultTableConvertor.
 */
export function compileColumns(columns: readonly TableColumn[]): TablePrinter {
  if (columns.length === 0) return defaultPrinter;
  const cells = columns.map(compileCell);
  return {
    columnDefinitions: [NAME, ...columns.map(columnDefinition)],
    cells(object, now) {
      const row: TableCell[] = [object.metadata.name ?? ""];
      for (const cell of cells) row.push(cell(object, now));
      return row;
    },
  };
}

function columnDefinition({ name, type, format = "", description = "", priority = 0, jsonPath }: TableColumn): TableColumnDefinition {
  const fallback = jsonPath === undefined ? "" : `Custom resource definition column (in JSONPath format): ${jsonPath}`;
  return { name, type, format, description: description === "" ? fallback : description, priority };
}

type CellOf = (object: KubernetesObject, now: number) => TableCell;

function compileCell({ name, type, jsonPath, value }: TableColumn): CellOf {
  if ((jsonPath === undefined) === (value === undefined)) throw new TypeError(`column ${JSON.stringify(name)} needs one of jsonPath and value`);
  if (value !== undefined) {
    // `never` lets authors write functions of their own kind's type; that the objects are of this kind is the caller's promise.
    const compute = value as (object: KubernetesObject, now: number) => Exclude<TableCell, bigint> | undefined;
    return (object, now) => {
      const cell = compute(object, now) ?? null;
      return typeof cell === "number" && !Number.isFinite(cell) ? null : cell;
    };
  }
  const query = compileJSONPath(jsonPath ?? "");
  return (object, now) => {
    // A decoded API object is a JSON value; its interface only names some of the fields.
    const first = query(object as unknown as JSONValue)[0];
    return first === undefined ? null : formatCell(type, first, now);
  };
}

/**
 * Reads the query parameter `includeObject`.
 *
 * @returns `Metadata` when it is absent or empty.
 * @throws {APIError} `BadRequest` when it is none of the three words.
 * Source: meta/v1 TableOptions.
 */
export function parseIncludeObject(value: string | null | undefined): IncludeObject {
  if (value === undefined || value === null || value === "") return "Metadata";
  if (value === "Metadata" || value === "Object" || value === "None") return value;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${quoteGo(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

export interface TableOptions {
  readonly printer: TablePrinter;
  readonly version: MetaVersion;
  /** In the version that is asked for; one of them for a single object or a watch event. */
  readonly objects: Iterable<KubernetesObject>;
  /** Of the list; of a single object its resourceVersion alone. */
  readonly listMeta: ListMeta;
  readonly includeObject: IncludeObject;
  /** False in all but the first Table of a watch. */
  readonly includeColumns: boolean;
  /** Milliseconds since the epoch; ages are counted up to it. */
  readonly now: number;
}

/**
 * Makes the Table of a list, an object or a watch event. Objects and metadata are shared, not copied.
 *
 * @returns of no objects one with `rows: []`; with `rows: null` where the columns are those of any kind, as NewDefaultTableConvertor makes it.
 */
export function makeTable({ printer, version, objects, listMeta, includeObject, includeColumns, now }: TableOptions): Table {
  const rows: TableRow[] = [];
  for (const object of objects) rows.push({ cells: printer.cells(object, now), object: rowObject(object, includeObject, version) });
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: listMeta,
    columnDefinitions: includeColumns ? printer.columnDefinitions : null,
    rows: rows.length === 0 && printer === defaultPrinter ? null : rows,
  };
}

function rowObject(object: KubernetesObject, includeObject: IncludeObject, version: MetaVersion): TableRow["object"] {
  if (includeObject === "Object") return object;
  // The bookmark that ends the initial events is known by its annotation, which must arrive whatever was asked for.
  const isNeeded = includeObject === "Metadata" || object.metadata.annotations?.["k8s.io/initial-events-end"] === "true";
  return isNeeded ? partialObjectMetadata(object, version) : null;
}
