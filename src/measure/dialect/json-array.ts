import { asBuffer, LineBuffer } from '../../wire/http/line-buffer.ts';
import { MAX_EVENT_BYTES } from '../../wire/http/sse.ts';

export type ArrayItem = { kind: 'element'; text: string } | { kind: 'closed' } | { kind: 'oversized' };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Cuts one JSON array that arrives piece by piece into its elements, each handed out as soon as its last byte is there
 * (Gemini without `alt=sse`). It only counts brackets outside strings; whether an element is JSON is for the caller to see.
 */
export class JsonArraySplitter {
  readonly #element: LineBuffer;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #dropping = false;
  #closed = false;

  constructor(maxElementBytes: number = MAX_EVENT_BYTES) {
    this.#element = new LineBuffer(maxElementBytes);
  }

  push(input: Uint8Array): ArrayItem[] {
    const out: ArrayItem[] = [];
    const bytes = asBuffer(input);
    const size = bytes.length;
    let from = this.#depth >= 2 ? 0 : -1;
    for (let at = 0; at < size && !this.#closed; at++) {
      const byte = bytes[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) {
        if (++this.#depth === 2) from = at;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--this.#depth === 1) {
          this.#keep(bytes, from, at + 1, out);
          this.#emit(out);
          from = -1;
        } else if (this.#depth <= 0) {
          this.#closed = true;
          out.push({ kind: 'closed' });
        }
      }
    }
    if (!this.#closed && from !== -1) this.#keep(bytes, from, size, out);
    return out;
  }

  #keep(bytes: Buffer, from: number, to: number, out: ArrayItem[]): void {
    if (this.#dropping || this.#element.append(bytes, from, to)) return;
    this.#dropping = true;
    out.push({ kind: 'oversized' });
  }

  #emit(out: ArrayItem[]): void {
    if (!this.#dropping) out.push({ kind: 'element', text: this.#element.take().toString('utf8') });
    this.#dropping = false;
  }
}
