import { IP_RECVERR, IPV6_RECVERR, SO_TIMESTAMPING, SOL_IP, SOL_IPV6, SOL_SOCKET } from '../msghdr.ts';

/**
 * Control messages as the hot loop wants them: read from 32-bit words in one walk, without copies. The slow and general twin is
 * readControl() of msghdr.ts; a test holds the two together.
 */
export interface FastControl {
  /** Whether there was a software stamp: seconds and nanoseconds of CLOCK_REALTIME. */
  hasStamp: boolean;
  sec: number;
  nsec: number;
  /** Whether there was one of the network card, by the card's own clock. */
  hasNicStamp: boolean;
  nicSec: number;
  nicNsec: number;
  /** Index of the word at which struct sock_extended_err begins, or −1. */
  errorWord: number;
  /** Octets of it, the offender's address included. */
  errorBytes: number;
}

export function fastControl(): FastControl {
  return { hasStamp: false, sec: 0, nsec: 0, hasNicStamp: false, nicSec: 0, nicNsec: 0, errorWord: -1, errorBytes: 0 };
}

export const CMSGHDR_BYTES = 16;

/**
 * Octets of the control message at a word, of which `left` octets may be read; 0 when it does not lie wholly in them: then it is
 * the end. cmsg_len is a size_t: a value that does not fit 32 bits cannot be ours.
 */
export function controlMessageBytes(words: Uint32Array, word: number, left: number): number {
  if (left < CMSGHDR_BYTES || words[word + 1] !== 0) return 0;
  const bytes = words[word]!;
  return bytes < CMSGHDR_BYTES || bytes > left ? 0 : bytes;
}

/** Where the next one begins, as octets behind the beginning of this one. */
export function controlMessageSpan(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Reads `length` octets of control messages from word `start` on. Never reads beyond them; what it does not know it skips. */
export function readFastControl(words: Uint32Array, start: number, length: number, out: FastControl): void {
  out.hasStamp = false;
  out.hasNicStamp = false;
  out.errorWord = -1;
  const bytesInAll = Math.min(length, (words.length - start) * 4);
  for (let at = 0; ;) {
    const word = start + (at >>> 2);
    const bytes = controlMessageBytes(words, word, bytesInAll - at);
    if (bytes === 0) return;
    const level = words[word + 2];
    const type = words[word + 3];
    if (level === SOL_SOCKET && type === SO_TIMESTAMPING && bytes >= CMSGHDR_BYTES + 48) {
      out.sec = words[word + 4]! + words[word + 5]! * 2 ** 32;
      out.nsec = words[word + 6]!;
      out.hasStamp = out.sec !== 0 || out.nsec !== 0;
      // struct scm_timestamping is three timespecs: of the kernel, unused, of the card.
      out.nicSec = words[word + 12]! + words[word + 13]! * 2 ** 32;
      out.nicNsec = words[word + 14]!;
      out.hasNicStamp = out.nicSec !== 0 || out.nicNsec !== 0;
    } else if (
      bytes >= CMSGHDR_BYTES + 16 &&
      ((level === SOL_IP && type === IP_RECVERR) || (level === SOL_IPV6 && type === IPV6_RECVERR))
    ) {
      out.errorWord = word + 4;
      out.errorBytes = bytes - CMSGHDR_BYTES;
    }
    at += controlMessageSpan(bytes);
  }
}
