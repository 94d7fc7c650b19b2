// What the bare server plays back: the answers of the server that it is compared with.
import { readFile, writeFile } from "node:fs/promises";

/** One answer. Headers without those that HTTP/2 or Node add by themselves. */
export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Recording {
  readonly get: RecordedResponse;
  readonly list: RecordedResponse;
  readonly create: RecordedResponse;
  /** The headers of a watch, and the line of an event whose sequence number is {@link NO_SEQUENCE}. */
  readonly watch: RecordedResponse;
}

/** The annotation by which the watchers know an event again. */
export const SEQUENCE_KEY = "bench-seq";
const SEQUENCE_DIGITS = 8;
/** A sequence number takes the same room in every event. */
export const formatSequence = (sequence: number): string => String(sequence).padStart(SEQUENCE_DIGITS, "0");
export const NO_SEQUENCE = formatSequence(0);
/** What stands before the number in an event; the encodings of both servers agree on it. */
export const SEQUENCE_MARK = Buffer.from(`"${SEQUENCE_KEY}":"`);

/** The sequence numbers in a piece of a stream. @returns how many bytes at its end may be the beginning of another mark. */
export function readSequences(bytes: Buffer, found: (sequence: number) => void): number {
  const length = SEQUENCE_MARK.length + SEQUENCE_DIGITS;
  let from = 0;
  for (;;) {
    const at = bytes.indexOf(SEQUENCE_MARK, from);
    if (at === -1) return Math.min(bytes.length - from, SEQUENCE_MARK.length - 1);
    if (at + length > bytes.length) return bytes.length - at;
    found(Number(bytes.toString("latin1", at + SEQUENCE_MARK.length, at + length)));
    from = at + length;
  }
}

export const writeRecording = (file: string, recording: Recording): Promise<void> => writeFile(file, JSON.stringify(recording));

/** @throws {SyntaxError} of JSON: the file is our own, written by {@link writeRecording}. */
export async function readRecording(file: string): Promise<Recording> {
  return JSON.parse(await readFile(file, "utf8"));
}
