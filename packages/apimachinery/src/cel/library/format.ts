import { isDNS1035Label, isDNS1123Label, isDNS1123Subdomain, isQualifiedName, isValidLabelValue } from "../../meta/index.ts";
import { stringFormat } from "../../schema/formats/index.ts";
import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import { PatternedValue } from "../cost/kubernetes.ts";
import type { CelLibrary } from "../environment.ts";
import { noSuchOverload } from "../value/error.ts";
import { ArrayList } from "../value/list.ts";
import { OPTIONAL_NONE, optionalOf } from "../value/optional.ts";
import { type CelType, listType, optionalType, STRING, structType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { parseRequestURI, URLError } from "./go-url.ts";

const FORMAT = structType("kubernetes.NamedFormat");

/** A format that texts are checked against. */
class FormatValue extends PatternedValue {
  readonly title: string;
  readonly complaints: (text: string) => readonly string[];
  readonly maxRegexSize: number;

  constructor(title: string, maxRegexSize: number, complaints: (text: string) => readonly string[]) {
    super();
    this.title = title;
    this.maxRegexSize = maxRegexSize;
    this.complaints = complaints;
  }

  get type(): CelType {
    return FORMAT;
  }

  override get goType(): string {
    return "cel.Format";
  }

  equals(other: CelValue): CelValue {
    return other instanceof FormatValue ? this.title === other.title : noSuchOverload(other);
  }

  toString(): string {
    return this.title;
  }
}

/** As the beginning of a generated name, which may end in a dash. Source: k8s.io/apimachinery api/validation maskTrailingDash. */
const asPrefix = (check: (text: string) => readonly string[]) => (text: string) =>
  check(text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text);

const ofSchema = (name: string, complaint: string) => (text: string) => (stringFormat(name)?.(text) === true ? [] : [complaint]);

function uriComplaints(text: string): readonly string[] {
  try {
    parseRequestURI(text);
    return [];
  } catch (error) {
    if (!(error instanceof URLError)) throw error;
    return [error.message];
  }
}

/** The lengths of the patterns of kube-openapi's strfmt, and of Kubernetes' estimates for those without one. */
const UUID_PATTERN_LENGTH = 70;
const DATE_TIME_PATTERN_LENGTH = 71;
const URI_LENGTH = 1103;
const BASE64_LENGTH = 84;

/** Source: k8s.io/apiserver/pkg/cel/library/format.go ConstantFormats. */
const FORMATS: Readonly<Record<string, FormatValue>> = {
  dns1123Label: new FormatValue("DNS1123Label", 30, isDNS1123Label),
  dns1123Subdomain: new FormatValue("DNS1123Subdomain", 60, isDNS1123Subdomain),
  dns1035Label: new FormatValue("DNS1035Label", 30, isDNS1035Label),
  qualifiedName: new FormatValue("QualifiedName", 60, isQualifiedName),
  dns1123LabelPrefix: new FormatValue("DNS1123LabelPrefix", 30, asPrefix(isDNS1123Label)),
  dns1123SubdomainPrefix: new FormatValue("DNS1123SubdomainPrefix", 60, asPrefix(isDNS1123Subdomain)),
  dns1035LabelPrefix: new FormatValue("DNS1035LabelPrefix", 30, asPrefix(isDNS1035Label)),
  labelValue: new FormatValue("LabelValue", 40, isValidLabelValue),
  uri: new FormatValue("URI", URI_LENGTH, uriComplaints),
  uuid: new FormatValue("uuid", UUID_PATTERN_LENGTH, ofSchema("uuid", "does not match the UUID format")),
  byte: new FormatValue("byte", BASE64_LENGTH, ofSchema("byte", "invalid base64")),
  date: new FormatValue("date", DATE_TIME_PATTERN_LENGTH, ofSchema("date", "invalid date")),
  datetime: new FormatValue("datetime", DATE_TIME_PATTERN_LENGTH, ofSchema("datetime", "invalid datetime")),
};

function validate({ complaints }: FormatValue, text: string): CelValue {
  const found = complaints(text);
  return found.length === 0 ? OPTIONAL_NONE : optionalOf(new ArrayList(found));
}

function named(name: string): CelValue {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  return format === undefined ? OPTIONAL_NONE : optionalOf(format);
}

const FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: "validate", overloads: [member("format-validate", [FORMAT, STRING], optionalType(listType(STRING)), validate)] },
  { name: "format.named", overloads: [overload("format-named", [STRING], optionalType(FORMAT), named)] },
  ...Object.entries(FORMATS).map(([name, format]) => ({ name: `format.${name}`, overloads: [overload(`format.${name}`, [], FORMAT, () => format)] })),
];

/** Formats of texts. Source: k8s.io/apiserver/pkg/cel/library/format.go. */
export const FORMAT_LIBRARY: CelLibrary = { name: "kubernetes.format", functions: FUNCTIONS, types: [FORMAT] };
