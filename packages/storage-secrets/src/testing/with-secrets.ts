import { test } from "vitest";
import { type NoteVerbs, notesOver, type SecretStoreHarness } from "./secret-store-harness.ts";

/** What a test is given: notes at two replicas, and the Secrets they lie in. */
export interface NotesUnderTest {
  readonly notes: NoteVerbs;
  readonly others: NoteVerbs;
  readonly harness: SecretStoreHarness;
  readonly namespace: string;
}

type Body<Row extends readonly unknown[]> = (under: NotesUnderTest, ...row: Row) => Promise<void>;

/** `test` and `test.each`, where each test has Secrets of its own that are disposed of afterwards. */
export function testNotes(open: () => Promise<SecretStoreHarness>) {
  const run = async <Row extends readonly unknown[]>(body: Body<Row>, row: Row): Promise<void> => {
    const harness = await open();
    try {
      const { secrets, others, clock, namespaces } = harness;
      await body({ notes: notesOver(secrets, clock), others: notesOver(others, clock), harness, namespace: namespaces[0] }, ...row);
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
