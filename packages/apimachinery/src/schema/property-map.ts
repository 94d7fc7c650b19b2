import type { Schema } from "./schema.ts";

/** The properties of a schema, as walks over many values ask for them. */
export interface PropertyMap {
  /** What an object inherits is no property: `constructor` is a name like any other. */
  readonly byName: ReadonlyMap<string, Schema>;
  /** Those with a default that is not null. */
  readonly defaulted: readonly (readonly [name: string, schema: Schema])[];
}

type Properties = NonNullable<Schema["properties"]>;

const EMPTY: PropertyMap = { byName: new Map(), defaulted: [] };
const maps = new WeakMap<Properties, PropertyMap>();

/** Made once for each schema value, which nobody changes. */
export function propertyMap({ properties }: Schema): PropertyMap {
  if (properties === undefined) return EMPTY;
  let map = maps.get(properties);
  if (map === undefined) {
    const entries = Object.entries(properties);
    map = { byName: new Map(entries), defaulted: entries.filter(([, property]) => hasDefault(property)) };
    maps.set(properties, map);
  }
  return map;
}

export const hasDefault = (schema: Schema): boolean => schema.default !== undefined && schema.default !== null;
