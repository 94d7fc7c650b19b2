import { CelOpaque } from "./opaque.ts";
import type { CelValue } from "./value.ts";

/** An object with a fixed set of fields, each of which has a value even where it is not set. Source: cel-go traits.Indexer, traits.FieldTester. */
export abstract class CelStruct extends CelOpaque {
  /** The value of a field; undefined when it is not set; an error when there is none such. */
  abstract find(field: CelValue): CelValue | undefined;

  /** The value of a field, that of its type where it is not set; an error when there is none such. */
  abstract get(field: CelValue): CelValue;
}
