import { LineBuffer } from './line-buffer.ts';

/** What stands before a body (RFC 9112 §2.1). Names of fields in lower case; of several with one name the last. */
export interface MessageHead {
  startLine: string;
  fields: ReadonlyMap<string, string>;
}

/** How a body ends (RFC 9112 §6.3). */
export type BodyLength = number | 'chunked' | 'untilClose' | 'tunnel';

export interface MessageSink {
  /** A message begins with the next octet. */
  begin(): void;
  /** @returns how long the body is */
  head(head: MessageHead): BodyLength;
  body(bytes: Buffer, start: number, end: number): void;
  /** Octets of the body that are not there. */
  missing(octets: number): void;
  end(): void;
}

type State =
  | 'head'
  | 'body'
  | 'chunkSize'
  | 'chunkEnd'
  | 'trailers'
  | 'untilClose'
  | 'tunnel'
  /** Where one is, is not known. */
  | 'lost';

const LF = 0x0a;
const CR = 0x0d;
const maxHeadBytes = 64 * 1024;
const maxChunkDigits = 12;

/** Cuts one direction of an HTTP/1 connection (RFC 9112) into messages, in whatever pieces it comes and with holes. Never throws. */
export class MessageReader {
  readonly #sink: MessageSink;
  #state: State = 'head';
  #head: LineBuffer | null = null;
  /** Octets since the last end of line, as far as it matters: 0 means an empty line. */
  #lineBytes = 0;
  #left = 0;
  #size = 0;
  #sizeDigits = 0;
  #inExtension = false;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  get isLost(): boolean {
    return this.#state === 'lost';
  }

  get isTunnel(): boolean {
    return this.#state === 'tunnel';
  }

  /** @returns where it stopped: `end`, or behind the head that opened a tunnel */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state !== 'lost' && this.#state !== 'tunnel') at = this.#step(bytes, at, end);
    return this.#state === 'tunnel' ? at : end;
  }

  /** Octets that are not there. */
  skip(octets: number): void {
    let rest = octets;
    if (this.#state === 'untilClose') {
      this.#sink.missing(rest);
      return;
    }
    if (this.#state === 'body') {
      const inside = Math.min(rest, this.#left);
      this.#sink.missing(inside);
      this.#left -= inside;
      rest -= inside;
      if (this.#left === 0) this.#bodyIsOver();
    }
    // The end of a chunk is two octets that say nothing.
    if (this.#state === 'chunkEnd' && rest > 0) {
      const inside = Math.min(rest, this.#left);
      this.#left -= inside;
      rest -= inside;
      if (this.#left === 0) this.#chunkSizeNext();
    }
    if (rest > 0 && this.#state !== 'tunnel') this.#state = 'lost';
  }

  /** Takes the next octets for the beginning of a message. */
  restart(): void {
    this.#state = 'head';
    this.#head = null;
  }

  /** The connection is over: a body without length is, too. */
  close(): void {
    if (this.#state === 'untilClose') this.#sink.end();
    this.#state = 'lost';
  }

  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at, end);
      case 'body':
        return this.#readBody(bytes, at, end);
      case 'chunkSize':
        return this.#readChunkSize(bytes, at, end);
      case 'chunkEnd':
        return this.#readChunkEnd(at, end);
      case 'trailers':
        return this.#readTrailers(bytes, at, end);
      case 'untilClose':
        this.#sink.body(bytes, at, end);
        return end;
      case 'tunnel':
      case 'lost':
        return end;
    }
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (!this.#head) {
      // Empty lines before a message are to be ignored (RFC 9112 §2.2).
      while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++;
      if (at === end) return end;
      this.#head = new LineBuffer(maxHeadBytes);
      this.#lineBytes = 0;
      this.#sink.begin();
    }
    const from = at;
    for (; at < end; at++) {
      const octet = bytes[at];
      if (octet === LF) {
        if (this.#lineBytes === 0) {
          this.#headIsWhole(bytes, from, at + 1);
          return at + 1;
        }
        this.#lineBytes = 0;
      } else if (octet !== CR) this.#lineBytes++;
    }
    if (!this.#head.append(bytes, from, end)) this.#state = 'lost';
    return end;
  }

  #headIsWhole(bytes: Buffer, from: number, to: number): void {
    const buffer = this.#head!;
    this.#head = null;
    if (!buffer.append(bytes, from, to)) {
      this.#state = 'lost';
      return;
    }
    const length = this.#sink.head(parseHead(buffer.take().toString('latin1')));
    if (length === 'chunked') this.#chunkSizeNext();
    else if (length === 'untilClose' || length === 'tunnel') this.#state = length;
    else {
      this.#state = 'body';
      this.#size = -1;
      this.#left = length;
      if (length === 0) this.#bodyIsOver();
    }
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    const to = Math.min(end, at + this.#left);
    this.#left -= to - at;
    this.#sink.body(bytes, at, to);
    if (this.#left === 0) this.#bodyIsOver();
    return to;
  }

  /** Of a chunk, or of all of it. */
  #bodyIsOver(): void {
    if (this.#size >= 0) {
      this.#state = 'chunkEnd';
      this.#left = 2;
      return;
    }
    this.#state = 'head';
    this.#sink.end();
  }

  #chunkSizeNext(): void {
    this.#state = 'chunkSize';
    this.#size = 0;
    this.#sizeDigits = 0;
    this.#inExtension = false;
  }

  #readChunkSize(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const octet = bytes[at]!;
      if (octet === LF) {
        this.#chunkBegins();
        return at + 1;
      }
      const digit = hexDigit(octet);
      if (digit >= 0 && !this.#inExtension) {
        this.#size = this.#size * 16 + digit;
        this.#sizeDigits++;
      } else if (octet === 0x3b || octet === 0x20 || octet === 0x09 || octet === CR) this.#inExtension = true;
      else if (!this.#inExtension) this.#sizeDigits = maxChunkDigits + 1;
      if (this.#sizeDigits > maxChunkDigits) {
        this.#state = 'lost';
        return end;
      }
    }
    return end;
  }

  #chunkBegins(): void {
    if (this.#sizeDigits === 0) this.#state = 'lost';
    else if (this.#size === 0) {
      this.#state = 'trailers';
      this.#lineBytes = 0;
    } else {
      this.#state = 'body';
      this.#left = this.#size;
    }
  }

  #readChunkEnd(at: number, end: number): number {
    const to = Math.min(end, at + this.#left);
    this.#left -= to - at;
    if (this.#left === 0) this.#chunkSizeNext();
    return to;
  }

  #readTrailers(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (bytes[at] === LF) {
        if (this.#lineBytes === 0) {
          this.#state = 'head';
          this.#sink.end();
          return at + 1;
        }
        this.#lineBytes = 0;
      } else if (bytes[at] !== CR) this.#lineBytes++;
    }
    return end;
  }
}

function parseHead(text: string): MessageHead {
  const lines = text.split('\n');
  const fields = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { startLine: lines[0]!.trim(), fields };
}

function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Whether the octets begin like a message of HTTP/1: a request where `isRequest`, else a status line. */
export function beginsMessage(bytes: Buffer, start: number, end: number, isRequest: boolean): boolean {
  const text = bytes.toString('latin1', start, Math.min(end, start + 9));
  return isRequest ? methods.some((method) => text.startsWith(method)) : /^HTTP\/1\.[01]/.test(text);
}

const methods = ['POST ', 'GET ', 'PUT ', 'HEAD ', 'PATCH ', 'DELETE ', 'OPTIONS ', 'CONNECT '];
