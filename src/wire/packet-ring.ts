import { SOCK_CLOEXEC, SOCK_DGRAM, SOCK_RAW, SO_ERROR } from './abi.ts';
import { assembleBpf, attachBpf, BPF, type BpfInstruction } from './bpf.ts';
import { check, errnoName, libc, memory, viewOf } from './libc.ts';
import { SOL_SOCKET } from './msghdr.ts';
import type { Frame } from './pcap/frame.ts';

/**
 * A packet socket whose kernel puts packets into memory that we see as well (AF_PACKET with TPACKET_V3, linux/if_packet.h,
 * Documentation/networking/packet_mmap.rst): no system call and no copy per packet. The kernel fills blocks and hands each over when it
 * is full or some time after its first packet; what finds no free block is dropped and counted. Needs CAP_NET_RAW.
 */
const AF_PACKET = 17;
const ETH_P_ALL_BE = 0x0300;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
const PACKET_RESERVE = 12;
const TPACKET_V3 = 2;
const PACKET_MR_PROMISC = 1;
const PACKET_OUTGOING = 4;
const TP_STATUS_USER = 1;
const TP_STATUS_VLAN_VALID = 0x10;
const TP_STATUS_VLAN_TPID_VALID = 0x40;

// linux/sockios.h, linux/if_arp.h
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;
const ARPHRD = { ethernet: 1, loopback: 772, none: 0xfffe } as const;

// asm-generic/mman-common.h
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32;

/** struct tpacket_block_desc. */
const block = { status: 8, packets: 12, firstAt: 16 } as const;
/** struct tpacket3_hdr, and the sockaddr_ll behind it. */
const packet = { next: 0, seconds: 4, nanoseconds: 8, captured: 12, length: 16, status: 20, mac: 24, net: 26 } as const;
const vlan = { tci: 32, tpid: 36 } as const;
const link = { protocol: 50, ifIndex: 52, hardware: 56, kind: 58, addressLength: 59, address: 60 } as const;

/** LINKTYPE_ values. */
const linkTypes = { ethernet: 1, raw: 101, cooked: 276 } as const;
/** Room before each packet for what is put there: a VLAN tag, or the header of LINUX_SLL2 with one. */
const reserveBytes = 32;
const cookedHeaderBytes = 20;
const tagBytes = 4;

export interface RingOptions {
  /** Octets of each packet that are kept. */
  snapLength: number;
  /** What the socket lets in; its returns say how many octets. Default: `snapLength` of everything. */
  filter?: readonly BpfInstruction[];
  promiscuous?: boolean;
  /** Memory that the kernel and we share; whole MiB. What comes while we are busy has to find room in it. */
  ringBytes?: number;
  /** How long a block that is not full waits for more packets. */
  retireMs?: number;
}

export interface RingStatistics {
  /** Packets that passed the filter, those dropped among them; of the loopback, each once as far as it was read. */
  packets: number;
  /** Of these, dropped because no block was free. */
  drops: number;
  /** How often the kernel found the ring full. */
  freezes: number;
}

const blockBytes = 1 << 20;

/** An interface by its name: index and kind of hardware. `any` has index 0. @throws SystemCallError, ENODEV where there is none */
function interfaceOf(fd: number, name: string): { index: number; hardware: number } {
  if (name === 'any') return { index: 0, hardware: -1 };
  const request = memory(IFREQ_BYTES);
  request.write(name, 0, IFNAMSIZ - 1, 'latin1');
  check(libc().ioctl(fd, SIOCGIFINDEX, request), 'ioctl', `interface ${name}`);
  const index = request.readInt32LE(IFNAMSIZ);
  check(libc().ioctl(fd, SIOCGIFHWADDR, request), 'ioctl', `interface ${name}`);
  return { index, hardware: request.readUInt16LE(IFNAMSIZ) };
}

/** Hardware with a header that the decoder knows is captured with it, the rest cooked. */
function linkTypeOf(hardware: number): number {
  if (hardware === ARPHRD.ethernet || hardware === ARPHRD.loopback) return linkTypes.ethernet;
  return hardware === ARPHRD.none ? linkTypes.raw : linkTypes.cooked;
}

/** The link type with which an interface would be captured. @throws SystemCallError */
export function linkTypeOfInterface(name: string): number {
  const fd = check(libc().socket(2, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  try {
    return linkTypeOf(interfaceOf(fd, name).hardware);
  } finally {
    libc().close(fd);
  }
}

export class PacketRing {
  readonly linkType: number;
  readonly #fd: number;
  readonly #index: number;
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  readonly #address: number;
  readonly #blocks: number;
  readonly #scratch = memory(28);
  readonly #length = memory(4);
  readonly #counted: RingStatistics = { packets: 0, drops: 0, freezes: 0 };
  /** The block that is read, how many of its packets are left, and where the next one is. */
  #block = 0;
  #isHeld = false;
  #left = 0;
  #at = 0;
  #isClosed = false;
  /** Packets of the loopback that were passed over. */
  #repeated = 0;

  /** @param name of an interface, or `any` for all @throws SystemCallError: EPERM without CAP_NET_RAW, ENODEV */
  constructor(
    name: string,
    { snapLength, filter, promiscuous = false, ringBytes = 64 << 20, retireMs = 100 }: RingOptions,
  ) {
    const probe = check(libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket', 'AF_PACKET');
    let fd = probe;
    try {
      const { index, hardware } = interfaceOf(fd, name);
      this.linkType = linkTypeOf(hardware);
      if (this.linkType === linkTypes.cooked) {
        libc().close(fd);
        fd = -1;
        fd = check(libc().socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket', 'AF_PACKET');
      }
      this.#fd = fd;
      this.#index = index;
      this.#blocks = Math.max(2, Math.floor(ringBytes / blockBytes));
      this.#set(PACKET_VERSION, TPACKET_V3);
      this.#set(PACKET_RESERVE, reserveBytes);
      attachBpf(fd, assembleBpf(filter ?? [[BPF.ret, 0, 0, snapLength]]));
      this.#makeRing(retireMs);
      this.#address = this.#map(MAP_SHARED, fd, 0);
      const view = viewOf(this.#address, this.#blocks * blockBytes);
      this.#bytes = Buffer.from(view);
      this.#words = new Int32Array(view);
      // Only now: before the filter stands nothing may come in.
      this.#bind();
      if (promiscuous && index > 0) this.#makePromiscuous();
    } catch (error) {
      if (fd >= 0) libc().close(fd);
      throw error;
    }
  }

  /**
   * The next packet, into `frame`; its octets hold until the call after. False: none is there.
   * An Ethernet frame has the VLAN tag back that the card or the kernel took out.
   */
  next(frame: Frame): boolean {
    if (this.#isClosed) return false;
    for (;;) {
      if (this.#left === 0 && !this.#open()) return false;
      const at = this.#at;
      const next = this.#bytes.readUInt32LE(at + packet.next);
      this.#left -= 1;
      this.#at = at + next;
      if (this.#isRepeated(at)) {
        this.#repeated += 1;
        continue;
      }
      this.#fill(frame, at);
      return true;
    }
  }

  /** Whether next() would find a packet. */
  isReady(): boolean {
    if (this.#isClosed) return false;
    if (this.#left > 0) return true;
    const following = this.#isHeld ? (this.#block + 1) % this.#blocks : this.#block;
    return this.#isOurs(following);
  }

  /** What the kernel has counted since the ring was opened. */
  statistics(): RingStatistics {
    if (!this.#isClosed) {
      this.#length.writeUInt32LE(12, 0);
      // Asking sets its counters back to 0.
      const result = libc().getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, this.#scratch, this.#length);
      check(result, 'getsockopt', 'PACKET_STATISTICS');
      this.#counted.packets += this.#scratch.readUInt32LE(0);
      this.#counted.drops += this.#scratch.readUInt32LE(4);
      this.#counted.freezes += this.#scratch.readUInt32LE(8);
    }
    return { ...this.#counted, packets: this.#counted.packets - this.#repeated };
  }

  /** Why nothing more will come: `ENETDOWN` where the interface went down or away; null: nothing is wrong. */
  trouble(): string | null {
    if (this.#isClosed) return null;
    this.#length.writeUInt32LE(4, 0);
    if (libc().getsockopt(this.#fd, SOL_SOCKET, SO_ERROR, this.#scratch, this.#length) < 0) return null;
    const errno = this.#scratch.readInt32LE(0);
    return errno === 0 ? null : errnoName(errno);
  }

  /** Frames that were given hold no longer: their octets are zero. The counts stay. */
  close(): void {
    if (this.#isClosed) return;
    this.statistics();
    this.#isClosed = true;
    // The views cannot be taken back, and reading them after munmap would end the process: empty memory takes the place of the ring,
    // which costs only addresses.
    this.#map(MAP_PRIVATE_FIXED_ANONYMOUS, -1, this.#address);
    libc().close(this.#fd);
  }

  /** Gives the block back that is read to its end, and takes the next one. */
  #open(): boolean {
    if (this.#isHeld) {
      Atomics.store(this.#words, (this.#block * blockBytes + block.status) >>> 2, 0);
      this.#block = (this.#block + 1) % this.#blocks;
      this.#isHeld = false;
    }
    if (!this.#isOurs(this.#block)) return false;
    const start = this.#block * blockBytes;
    this.#isHeld = true;
    this.#left = this.#bytes.readUInt32LE(start + block.packets);
    this.#at = start + this.#bytes.readUInt32LE(start + block.firstAt);
    // A block without packets is given back by the next call.
    return this.#left > 0 || this.#open();
  }

  /** The kernel writes from another processor: the barriers of Atomics order what we read after it. */
  #isOurs(index: number): boolean {
    return (Atomics.load(this.#words, (index * blockBytes + block.status) >>> 2) & TP_STATUS_USER) !== 0;
  }

  /** What leaves the loopback comes in again: once is enough. */
  #isRepeated(at: number): boolean {
    return (
      this.#bytes[at + link.kind] === PACKET_OUTGOING &&
      this.#bytes.readUInt16LE(at + link.hardware) === ARPHRD.loopback
    );
  }

  #fill(frame: Frame, at: number): void {
    const bytes = this.#bytes;
    const captured = bytes.readUInt32LE(at + packet.captured);
    frame.bytes = bytes;
    frame.seconds = bytes.readUInt32LE(at + packet.seconds);
    frame.nanoseconds = bytes.readUInt32LE(at + packet.nanoseconds);
    frame.hasTime = true;
    frame.linkType = this.linkType;
    frame.fcsBytes = 0;
    frame.interfaceId = 0;
    frame.offset = 0;
    frame.originalLength = bytes.readUInt32LE(at + packet.length);
    const isCooked = this.linkType === linkTypes.cooked;
    frame.start = at + bytes.readUInt16LE(at + (isCooked ? packet.net : packet.mac));
    frame.end = frame.start + captured;
    const isTagged = (bytes.readUInt32LE(at + packet.status) & TP_STATUS_VLAN_VALID) !== 0;
    if (isCooked) this.#cook(frame, at, isTagged);
    else if (isTagged && this.linkType === linkTypes.ethernet && captured >= 12) this.#tag(frame, at);
  }

  /** Puts the tag between the addresses, which move into the room before, and the type (IEEE 802.1Q). */
  #tag(frame: Frame, at: number): void {
    const { bytes, start } = frame;
    bytes.copyWithin(start - tagBytes, start, start + 12);
    bytes.writeUInt16BE(this.#tpid(at), start + 12 - tagBytes);
    bytes.writeUInt16BE(bytes.readUInt32LE(at + vlan.tci) & 0xffff, start + 14 - tagBytes);
    frame.start -= tagBytes;
    frame.originalLength += tagBytes;
  }

  #tpid(at: number): number {
    const isSaid = (this.#bytes.readUInt32LE(at + packet.status) & TP_STATUS_VLAN_TPID_VALID) !== 0;
    return isSaid ? this.#bytes.readUInt16LE(at + vlan.tpid) : 0x8100;
  }

  /** LINKTYPE_LINUX_SLL2: protocol, two octets of nothing, interface, hardware, kind, length of the address, address. */
  #cook(frame: Frame, at: number, isTagged: boolean): void {
    const { bytes } = frame;
    const protocol = bytes.readUInt16BE(at + link.protocol);
    const more = cookedHeaderBytes + (isTagged ? tagBytes : 0);
    const start = frame.start - more;
    if (isTagged) {
      bytes.writeUInt16BE(bytes.readUInt32LE(at + vlan.tci) & 0xffff, frame.start - 4);
      bytes.writeUInt16BE(protocol, frame.start - 2);
    }
    bytes.writeUInt16BE(isTagged ? this.#tpid(at) : protocol, start);
    bytes.writeUInt16BE(0, start + 2);
    bytes.writeUInt32BE(bytes.readUInt32LE(at + link.ifIndex), start + 4);
    bytes.writeUInt16BE(bytes.readUInt16LE(at + link.hardware), start + 8);
    bytes[start + 10] = bytes[at + link.kind]!;
    bytes[start + 11] = bytes[at + link.addressLength]!;
    bytes.copy(bytes, start + 12, at + link.address, at + link.address + 8);
    frame.start = start;
    frame.originalLength += more;
  }

  #set(name: number, value: number): void {
    this.#length.writeInt32LE(value, 0);
    check(libc().setsockopt(this.#fd, SOL_PACKET, name, this.#length, 4), 'setsockopt', `packet option ${name}`);
  }

  /** struct tpacket_req3: size and number of blocks, of frames (which version 3 only checks), time, private area, features. */
  #makeRing(retireMs: number): void {
    const frameBytes = 2048;
    const frames = this.#blocks * (blockBytes / frameBytes);
    [blockBytes, this.#blocks, frameBytes, frames, retireMs, 0, 0].forEach((value, i) =>
      this.#scratch.writeUInt32LE(value, i * 4),
    );
    check(libc().setsockopt(this.#fd, SOL_PACKET, PACKET_RX_RING, this.#scratch, 28), 'setsockopt', 'PACKET_RX_RING');
  }

  #map(flags: number, fd: number, at: number): number {
    const bytes = this.#blocks * blockBytes;
    return check(libc().mmap(at, bytes, PROT_READ_WRITE, flags, fd, 0), 'mmap', `${bytes} octets of the ring`);
  }

  /** struct sockaddr_ll. */
  #bind(): void {
    this.#scratch.fill(0);
    this.#scratch.writeUInt16LE(AF_PACKET, 0);
    this.#scratch.writeUInt16LE(ETH_P_ALL_BE, 2);
    this.#scratch.writeInt32LE(this.#index, 4);
    check(libc().bind(this.#fd, this.#scratch, 20), 'bind', `interface ${this.#index}`);
  }

  /** struct packet_mreq; ends with the socket. */
  #makePromiscuous(): void {
    this.#scratch.fill(0);
    this.#scratch.writeInt32LE(this.#index, 0);
    this.#scratch.writeUInt16LE(PACKET_MR_PROMISC, 4);
    const result = libc().setsockopt(this.#fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, this.#scratch, 16);
    check(result, 'setsockopt', 'PACKET_ADD_MEMBERSHIP');
  }
}
