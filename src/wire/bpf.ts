import { addressOf, check, libc, memory } from './libc.ts';
import { SOL_SOCKET } from './msghdr.ts';

/** Classic BPF (linux/filter.h, linux/bpf_common.h): what a socket lets in is decided in the kernel, before it costs a copy. */
export const BPF = {
  /** A = octet, half word or word at k, in network order. */
  loadByte: 0x30,
  loadHalf: 0x28,
  loadWord: 0x20,
  /** The same at X + k. */
  loadByteAtX: 0x50,
  loadHalfAtX: 0x48,
  loadWordAtX: 0x40,
  /** X = 4 × (octet at k & 15): the length of an IPv4 header. */
  loadXHeaderLength: 0xb1,
  and: 0x54,
  jumpEqual: 0x15,
  jumpSet: 0x45,
  /** Takes k octets of the packet; 0 refuses it. */
  ret: 0x06,
} as const;

/** code, how many instructions to skip when true, when false, k. */
export type BpfInstruction = readonly [code: number, whenTrue: number, whenFalse: number, k: number];

/** struct sock_filter: eight octets per instruction: code u16, jt u8, jf u8, k u32. */
export function assembleBpf(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, whenTrue, whenFalse, k], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, whenTrue);
    view.setUint8(i * 8 + 3, whenFalse);
    view.setUint32(i * 8 + 4, k, true);
  });
  return bytes;
}

const SO_ATTACH_FILTER = 26;

/** @param filter of assembleBpf() @throws SystemCallError */
export function attachBpf(fd: number, filter: Uint8Array): void {
  const instructions = memory(filter.length);
  instructions.set(filter);
  const program = memory(16);
  program.writeUInt16LE(filter.length / 8, 0);
  program.writeBigUInt64LE(addressOf(instructions), 8);
  check(libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, 16), 'setsockopt', 'SO_ATTACH_FILTER');
}
