import type { Correlation } from "../schema/correlation.ts";

/** Where a value stands in its object, from the inside out. Written as text, and looked up in what was there before, only where a rule fails. */
export interface Place {
  readonly parent: Place | undefined;
  /** A property by its name, an entry of a free map by its key, an element of a list. */
  readonly kind: "property" | "key" | "index";
  readonly step: string | number;
}

/** As the fields of faults are written: `spec.byName[a].list[0]`. Of the object itself `<nil>`, as in Go. */
export function formatPlace(place: Place | undefined, base = ""): string {
  const path = textOf(place, base);
  return path === "" ? "<nil>" : path;
}

function textOf(place: Place | undefined, base: string): string {
  if (place === undefined) return base;
  const parent = textOf(place.parent, base);
  return place.kind === "property" ? child(parent, String(place.step)) : `${parent}[${place.step}]`;
}

const child = (parent: string, name: string): string => (parent === "" ? name : `${parent}.${name}`);

/** The field of a fault that a rule tells at a path below its value. */
export function formatBelow(place: Place | undefined, base: string, path: string): string {
  return formatPlace({ parent: place, kind: "property", step: path }, base);
}

/**
 * Whether a value is as it was before, or the nearest thing around it that can be told apart from others is.
 *
 * @param root of an update, the object with what was there before.
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel, ratchetingOptions.
 */
export function isUnchanged(place: Place | undefined, root: Correlation): boolean {
  const { current, nearest } = formerOf(place, root);
  return (current ?? nearest)?.isUnchanged === true;
}

interface Former {
  /** Undefined where nothing tells what stood there before. */
  readonly current: Correlation | undefined;
  /** The nearest one around it, which has one. */
  readonly nearest: Correlation | undefined;
}

function formerOf(place: Place | undefined, root: Correlation): Former {
  if (place === undefined) return { current: root, nearest: undefined };
  const parent = formerOf(place.parent, root);
  if (parent.current === undefined) return parent;
  if (typeof place.step === "number") return { current: parent.current.index(place.step), nearest: parent.current };
  // The old object was converted to the version of the new one: of these two nobody knows whether they are unchanged.
  if (place.parent === undefined && (place.step === "apiVersion" || place.step === "kind")) return { current: undefined, nearest: undefined };
  return { current: parent.current.key(place.step), nearest: parent.current };
}
