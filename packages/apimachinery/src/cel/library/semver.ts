import { quoteGo } from "../../meta/go-quote.ts";
import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { compareStrings } from "../value/equality.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { intFromBigInt } from "../value/number.ts";
import { CelOpaque } from "../value/opaque.ts";
import { BOOL, type CelType, INT, STRING, structType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { workOn } from "../value/work.ts";

const SEMVER = structType("kubernetes.Semver");

/** A part of a pre-release: a number, or a word. */
type Identifier = bigint | string;

interface Version {
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly Identifier[];
  readonly build: readonly string[];
}

class SemverValue extends CelOpaque {
  readonly version: Version;
  readonly #length: number;

  constructor(version: Version, length: number) {
    super();
    this.version = version;
    this.#length = length;
  }

  get type(): CelType {
    return SEMVER;
  }

  override get goType(): string {
    return "cel.Semver";
  }

  equals(other: CelValue): CelValue {
    workOn(this);
    return other instanceof SemverValue ? compareVersions(this, other) === 0 : noSuchOverload(other);
  }

  override get weight(): number {
    return this.#length;
  }

  toString(): string {
    const { numbers, prerelease, build } = this.version;
    return `${numbers.join(".")}${prerelease.length > 0 ? `-${prerelease.join(".")}` : ""}${build.length > 0 ? `+${build.join(".")}` : ""}`;
  }
}

class VersionError extends Error {
  override readonly name = "VersionError";
}

const MAX_UINT64 = 2n ** 64n - 1n;
const NUMERIC = /^\d*$/;
const ALPHANUMERIC = /^[0-9A-Za-z-]*$/;

/** @throws {VersionError} Source: github.com/blang/semver Parse. */
function parseVersion(text: string): Version {
  if (text === "") throw new VersionError("Version string empty");
  const [major, minor, ...rest] = text.split(".");
  if (major === undefined || minor === undefined || rest.length === 0) throw new VersionError("No Major.Minor.Patch elements found");
  const numbers = [number("major", "Major", major), number("minor", "Minor", minor)];
  const [beforeBuild, build] = cut(rest.join("."), "+");
  const [patch, prerelease] = cut(beforeBuild, "-");
  numbers.push(number("patch", "Patch", patch));
  return { numbers, prerelease: prerelease?.split(".").map(identifier) ?? [], build: build?.split(".").map(buildPart) ?? [] };
}

function cut(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function number(name: string, title: string, text: string): bigint {
  if (!NUMERIC.test(text)) throw new VersionError(`Invalid character(s) found in ${name} number ${quoteGo(text)}`);
  if (/^0./.test(text)) throw new VersionError(`${title} number must not contain leading zeroes ${quoteGo(text)}`);
  return unsigned(text);
}

/** Source: strconv.ParseUint. */
function unsigned(text: string): bigint {
  if (text === "") throw new VersionError('strconv.ParseUint: parsing "": invalid syntax');
  const value = text.length > 20 ? MAX_UINT64 + 1n : BigInt(text);
  if (value > MAX_UINT64) throw new VersionError(`strconv.ParseUint: parsing ${quoteGo(text)}: value out of range`);
  return value;
}

function identifier(text: string): Identifier {
  if (text === "") throw new VersionError("Prerelease is empty");
  if (NUMERIC.test(text)) {
    if (/^0./.test(text)) throw new VersionError(`Numeric PreRelease version must not contain leading zeroes ${quoteGo(text)}`);
    return unsigned(text);
  }
  if (!ALPHANUMERIC.test(text)) throw new VersionError(`Invalid character(s) found in prerelease ${quoteGo(text)}`);
  return text;
}

function buildPart(text: string): string {
  if (text === "") throw new VersionError("Build meta data is empty");
  if (!ALPHANUMERIC.test(text)) throw new VersionError(`Invalid character(s) found in build meta data ${quoteGo(text)}`);
  return text;
}

/** Takes away a `v` and leading zeros, and puts in what is missing. @throws {VersionError} Source: normalizeAndParse. */
function normalized(text: string): string {
  const [first = "", second, ...rest] = text.replace(/^v/, "").split(".");
  const parts = [first, second, rest.length === 0 ? undefined : rest.join(".")].filter((part) => part !== undefined).map(withoutLeadingZeros);
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? "")) throw new VersionError("short version cannot contain PreRelease/Build meta data");
  while (parts.length < 3) parts.push("0");
  return parts.join(".");
}

/** What is at most one byte stays. */
function withoutLeadingZeros(part: string): string {
  if (/^[\0-\x7f]?$/.test(part)) return part;
  const rest = part.replace(/^0+/, "");
  return /^\d/.test(rest) ? rest : `0${rest}`;
}

function semver(text: string, isLenient: boolean): CelValue {
  try {
    return new SemverValue(parseVersion(isLenient ? normalized(text) : text), text.length);
  } catch (error) {
    if (!(error instanceof VersionError)) throw error;
    return new CelError(error.message);
  }
}

/** -1, 0 or 1. The build does not count. */
function compareVersions({ version: left }: SemverValue, { version: right }: SemverValue): number {
  for (const [index, value] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0n;
    if (value !== other) return value < other ? -1 : 1;
  }
  // A version comes behind its pre-releases.
  if (left.prerelease.length === 0 || right.prerelease.length === 0) return Math.sign(right.prerelease.length - left.prerelease.length);
  for (const [index, value] of left.prerelease.entries()) {
    const other = right.prerelease[index];
    if (other === undefined) break;
    const order = compareIdentifiers(value, other);
    if (order !== 0) return order;
  }
  return Math.sign(left.prerelease.length - right.prerelease.length);
}

function compareIdentifiers(left: Identifier, right: Identifier): number {
  if (typeof left === "string") return typeof right === "string" ? compareStrings(left, right) : 1;
  if (typeof right === "string") return -1;
  return left < right ? -1 : left > right ? 1 : 0;
}

const isValid = (text: string, isLenient: boolean): boolean => !(semver(text, isLenient) instanceof CelError);

const part = (name: string, index: number): FunctionDeclaration => ({
  name,
  overloads: [member(`semver_${name}`, [SEMVER], INT, ({ version }: SemverValue) => intFromBigInt(BigInt.asIntN(64, version.numbers[index] ?? 0n)))],
});

/** Versions. Source: k8s.io/apiserver/pkg/cel/library/semverlib.go, version 1. */
export const SEMVER_LIBRARY: CelLibrary = {
  name: "kubernetes.Semver",
  functions: [
    {
      name: "semver",
      overloads: [
        overload("string_to_semver", [STRING], SEMVER, (text: string) => semver(text, false)),
        overload("string_bool_to_semver", [STRING, BOOL], SEMVER, semver),
      ],
    },
    {
      name: "isSemver",
      overloads: [
        overload("is_semver_string", [STRING], BOOL, (text: string) => isValid(text, false)),
        overload("is_semver_string_bool", [STRING, BOOL], BOOL, isValid),
      ],
    },
    {
      name: "isGreaterThan",
      overloads: [
        member("semver_is_greater_than", [SEMVER, SEMVER], BOOL, (left: SemverValue, right: SemverValue) => compareVersions(left, right) === 1),
      ],
    },
    {
      name: "isLessThan",
      overloads: [
        member("semver_is_less_than", [SEMVER, SEMVER], BOOL, (left: SemverValue, right: SemverValue) => compareVersions(left, right) === -1),
      ],
    },
    { name: "compareTo", overloads: [member("semver_compare_to", [SEMVER, SEMVER], INT, compareVersions)] },
    part("major", 0),
    part("minor", 1),
    part("patch", 2),
  ],
};
