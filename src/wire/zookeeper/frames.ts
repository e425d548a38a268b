import { JuteError } from './jute.ts';

/** Lists of children are the largest thing that comes; a server that announces more is no server of ours. */
export const mostFrameOctets = 64 << 20;

/** Cuts a stream of octets into the messages that it carries, each with its length before it. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #held = 0;

  /** @returns the messages that are complete now @throws JuteError for a length that cannot be */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const frames: Uint8Array[] = [];
    for (;;) {
      if (this.#held < 4) return frames;
      const length = this.#peek(4).readInt32BE(0);
      if (length < 0 || length > mostFrameOctets)
        throw new JuteError(`expected a message of up to ${mostFrameOctets} octets, found ${length}`);
      if (this.#held < 4 + length) return frames;
      frames.push(this.#peek(4 + length).subarray(4, 4 + length));
      const [first] = this.#chunks as [Uint8Array];
      this.#held -= 4 + length;
      this.#chunks = this.#held === 0 ? [] : [first.subarray(4 + length)];
    }
  }

  /** The first chunk, made to hold `length` octets at least; joined only when they are all there. */
  #peek(length: number): Buffer {
    let [first] = this.#chunks as [Uint8Array];
    if (first.length < length) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  }
}

export function framed(...parts: readonly Uint8Array[]): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(parts.reduce((n, part) => n + part.length, 0));
  return Buffer.concat([length, ...parts]);
}
