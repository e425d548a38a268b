import { asBuffer, LineBuffer } from './line-buffer.ts';

/**
 * Server-sent events, decoded from bytes (WHATWG HTML §9.2.6). Line ends are searched in bytes and each line is decoded
 * once, so a character split between two reads is never torn. Differs from a browser in three ways that a measuring tool
 * wants: comments are reported (they are keep-alives, and some gateways put errors there), an unterminated last event is
 * flushed at the end, and lines that are no field are kept as `stray` (an API error sent as bare JSON).
 */
export type SseItem =
  | { kind: 'event'; name: string; data: string }
  | { kind: 'comment'; text: string }
  | { kind: 'stray'; text: string }
  | { kind: 'oversized' };

/** The terminal event of a Responses stream repeats the whole answer; 4 MiB is far above any real one. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;

export class SseDecoder {
  readonly #maxEventBytes: number;
  readonly #pending: LineBuffer;
  #first = true;
  /** The last line ended with CR at the end of a read: a LF that follows belongs to it. */
  #swallowLf = false;
  /** Too large: drop everything up to the next blank line. */
  #skipping = false;
  #skippedLineHasBytes = false;
  #eventBytes = 0;
  #name = '';
  #data: string | undefined;
  #stray = '';

  constructor(maxEventBytes: number = MAX_EVENT_BYTES) {
    this.#maxEventBytes = maxEventBytes;
    this.#pending = new LineBuffer(maxEventBytes);
  }

  push(input: Uint8Array): SseItem[] {
    const out: SseItem[] = [];
    const bytes = asBuffer(input);
    const size = bytes.length;
    let at = 0;
    if (this.#swallowLf && size > 0) {
      this.#swallowLf = false;
      if (bytes[0] === LF) at = 1;
    }
    // Each kind of line end is searched once per occurrence: a stream without CR is scanned for it once per read.
    let nextLf = bytes.indexOf(LF, at);
    let nextCr = bytes.indexOf(CR, at);
    while (at < size) {
      if (nextLf !== -1 && nextLf < at) nextLf = bytes.indexOf(LF, at);
      if (nextCr !== -1 && nextCr < at) nextCr = bytes.indexOf(CR, at);
      const end = nextCr === -1 ? nextLf : nextLf === -1 ? nextCr : Math.min(nextLf, nextCr);
      if (end === -1) {
        this.#keep(bytes, at, size, out);
        break;
      }
      this.#endOfLine(bytes, at, end, out);
      at = end + 1;
      if (end === nextCr) {
        if (at === size) this.#swallowLf = true;
        else if (bytes[at] === LF) at++;
      }
    }
    return out;
  }

  /** End of the body: the unterminated last line and event count. */
  end(): SseItem[] {
    const out: SseItem[] = [];
    if (this.#pending.length > 0) this.#line(this.#pending.take(), out);
    this.#dispatch(out);
    return out;
  }

  #keep(bytes: Buffer, from: number, to: number, out: SseItem[]): void {
    if (this.#skipping) this.#skippedLineHasBytes = true;
    else if (this.#eventBytes + this.#pending.length + to - from > this.#maxEventBytes) this.#giveUp(out, true);
    else this.#pending.append(bytes, from, to);
  }

  #endOfLine(bytes: Buffer, from: number, to: number, out: SseItem[]): void {
    if (this.#skipping) {
      if (to === from && !this.#skippedLineHasBytes) this.#skipping = false;
      this.#skippedLineHasBytes = false;
      return;
    }
    if (this.#pending.length === 0) {
      this.#measure(to - from, out);
      if (!this.#skipping) this.#line(bytes.subarray(from, to), out);
      return;
    }
    this.#measure(this.#pending.length + to - from, out);
    if (this.#skipping) return;
    this.#pending.append(bytes, from, to);
    this.#line(this.#pending.take(), out);
  }

  #measure(lineBytes: number, out: SseItem[]): void {
    // An empty line is the end of the event, whatever its size.
    if (lineBytes > 0 && this.#eventBytes + lineBytes > this.#maxEventBytes) this.#giveUp(out, false);
  }

  #giveUp(out: SseItem[], insideLine: boolean): void {
    out.push({ kind: 'oversized' });
    this.#skipping = true;
    this.#skippedLineHasBytes = insideLine;
    this.#pending.drop();
    this.#reset();
  }

  // Only what is kept until the event ends counts against its limit; comments are handed out at once.
  #line(given: Buffer, out: SseItem[]): void {
    let line = given;
    if (this.#first) {
      this.#first = false;
      if (line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3);
    }
    const size = line.length;
    if (size === 0) {
      this.#dispatch(out);
      return;
    }
    const first = line[0];
    // "data:" by its bytes, the only line that matters for speed.
    if (first === 0x64 && line[1] === 0x61 && line[2] === 0x74 && line[3] === 0x61 && line[4] === COLON) {
      this.#eventBytes += size + 1;
      this.#addData(line.toString('utf8', line[5] === SPACE ? 6 : 5, size), out);
    } else if (first === COLON) {
      this.#flushStray(out);
      out.push({ kind: 'comment', text: line.toString('utf8', line[1] === SPACE ? 2 : 1, Math.min(size, 1_000)) });
    } else this.#field(line, out);
  }

  #field(line: Buffer, out: SseItem[]): void {
    const colon = line.indexOf(COLON);
    const name = line.toString('utf8', 0, colon === -1 ? line.length : Math.min(colon, 1_000));
    const value = colon === -1 ? '' : line.toString('utf8', line[colon + 1] === SPACE ? colon + 2 : colon + 1);
    if (name === 'id' || name === 'retry') return;
    this.#eventBytes += line.length + 1;
    if (name === 'data') this.#addData(value, out);
    else if (name === 'event') {
      this.#flushStray(out);
      this.#name = value;
    } else {
      const text = line.toString('utf8');
      this.#stray = this.#stray === '' ? text : `${this.#stray}\n${text}`;
    }
  }

  #addData(value: string, out: SseItem[]): void {
    this.#flushStray(out);
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }

  #flushStray(out: SseItem[]): void {
    if (this.#stray === '') return;
    out.push({ kind: 'stray', text: this.#stray });
    this.#stray = '';
  }

  #dispatch(out: SseItem[]): void {
    this.#flushStray(out);
    if (this.#data !== undefined || this.#name !== '') {
      out.push({ kind: 'event', name: this.#name, data: this.#data ?? '' });
    }
    this.#reset();
  }

  #reset(): void {
    this.#name = '';
    this.#data = undefined;
    this.#stray = '';
    this.#eventBytes = 0;
  }
}
