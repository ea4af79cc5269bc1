/** A line longer than this is no line of ours: a chunk's text ends far below, at any dimension. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;

const LINE_BREAK = 0x0a;

/**
 * The lines of a stream of bytes, without their ends; one that is empty is left out. Memory holds one
 * line and one part of the stream, of which a line may be a part.
 *
 * @throws Error for a line of more than 16 MB.
 */
export async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const part of bytes) {
    const buffer = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(LINE_BREAK); end >= 0; end = buffer.indexOf(LINE_BREAK, start)) {
      const rest = buffer.subarray(start, end);
      const line = pending.length > 0 ? Buffer.concat([...pending, rest]) : rest;
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.length > 0) {
        yield line;
      }
    }
    if (start < buffer.length) {
      pending.push(buffer.subarray(start));
    }
    pendingBytes += buffer.length - start;
    if (pendingBytes > LONGEST_LINE_BYTES) {
      throw new Error(
        `A line is longer than ${LONGEST_LINE_BYTES} bytes: this is not a file of JSON lines.`,
      );
    }
  }
  const rest = Buffer.concat(pending);
  if (rest.length > 0) {
    yield rest;
  }
}
