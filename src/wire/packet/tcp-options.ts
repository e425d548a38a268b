import { viewOf } from '../view.ts';
import { u16, u32 } from './cursor.ts';
import type { Packet } from './packet.ts';

const option = { end: 0, noOperation: 1, mss: 2, windowScale: 3, sackPermitted: 4, sack: 5, timestamps: 8 } as const;

/** Two no-operations and the head of a timestamps option: how all but a few stacks send it (RFC 7323 appendix A). */
const usualTimestamps = 0x0101_080a;

/** Reads the options that say something about the connection (RFC 9293, 7323, 2018); one that does not fit ends them. */
export function tcpOptions(bytes: Uint8Array, from: number, end: number, packet: Packet): void {
  let at = from;
  if (end - at >= 12 && viewOf(bytes).getUint32(at) === usualTimestamps) {
    timestamps(bytes, at + 4, packet);
    at += 12;
  }
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === option.end) return;
    if (kind === option.noOperation) {
      at++;
      continue;
    }
    if (end - at < 2) return;
    const length = bytes[at + 1]!;
    if (length < 2 || length > end - at) return;
    if (kind === option.timestamps && length === 10) timestamps(bytes, at + 2, packet);
    else if (kind === option.mss && length === 4) packet.mss = u16(bytes, at + 2);
    else if (kind === option.windowScale && length === 3) packet.windowScale = bytes[at + 2]!;
    else if (kind === option.sackPermitted && length === 2) packet.sackPermitted = true;
    else if (kind === option.sack) sack(bytes, at + 2, length - 2, packet);
    at += length;
  }
}

function timestamps(bytes: Uint8Array, at: number, packet: Packet): void {
  packet.hasTimestamps = true;
  const view = viewOf(bytes);
  packet.tsVal = view.getUint32(at);
  packet.tsEcr = view.getUint32(at + 4);
}

function sack(bytes: Uint8Array, at: number, length: number, packet: Packet): void {
  const blocks = Math.min(length >>> 3, packet.sack.length >>> 1);
  for (let word = 0; word < blocks * 2; word++) packet.sack[word] = u32(bytes, at + word * 4);
  packet.sackBlocks = blocks;
}
