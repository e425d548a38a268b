import type { Exchange } from '../../../model/capture/exchange.ts';
import { clientHello } from '../../../wire/tls/client-hello.ts';
import { contentType, extensionType, handshakeType } from '../../../wire/tls/code-points.ts';
import { u16, u24, u8, vector16, vector8 } from '../../../wire/tls/octets.ts';
import { writeRecords } from '../../../wire/tls/records.ts';
import { type Piece, read } from './tap.case.ts';

/** Octets that protection adds in TLS 1.3. */
const overhead = 17;

/** What a server answers to a hello, in TLS 1.3 with a share. */
function serverHello(suite: number): Buffer {
  const extensions = [
    u16(extensionType.supportedVersions),
    vector16(u16(0x03_04)),
    u16(extensionType.keyShare),
    vector16(u16(0x1d), vector16(Buffer.alloc(32, 3))),
  ];
  const parts = [u16(0x03_03), Buffer.alloc(32, 7), vector8(Buffer.alloc(32, 9)), u16(suite), u8(0)];
  const body = Buffer.concat([...parts, vector16(...extensions)]);
  return Buffer.concat([u8(handshakeType.serverHello), u24(body.length), body]);
}

/** A protected record that holds so many octets. */
export const sealed = (plainBytes: number): Buffer =>
  writeRecords(contentType.applicationData, Buffer.alloc(plainBytes + overhead, 0xa5), 0x03_03);

export interface Told {
  alpn?: readonly string[];
  rttMs?: number;
  /** Sizes of the tickets that follow the Finished. */
  tickets?: readonly number[];
  /** Tickets in the first flight of the server, as Go sends them. */
  earlyTickets?: readonly number[];
}

/** A connection of TLS 1.3 as a tap at the client sees it, told record by record; times are the test's. */
export class ToldConnection {
  readonly pieces: Piece[] = [];

  constructor({ alpn = [], rttMs = 40, tickets = [250, 250], earlyTickets = [] }: Told = {}) {
    const offer = {
      serverName: 'model.test',
      versions: [0x03_04, 0x03_03],
      suites: [0x13_01],
      groups: [0x1d],
      shares: [0x1d],
      schemes: [0x04_03],
      alpn,
    };
    const hello = clientHello(offer, {
      random: Buffer.alloc(32, 1),
      sessionId: Buffer.alloc(32, 2),
      shares: [{ group: 0x1d, share: Buffer.alloc(32, 4) }],
    });
    const changeCipherSpec = writeRecords(contentType.changeCipherSpec, u8(1), 0x03_03);
    this.#add(0, 0, writeRecords(contentType.handshake, hello, 0x03_01));
    const flight = [6, 700, 80, 36, ...earlyTickets].map(sealed);
    const first = writeRecords(contentType.handshake, serverHello(0x13_01), 0x03_03);
    this.#add(1, rttMs, Buffer.concat([first, changeCipherSpec, ...flight]));
    this.#add(0, rttMs + 1, Buffer.concat([changeCipherSpec, sealed(36)]));
    this.readyMs = rttMs + 1;
    if (tickets.length > 0) this.#later.push([2 * rttMs + 2, tickets]);
  }

  /** When the Finished of the client passed. */
  readonly readyMs: number;
  readonly #later: [number, readonly number[]][] = [];

  client(atMs: number, ...sizes: number[]): this {
    return this.#told(0, atMs, sizes);
  }

  server(atMs: number, ...sizes: number[]): this {
    return this.#told(1, atMs, sizes);
  }

  exchanges(): Exchange[] {
    this.#flush(Infinity);
    return read(this.pieces);
  }

  #told(direction: 0 | 1, atMs: number, sizes: readonly number[]): this {
    this.#flush(atMs);
    this.#add(direction, atMs, Buffer.concat(sizes.map(sealed)));
    return this;
  }

  /** What the server sends by itself comes when its time has come. */
  #flush(atMs: number): void {
    for (const [dueMs, sizes] of this.#later.splice(0, this.#later.length))
      if (dueMs <= atMs) this.#add(1, dueMs, Buffer.concat(sizes.map(sealed)));
      else this.#later.push([dueMs, sizes]);
  }

  #add(direction: 0 | 1, atMs: number, bytes: Buffer): void {
    this.pieces.push({ direction, bytes, atMs });
  }
}
