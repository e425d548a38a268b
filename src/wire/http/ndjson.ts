import { asBuffer, LineBuffer } from './line-buffer.ts';
import { MAX_EVENT_BYTES } from './sse.ts';

export type NdjsonItem = { kind: 'line'; text: string } | { kind: 'oversized' };

/** Newline-delimited JSON from bytes: one item per non-blank line. A line above the limit is reported once and dropped. */
export class NdjsonDecoder {
  readonly #maxLineBytes: number;
  readonly #pending: LineBuffer;
  #skipping = false;

  constructor(maxLineBytes: number = MAX_EVENT_BYTES) {
    this.#maxLineBytes = maxLineBytes;
    this.#pending = new LineBuffer(maxLineBytes);
  }

  push(input: Uint8Array): NdjsonItem[] {
    const out: NdjsonItem[] = [];
    const bytes = asBuffer(input);
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(0x0a, at);
      if (end === -1) {
        this.#append(bytes, at, bytes.length, out);
        break;
      }
      this.#endOfLine(bytes, at, end, out);
      at = end + 1;
    }
    return out;
  }

  /** End of the body: an unterminated last line counts. */
  end(): NdjsonItem[] {
    const out: NdjsonItem[] = [];
    if (this.#pending.length > 0) emit(this.#pending.take(), out);
    return out;
  }

  #append(bytes: Buffer, from: number, to: number, out: NdjsonItem[]): boolean {
    if (this.#skipping) return false;
    if (this.#pending.append(bytes, from, to)) return true;
    this.#skipping = true;
    out.push({ kind: 'oversized' });
    return false;
  }

  #endOfLine(bytes: Buffer, from: number, to: number, out: NdjsonItem[]): void {
    if (!this.#skipping && this.#pending.length === 0 && to - from <= this.#maxLineBytes) {
      emit(bytes.subarray(from, to), out);
    } else if (this.#append(bytes, from, to, out)) emit(this.#pending.take(), out);
    this.#skipping = false;
  }
}

function emit(line: Buffer, out: NdjsonItem[]): void {
  const text = line.toString('utf8').trim();
  if (text !== '') out.push({ kind: 'line', text });
}
