// What the Go program in test/controlplane/apply is asked, and what it answers. A case stands for itself.
import type { JSONObject, JSONValue, ManagedFieldsEntry, Schema } from "@annex/apimachinery";

/** Two sets of fields, and paths to look for in the left one. */
export interface SetsCase {
  readonly kind: "sets";
  /** FieldsV1, or what is none. */
  readonly left: JSONObject;
  readonly right: JSONObject;
  /** As texts of path elements. */
  readonly paths: readonly (readonly string[])[];
}

/** Values of one schema. Operations name values and sets by their places. */
export interface TypedCase {
  readonly kind: "typed";
  readonly schema: Schema;
  readonly values: readonly JSONValue[];
  /** FieldsV1. */
  readonly sets: readonly JSONObject[];
  readonly ops: readonly TypedOp[];
}

export type TypedOp =
  | { readonly op: "validate"; readonly value: number; readonly allowsDuplicates: boolean }
  | { readonly op: "toFieldSet"; readonly value: number }
  | { readonly op: "compare" | "merge"; readonly value: number; readonly other: number }
  | { readonly op: "remove" | "extract"; readonly value: number; readonly set: number };

/** The writes to one object, by several managers, in several versions. */
export interface ManagedCase {
  readonly kind: "managed";
  /** Objects are stored in the first one. */
  readonly versions: readonly VersionDef[];
  /** Whether what is owned in a version that there is not is forgotten, as for compiled-in kinds, or makes conversion fail, as for custom resources. */
  readonly dropsUnknown: boolean;
  readonly ops: readonly ManagedOp[];
}

export interface VersionDef {
  readonly name: string;
  readonly schema: Schema;
  /** What this version calls the fields of spec that the first version calls otherwise. */
  readonly renames: Readonly<Record<string, string>>;
  /** The fields of spec, as the first version calls them, that this version does not have. */
  readonly drops: readonly string[];
  /** Whether there is a status subresource. */
  readonly hasStatus: boolean;
}

export type ManagedOp =
  /** From now on the kind has these versions. */
  | { readonly op: "redefine"; readonly second: number; readonly versions: readonly VersionDef[] }
  | { readonly op: "delete"; readonly second: number }
  /** The whole object; `keepsManagedFields` says whether with the managedFields that there were. */
  | (ManagedWrite & { readonly op: "replace"; readonly keepsManagedFields: boolean })
  /** A JSON merge patch. */
  | (ManagedWrite & { readonly op: "patch" })
  | (ManagedWrite & { readonly op: "apply"; readonly force: boolean });

interface ManagedWrite {
  readonly version: string;
  readonly subresource: "" | "status";
  readonly manager: string;
  /** Seconds since the beginning of the year 2000; never before that of an earlier operation. */
  readonly second: number;
  readonly object: JSONObject;
}

/** The managedFields of an object, and those of its scale after a write. */
export interface ScaleCase {
  readonly kind: "scale";
  readonly parent: readonly ManagedFieldsEntry[];
  readonly scale: readonly ManagedFieldsEntry[];
  /** As group/version. */
  readonly apiVersion: string;
  /** The names of the fields that lead to the number of replicas, by version; null for a version without a scale. */
  readonly paths: Readonly<Record<string, readonly string[] | null>>;
}

export type Case = SetsCase | TypedCase | ManagedCase | ScaleCase;

export const GROUP = "smd.example.com";
export const KIND = "Thing";
export const apiVersionOf = (version: string): string => `${GROUP}/${version}`;
