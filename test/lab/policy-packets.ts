/**
 * Sends packets that begin a connection, each with a number of its own, from addresses and to addresses of anybody's: in a namespace
 * that policy-kernel.test.ts has made. Who has let them pass is told by the kernel on the other side, by these numbers.
 */
import { readFileSync } from 'node:fs';
import {
  addressBytes,
  checksumAdd,
  checksumFold,
  protocol as protocols,
  sealHeader4,
  setWord,
} from '../../src/wire/ip.ts';
import { check, libc } from '../../src/wire/libc.ts';
import { AF_INET, AF_INET6, encodeSockaddr } from '../../src/wire/sockaddr.ts';

/** `low`: port of TCP and UDP, type × 256 + code of ICMP and ICMPv6. `isFromRouter`: the router itself begins. */
export type RawPoint = [family: 4 | 6, src: string, dst: string, protocol: number, low: number, isFromRouter: boolean];

const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
/** The payload of what has no ports. */
const otherBytes = 16;

/** The packet number `tag`: the identification of IPv4, the flow label of IPv6. */
function packetOf([family, src, dst, protocol, low]: RawPoint, tag: number): Buffer {
  const header = family === 4 ? 20 : 40;
  const isIcmp = protocol === protocols.icmp || protocol === protocols.icmp6;
  const length = protocol === protocols.tcp ? 20 : protocol === protocols.udp || isIcmp ? 8 : otherBytes;
  const packet = Buffer.alloc(header + length);
  if (family === 4) {
    packet[0] = 0x45;
    setWord(packet, 2, packet.length);
    setWord(packet, 4, tag);
    packet[8] = 64;
    packet[9] = protocol;
  } else {
    packet.writeUInt32BE(0x60000000 | tag, 0);
    setWord(packet, 4, length);
    packet[6] = protocol;
    packet[7] = 64;
  }
  packet.set(addressBytes(src), family === 4 ? 12 : 8);
  packet.set(addressBytes(dst), family === 4 ? 16 : 24);
  if (protocol === protocols.tcp || protocol === protocols.udp) {
    // A source port of its own: else what was accepted once would be known.
    setWord(packet, header, 1024 + (tag % 64_000));
    setWord(packet, header + 2, low);
    if (protocol === protocols.tcp) packet.set([0x50, 0x02, 0xff, 0xff], header + 12);
    else setWord(packet, header + 4, length);
  } else if (isIcmp) {
    setWord(packet, header, low);
    setWord(packet, header + 4, tag);
  }
  const sumAt = { [protocols.tcp]: 16, [protocols.udp]: 6, [protocols.icmp]: 2, [protocols.icmp6]: 2 }[protocol];
  if (sumAt !== undefined) {
    const addresses = family === 4 ? checksumAdd(packet, 12, 8) : checksumAdd(packet, 8, 32);
    const pseudo = protocol === protocols.icmp ? 0 : addresses + length + protocol;
    setWord(packet, header + sumAt, checksumFold(checksumAdd(packet, header, length, pseudo)));
  }
  if (family === 4) sealHeader4(packet, 0);
  return packet;
}

const [file = '', router = ''] = process.argv.slice(2);
const points = JSON.parse(readFileSync(file, 'utf8')) as RawPoint[];
const { socket, sendto, open, setns } = libc();
const openSockets = () => ({
  4: check(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), 'socket'),
  6: check(socket(AF_INET6, SOCK_RAW, IPPROTO_RAW), 'socket'),
});
const ofClient = openSockets();
// A socket stays in the namespace that it was opened in.
check(setns(check(open(`/proc/${router}/ns/net`, 0, 0), 'open'), 0), 'setns');
const ofRouter = openSockets();
const address = Buffer.alloc(28);
// Twice: what is denied stays denied, and what a full queue has lost is not taken for denied.
for (let round = 0; round < 2; round++)
  for (const [i, point] of points.entries()) {
    const [family, , dst, , , isFromRouter] = point;
    const packet = packetOf(point, i + 1);
    const length = encodeSockaddr(address, dst, 0);
    // What the router's own rules deny on its way out comes back as an error.
    sendto((isFromRouter ? ofRouter : ofClient)[family], packet, packet.length, 0, address, length);
    if (i % 250 === 249) await new Promise((done) => setTimeout(done, 2));
  }
