import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';

/**
 * One response as seen by the answer: the same two verbs for HTTP/1.1 and HTTP/2. A write is one event and leaves as one
 * segment at once, head included when it is the first.
 */
export interface Channel {
  head(headers: Readonly<Record<string, string>>): void;
  /** Sends the head by itself, ahead of the first write. */
  flushHead(): void;
  /** Returns whether the kernel took everything at once; `done` is called when it has. */
  write(text: string, done: () => void): boolean;
  end(text: string): void;
  /** A write not done after this many ms counts as held back although `write` returned true. */
  lateAfterMs: number;
  destroy(): void;
}

/**
 * HTTP/1.1. The first write goes through Node, with the head; the others are framed as chunks here (RFC 9112 §7.1) and handed
 * to the socket as one piece, which takes about a fifth less CPU per event than response.write() and its gather write.
 * A client of HTTP/1.0 does not know chunks and gets the plain body until the connection closes.
 */
export function http1Channel(response: ServerResponse, chunked: boolean): Channel {
  let begun = false;
  return {
    lateAfterMs: Number.POSITIVE_INFINITY,
    head: (headers) => void response.writeHead(200, headers),
    flushHead: () => response.flushHeaders(),
    write(text, done) {
      const socket = response.socket;
      if (!socket) return false;
      if (begun && chunked) socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`, 'utf8', done);
      else writeAtOnce(response, socket, text, done);
      begun = true;
      return unsentBytes(socket) === 0;
    },
    end: (text) => void response.end(text),
    destroy: () => void response.destroy(),
  };
}

/** Corked by hand: otherwise Node holds the write back to the end of the turn, behind other streams' tokens. */
function writeAtOnce(response: ServerResponse, socket: Socket, text: string, done: () => void): void {
  socket.cork();
  response.write(text, 'utf8', done);
  socket.uncork();
}

/**
 * HTTP/2: Node hands frames to the kernel at the end of the current turn of the loop, so stamps are early by what is left of
 * that turn (never late), and a full flow-control window shows only by a late completion.
 */
export function http2Channel(response: Http2ServerResponse): Channel {
  return {
    lateAfterMs: 5,
    head: (headers) => void response.writeHead(200, headers),
    // writeHead() has sent it: only HTTP/1.1 holds a head back for the first write.
    flushHead: () => undefined,
    write(text, done) {
      response.write(text, 'utf8', done);
      return true;
    },
    end: (text) => void response.end(text),
    destroy: () => response.stream.destroy(),
  };
}

interface TlsOverTcp {
  encrypted?: boolean;
  /** The TCP socket underneath: Node has no public name for it. */
  _parent?: { _handle?: { writeQueueSize?: number } | null } | null;
}

/**
 * Bytes of a socket that the kernel has not taken. A plain socket knows; a TLS socket reports completion only in the next
 * turn of the loop, so the queue of the TCP handle below it is asked.
 */
function unsentBytes(socket: Socket & TlsOverTcp): number {
  if (!socket.encrypted) return socket.writableLength;
  return socket._parent?._handle?.writeQueueSize ?? 0;
}
