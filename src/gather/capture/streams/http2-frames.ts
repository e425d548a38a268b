/** Client connection preface (RFC 9113 §3.4). */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const headerBytes = 9;

interface FrameSink {
  /** A frame begins; `length` octets follow. */
  frame(type: number, flags: number, stream: number, length: number): void;
  /** Octets of it, in order; of those that were not captured only their number. */
  payload(bytes: Buffer | null, start: number, end: number): void;
  /** All of it has come. */
  end(): void;
}

/** Cuts one direction of HTTP/2 in the clear (RFC 9113 §4.1) into frames, in whatever pieces it comes. Never throws. */
export class FrameCutter {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(headerBytes);
  #have = 0;
  #left = 0;
  #inFrame = false;
  /** Octets of the preface still to come. */
  #prefaceLeft: number;
  /** Where frames begin is not known any longer. */
  isLost = false;

  constructor(sink: FrameSink, hasPreface: boolean) {
    this.#sink = sink;
    this.#prefaceLeft = hasPreface ? preface.length : 0;
  }

  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.isLost) {
      if (this.#prefaceLeft > 0) at = this.#passPreface(bytes, at);
      else if (this.#inFrame) at = this.#pass(bytes, at, end);
      else at = this.#readHeader(bytes, at, end);
    }
  }

  /** Octets that are not there: inside of a frame they are only counted. */
  skip(octets: number): void {
    const inside = this.#inFrame ? Math.min(octets, this.#left) : 0;
    if (inside < octets) this.isLost = true;
    if (inside > 0) this.#passed(null, 0, inside);
  }

  #passPreface(bytes: Buffer, at: number): number {
    if (bytes[at] !== preface[preface.length - this.#prefaceLeft]) this.isLost = true;
    this.#prefaceLeft--;
    return at + 1;
  }

  #readHeader(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#have < headerBytes) this.#header[this.#have++] = bytes[at++]!;
    if (this.#have < headerBytes) return at;
    this.#have = 0;
    this.#left = this.#header.readUIntBE(0, 3);
    this.#inFrame = true;
    this.#sink.frame(this.#header[3]!, this.#header[4]!, this.#header.readUInt32BE(5) & 0x7f_ff_ff_ff, this.#left);
    if (this.#left === 0) this.#passed(null, 0, 0);
    return at;
  }

  #pass(bytes: Buffer, at: number, end: number): number {
    const to = Math.min(end, at + this.#left);
    this.#passed(bytes, at, to);
    return to;
  }

  #passed(bytes: Buffer | null, start: number, end: number): void {
    this.#left -= end - start;
    if (end > start) this.#sink.payload(bytes, start, end);
    if (this.#left > 0) return;
    this.#inFrame = false;
    this.#sink.end();
  }
}
