import { fieldError } from "./field-error.ts";
import { quoteGo } from "./go-quote.ts";
import { parseAPIVersion } from "./group-version.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./object.ts";
import { type FieldError, MAX_FAULTS } from "./status.ts";

const LABEL_PATTERN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_PATTERN = `${LABEL_PATTERN}(\\.${LABEL_PATTERN})*`;
const DNS1035_PATTERN = "[a-z]([-a-z0-9]*[a-z0-9])?";
const KEY_PATTERN = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

const LABEL_SENTENCE = regexError(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL_PATTERN,
  "my-name",
  "123-abc",
);
const SUBDOMAIN_SENTENCE = regexError(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN_PATTERN,
  "example.com",
);
const DNS1035_SENTENCE = regexError(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  DNS1035_PATTERN,
  "my-name",
  "abc-123",
);
const KEY_SENTENCE = regexError(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  KEY_PATTERN,
  "MyName",
  "my.name",
  "123-abc",
);
const LABEL_VALUE_SENTENCE = regexError(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  `(${KEY_PATTERN})?`,
  "MyValue",
  "my_value",
  "12345",
);
const CONFIG_MAP_KEY_SENTENCE = regexError(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  "[-._a-zA-Z0-9]+",
  "key.name",
  "KEY_NAME",
  "key-name",
);

/** All keys and values of an object's annotations together, in bytes. Source: TotalAnnotationSizeLimitB. */
export const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/**
 * The complaints about a DNS label: at most 63 bytes of lower-case letters, digits and `-`.
 *
 * @returns one sentence for each fault; none when the value is good. So do all the `is…` functions here.
 * Source: RFC 1123; k8s.io/apimachinery validation.IsDNS1123Label.
 */
export function isDNS1123Label(value: string): readonly string[] {
  const complaints = tooLong(value, 63, "characters");
  if (!isLowerLabel(value)) complaints.push(value.split(".").every(isLowerLabel) ? "must not contain dots" : LABEL_SENTENCE);
  return complaints;
}

/** The complaints about a DNS subdomain: labels joined by dots, at most 253 bytes. Source: validation.IsDNS1123Subdomain. */
export function isDNS1123Subdomain(value: string): readonly string[] {
  return subdomainComplaints(value, "characters");
}

function subdomainComplaints(value: string, unit: "bytes" | "characters"): readonly string[] {
  const complaints = tooLong(value, 253, unit);
  if (!value.split(".").every(isLowerLabel)) complaints.push(SUBDOMAIN_SENTENCE);
  return complaints;
}

/** The complaints about a DNS label that begins with a letter, as Services need. Source: RFC 1035; validation.IsDNS1035Label. */
export function isDNS1035Label(value: string): readonly string[] {
  const complaints = tooLong(value, 63, "characters");
  if (!isLowerLabel(value) || /^[0-9]/.test(value)) complaints.push(DNS1035_SENTENCE);
  return complaints;
}

/**
 * The complaints about a qualified name, `[subdomain/]name`: label keys, annotation keys, finalizers. The name part has at most 63 bytes.
 *
 * Source: validation.IsQualifiedName, content.IsLabelKey.
 */
export function isQualifiedName(value: string): readonly string[] {
  const parts = value.split("/", 3);
  if (parts.length === 3) return [`a valid label key ${KEY_SENTENCE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const complaints: string[] = [];
  const name = parts[parts.length - 1] ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === "") complaints.push("prefix part must be non-empty");
  else if (prefix !== undefined) {
    // Kubernetes counts bytes everywhere, and calls them bytes only in keys.
    complaints.push(...subdomainComplaints(prefix, "bytes").map((complaint) => `prefix part ${complaint}`));
  }
  if (name === "") complaints.push("name part must be non-empty");
  else complaints.push(...tooLong(name, 63).map((complaint) => `name part ${complaint}`));
  if (!isKeyShaped(name)) complaints.push(`name part ${KEY_SENTENCE}`);
  return complaints;
}

/** The complaints about a label's value: empty, or at most 63 bytes. Source: validation.IsValidLabelValue. */
export function isValidLabelValue(value: string): readonly string[] {
  const complaints = tooLong(value, 63);
  if (value !== "" && !isKeyShaped(value)) complaints.push(LABEL_VALUE_SENTENCE);
  return complaints;
}

/** The complaints about a key of a ConfigMap's or a Secret's data: at most 253 bytes. Source: validation.IsConfigMapKey. */
export function isConfigMapKey(value: string): readonly string[] {
  const complaints = tooLong(value, 253, "characters");
  if (value === "" || /[^-._a-zA-Z0-9]/.test(value)) complaints.push(CONFIG_MAP_KEY_SENTENCE);
  if (value === ".") complaints.push("must not be '.'");
  else if (value === "..") complaints.push("must not be '..'");
  else if (value.startsWith("..")) complaints.push("must not start with '..'");
  return complaints;
}

/**
 * The complaints about a name that is to stand in a URL's path as one segment.
 *
 * @param isPrefix whether a suffix follows, so that `.` and `..` alone do no harm.
 * Source: k8s.io/apimachinery path.ValidatePathSegmentName.
 */
export function validatePathSegmentName(name: string, isPrefix = false): readonly string[] {
  if (!isPrefix && (name === "." || name === "..")) return [`may not be '${name}'`];
  return ["/", "%"].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
}

/** How a kind's objects may be named: one of Kubernetes' rules, or the kind's own, which returns its complaints. */
export type NameRule = "dnsSubdomain" | "dnsLabel" | "pathSegment" | ((name: string, isPrefix: boolean) => readonly string[]);

/**
 * The complaints about a name by a rule.
 *
 * @param isPrefix whether the name is a generateName: a `-` at its end is then no fault.
 * Source: k8s.io/apimachinery api/validation NameIsDNSSubdomain, NameIsDNSLabel.
 */
export function validateName(rule: NameRule, name: string, isPrefix: boolean): readonly string[] {
  if (typeof rule === "function") return rule(name, isPrefix);
  switch (rule) {
    case "dnsSubdomain":
      return isDNS1123Subdomain(isPrefix ? maskTrailingDash(name) : name);
    case "dnsLabel":
      return isDNS1123Label(isPrefix ? maskTrailingDash(name) : name);
    case "pathSegment":
      return validatePathSegmentName(name, isPrefix);
    default:
      return rule satisfies never;
  }
}

export interface ObjectMetaValidationOptions {
  readonly isNamespaced: boolean;
  readonly nameRule: NameRule;
  /** Whether the object may go without a name, as one that is asked and not kept (a review). Default false. */
  readonly isNameOptional?: boolean;
  /** Where the metadata stands in the object; `metadata` when absent. */
  readonly path?: string;
}

/**
 * Validates the metadata of an object, created or updated, after its name was generated.
 *
 * @returns every fault, in the order in which Kubernetes tells them; labels and annotations in the order of the object.
 * Source: k8s.io/apimachinery api/validation ValidateObjectMeta.
 */
export function validateObjectMeta(metadata: ObjectMeta, options: ObjectMetaValidationOptions): FieldError[] {
  const { isNamespaced, nameRule, isNameOptional = false, path = "metadata" } = options;
  const { name = "", generateName = "", namespace = "", generation = 0 } = metadata;
  const errors: FieldError[] = [];
  if (generateName !== "") errors.push(...invalids(`${path}.generateName`, generateName, validateName(nameRule, generateName, true)));
  if (name !== "") errors.push(...invalids(`${path}.name`, name, validateName(nameRule, name, false)));
  else if (!isNameOptional) errors.push(fieldError.required(`${path}.name`, "name or generateName is required"));
  if (isNamespaced) {
    if (namespace === "") errors.push(fieldError.required(`${path}.namespace`));
    else errors.push(...invalids(`${path}.namespace`, namespace, isDNS1123Label(namespace)));
  } else if (namespace !== "") errors.push(fieldError.forbidden(`${path}.namespace`, "not allowed on this type"));
  if (generation < 0) errors.push(fieldError.invalid(`${path}.generation`, generation, "must be greater than or equal to 0"));
  errors.push(
    ...validateLabels(metadata.labels, `${path}.labels`),
    ...validateAnnotations(metadata.annotations, `${path}.annotations`),
    ...validateOwnerReferences(metadata.ownerReferences, `${path}.ownerReferences`),
    ...validateFinalizers(metadata.finalizers, `${path}.finalizers`),
    ...validateManagedFields(metadata.managedFields, `${path}.managedFields`),
  );
  return errors;
}

/**
 * Validates the metadata of an update against what is stored. It comes beside {@link validateObjectMeta}, so some faults are told twice, as
 * Kubernetes does.
 *
 * Source: k8s.io/apimachinery api/validation ValidateObjectMetaUpdate; only the list of new finalizers is written as JSON, not as Go.
 */
export function validateObjectMetaUpdate(next: ObjectMeta, previous: ObjectMeta, path = "metadata"): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.deletionTimestamp !== undefined) errors.push(...validateNoNewFinalizers(next, previous, `${path}.finalizers`));
  if ((next.resourceVersion ?? "") === "") errors.push(fieldError.invalid(`${path}.resourceVersion`, "", "must be specified for an update"));
  if ((next.generation ?? 0) < (previous.generation ?? 0)) {
    errors.push(fieldError.invalid(`${path}.generation`, next.generation ?? 0, "must not be decremented"));
  }
  const immutable = (field: string, value: unknown, isSame: boolean) => {
    if (!isSame) errors.push(fieldError.invalid(`${path}.${field}`, value, "field is immutable"));
  };
  for (const field of ["name", "namespace", "uid"] as const) immutable(field, next[field] ?? "", (next[field] ?? "") === (previous[field] ?? ""));
  for (const field of ["creationTimestamp", "deletionTimestamp"] as const) immutable(field, next[field], isSameTime(next[field], previous[field]));
  const grace = next.deletionGracePeriodSeconds;
  immutable("deletionGracePeriodSeconds", grace, grace === previous.deletionGracePeriodSeconds);
  errors.push(
    ...validateLabels(next.labels, `${path}.labels`),
    ...validateAnnotations(next.annotations, `${path}.annotations`),
    ...validateOwnerReferences(next.ownerReferences, `${path}.ownerReferences`),
    ...validateManagedFields(next.managedFields, `${path}.managedFields`),
  );
  return errors;
}

/** The faults of labels: keys are qualified names. Source: meta/v1/validation ValidateLabels. */
export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (isPlainName(key) && (value === "" || isPlainName(value))) continue;
    errors.push(...invalids(path, key, isQualifiedName(key)), ...invalids(path, value, isValidLabelValue(value)));
    if (errors.length >= MAX_FAULTS) break;
  }
  return errors;
}

/** Whether a text is certainly fine as a key without a prefix, and as a value: most are, and no list of complaints is made for them. */
function isPlainName(text: string): boolean {
  return text.length <= 63 && PLAIN_NAME.test(text);
}

const PLAIN_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** The faults of a label's key. Source: meta/v1/validation ValidateLabelName. */
export function validateLabelName(key: string, path: string): FieldError[] {
  return invalids(path, key, isQualifiedName(key));
}

/** The faults of annotations: keys are qualified names in any case, all together at most 256 KiB. Source: ValidateAnnotations. */
export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (errors.length < MAX_FAULTS && !isPlainName(key)) errors.push(...invalids(path, key, isQualifiedName(key.toLowerCase())));
    bytes += utf8Length(key) + utf8Length(value);
  }
  if (bytes > MAX_ANNOTATIONS_BYTES) errors.push(fieldError.tooLong(path, MAX_ANNOTATIONS_BYTES));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[] = [], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const reference of references) {
    if (errors.length >= MAX_FAULTS) break;
    const { apiVersion = "", kind = "", name = "", uid = "" }: Partial<OwnerReference> = reference;
    if ((parseAPIVersion(apiVersion)?.version ?? "") === "") {
      errors.push(fieldError.invalid(`${path}.apiVersion`, apiVersion, "version must not be empty"));
    }
    for (const [field, value] of Object.entries({ kind, name, uid })) {
      if (value === "") errors.push(fieldError.invalid(`${path}.${field}`, value, "must not be empty"));
    }
    // Events come and go by the thousand: nothing may live and die with one.
    if (apiVersion === "v1" && kind === "Event") {
      errors.push(fieldError.invalid(path, inGoOrder(reference), "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (reference.controller !== true) continue;
    const current = `${kind}/${name}`;
    if (controller === undefined) controller = current;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${current}`;
      errors.push(fieldError.invalid(path, references.map(inGoOrder), detail));
    }
  }
  return errors;
}

function inGoOrder({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference) {
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion };
}

function validateFinalizers(finalizers: readonly string[] = [], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of finalizers) {
    if (errors.length >= MAX_FAULTS) break;
    if (!isPlainName(finalizer)) errors.push(...invalids(path, finalizer, isQualifiedName(finalizer)));
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(fieldError.invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

function validateNoNewFinalizers(next: ObjectMeta, previous: ObjectMeta, path: string): FieldError[] {
  const known = new Set(previous.finalizers);
  const added = [...new Set(next.finalizers)].filter((finalizer) => !known.has(finalizer)).sort(compareUTF8);
  if (added.length === 0) return [];
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(quoteGo).join(", ")}}`;
  return [fieldError.forbidden(path, detail)];
}

/** Unknown operations and field types come from clients: the type says what is stored, not what was sent. Source: ValidateManagedFields. */
function validateManagedFields(entries: readonly ManagedFieldsEntry[] = [], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, entry] of entries.entries()) {
    if (errors.length >= MAX_FAULTS) break;
    const { operation = "", fieldsType = "", manager = "", subresource = "" }: { readonly [field in keyof ManagedFieldsEntry]?: unknown } = entry;
    const at = `${path}[${index}]`;
    if (operation !== "Apply" && operation !== "Update") {
      errors.push(fieldError.invalid(`${at}.operation`, operation, "must be `Apply` or `Update`"));
    }
    if (fieldsType !== "" && fieldsType !== "FieldsV1") errors.push(fieldError.invalid(`${at}.fieldsType`, fieldsType, "must be `FieldsV1`"));
    errors.push(...validateFieldManager(String(manager), `${at}.manager`));
    if (utf8Length(String(subresource)) > 256) errors.push(fieldError.tooLong(`${at}.subresource`, 256));
  }
  return errors;
}

/** The faults of a field manager's name: at most 128 bytes, printable. Source: meta/v1/validation ValidateFieldManager. */
export function validateFieldManager(fieldManager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (utf8Length(fieldManager) > 128) errors.push(fieldError.tooLong(path, 128));
  let position = 0;
  for (const character of fieldManager) {
    if (!/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) {
      const codePoint = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      errors.push(fieldError.invalid(path, fieldManager, `invalid character U+${codePoint} (at position ${position})`));
      if (errors.length >= MAX_CHARACTER_ERRORS) break;
    }
    position += utf8Length(character);
  }
  return errors;
}

// Each of these repeats the whole name.
const MAX_CHARACTER_ERRORS = 16;

function invalids(path: string, value: string, complaints: readonly string[]): FieldError[] {
  return complaints.map((complaint) => fieldError.invalid(path, value, complaint));
}

/** Scanned, not matched by the pattern that the sentence shows: no backtracking, however long a hostile value is. */
function isLowerLabel(value: string): boolean {
  return value !== "" && !/[^-a-z0-9]/.test(value) && !value.startsWith("-") && !value.endsWith("-");
}

function isKeyShaped(value: string): boolean {
  return !/[^-A-Za-z0-9_.]/.test(value) && /^[A-Za-z0-9]/.test(value) && /[A-Za-z0-9]$/.test(value);
}

function tooLong(value: string, maxBytes: number, unit: "bytes" | "characters" = "bytes"): string[] {
  return utf8Length(value) > maxBytes ? [`must be no more than ${maxBytes} ${unit}`] : [];
}

function regexError(message: string, pattern: string, ...examples: readonly string[]): string {
  return `${message} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${pattern}')`;
}

/** The last character cannot matter where more follow it; the one before goes with it, as in Kubernetes. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}

function isSameTime(left: string | undefined, right: string | undefined): boolean {
  if (left === right) return true;
  return left !== undefined && right !== undefined && new Date(left).getTime() === new Date(right).getTime();
}

/** How many bytes a string takes in UTF-8. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    // A surrogate pair is two units and four bytes; each half adds one.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** Compares strings as Go does, by their UTF-8 bytes: JavaScript puts U+1F600 before U+FFFD. */
export function compareUTF8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    const isPairA = a >= 0xd800 && a <= 0xdfff;
    const isPairB = b >= 0xd800 && b <= 0xdfff;
    return isPairA === isPairB ? a - b : isPairA ? 1 : -1;
  }
  return left.length - right.length;
}
