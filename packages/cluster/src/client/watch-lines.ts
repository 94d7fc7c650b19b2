const NEWLINE = 0x0a;
/** More than an object of etcd's largest, twice escaped. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Splits a stream at its line ends. What stands behind the last one is dropped: it was cut off. @throws when a line grows beyond 16 MiB. */
export async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
      start = end + 1;
    }
    size += chunk.length - start;
    if (size > MAX_LINE_BYTES) throw new Error(`a line of more than ${MAX_LINE_BYTES} bytes`);
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  return undefined;
}
