import type { OpenFile } from './io.ts';

/** Octets of a piece: enough that each costs little beside what is in it. */
const pieceBytes = 256 * 1024;

/** Its octets in pieces of memory of their own; closes it at the end, or when nobody wants more. */
export async function* chunksOf(file: OpenFile): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const octets = await file.read(piece);
      if (octets === 0) return;
      yield piece.subarray(0, octets);
    }
  } finally {
    await file.close();
  }
}

/** What comes in pieces, for who brings the memory. */
export function fileOf(chunks: AsyncIterable<Uint8Array>): OpenFile {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    read: async (memory) => {
      while (rest.length === 0) {
        const next = await iterator.next();
        if (next.done) return 0;
        rest = next.value;
      }
      const size = Math.min(rest.length, memory.length);
      memory.set(rest.subarray(0, size));
      rest = rest.subarray(size);
      return size;
    },
    close: () => {
      // Not awaited: a pipe that nobody writes to would never let go.
      iterator.return?.()?.catch(() => {});
      return Promise.resolve();
    },
  };
}

/** The next piece is read while who asks looks at the one before. */
export function readAhead(file: OpenFile): OpenFile {
  let [piece, other] = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)];
  let [from, to] = [0, 0];
  let asked: Promise<number> | null = null;
  const ask = () => {
    asked = file.read(other);
    // Who asks is told, if anybody does.
    asked.catch(() => {});
  };
  return {
    read: async (memory) => {
      if (from === to) {
        if (!asked) ask();
        to = await asked!;
        from = 0;
        [piece, other] = [other, piece];
        if (to === 0) asked = null;
        else ask();
      }
      const size = piece.copy(memory, 0, from, to);
      from += size;
      return size;
    },
    close: () => file.close(),
  };
}

/** The file from its beginning again, of which so much has been read already; it comes together with what follows. */
export function withHead(head: Uint8Array, file: OpenFile): OpenFile {
  let rest = head;
  return {
    read: async (memory) => {
      if (rest.length === 0) return file.read(memory);
      const size = Math.min(rest.length, memory.length);
      memory.set(rest.subarray(0, size));
      rest = rest.subarray(size);
      return size < memory.length ? size + (await file.read(memory.subarray(size))) : size;
    },
    close: () => file.close(),
  };
}
