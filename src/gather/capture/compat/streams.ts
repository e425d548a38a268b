import type { Packet } from '../../../wire/packet/packet.ts';
import { newStream, type Stream } from './stream.ts';

interface Entry {
  /** Both ends, the smaller one first: addresses and ports as they stand in the packet. */
  key: Buffer;
  stream: Stream;
}

/** Streams by their addresses and ports alone, as Wireshark 4.0 has them: networks around them make no difference. */
export class Streams {
  #byHash = new Map<number, Entry[]>();
  #count = 0;
  readonly #key = Buffer.alloc(37);
  #length = 0;
  /** Whether the last packet asked for came from the greater end. */
  isForward = false;

  /** The stream of a packet; a new one where there is none. */
  of(packet: Packet): Stream {
    const entry = this.#find(packet);
    if (entry) return entry.stream;
    return this.#add().stream;
  }

  /** A new stream in the place of the one before, for the packet that was asked for last. */
  replace(packet: Packet): Stream {
    const entry = this.#find(packet) ?? this.#add();
    entry.stream = newStream(this.#count++);
    return entry.stream;
  }

  #add(): Entry {
    const entry = { key: Buffer.from(this.#key.subarray(0, this.#length)), stream: newStream(this.#count++) };
    const hash = hashOf(this.#key, this.#length);
    const list = this.#byHash.get(hash);
    if (list) list.push(entry);
    else this.#byHash.set(hash, [entry]);
    return entry;
  }

  #find(packet: Packet): Entry | undefined {
    this.#setKey(packet);
    const key = this.#key.subarray(0, this.#length);
    return this.#byHash.get(hashOf(this.#key, this.#length))?.find((entry) => entry.key.equals(key));
  }

  #setKey({ bytes, version, sourceAt, destinationAt, sourcePort, destinationPort }: Packet): void {
    const size = version === 6 ? 16 : 4;
    const order =
      bytes.compare(bytes, destinationAt, destinationAt + size, sourceAt, sourceAt + size) ||
      sourcePort - destinationPort;
    this.isForward = order >= 0;
    const [low, high] = order >= 0 ? [destinationAt, sourceAt] : [sourceAt, destinationAt];
    bytes.copy(this.#key, 0, low, low + size);
    bytes.copy(this.#key, size, high, high + size);
    this.#key.writeUInt16BE(order >= 0 ? destinationPort : sourcePort, 2 * size);
    this.#key.writeUInt16BE(order >= 0 ? sourcePort : destinationPort, 2 * size + 2);
    this.#key[2 * size + 4] = version;
    this.#length = 2 * size + 5;
  }
}

/** FNV-1a. */
function hashOf(key: Buffer, length: number): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key[i]!, 0x0100_0193);
  return hash;
}
