import type { Storage } from "@annex/apiserver";
import { test } from "vitest";
import type { StorageHarness } from "./storage-harness.ts";

type Body<Row extends readonly unknown[]> = (storage: Storage, ...rest: [...Row, harness: StorageHarness]) => Promise<void>;

/** `test` and `test.each`, where each test has a store of its own that is disposed of afterwards. */
export function testStorage(open: () => Promise<StorageHarness>) {
  const run = async <Row extends readonly unknown[]>(body: Body<Row>, row: Row): Promise<void> => {
    const harness = await open();
    try {
      await body(harness.storage, ...row, harness);
    } finally {
      await harness.dispose();
    }
  };
  const one = (name: string, body: Body<[]>): void => test(name, () => run(body, []));
  const each = <Row extends object>(rows: readonly Row[]) => {
    return (name: string, body: Body<[Row]>): void => test.each([...rows])(name, (row) => run(body, [row]));
  };
  return Object.assign(one, { each });
}
