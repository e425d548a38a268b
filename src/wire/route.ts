import { isIP } from 'node:net';
import { SOCK_CLOEXEC, SOCK_RAW } from './abi.ts';
import { addressBytes, addressText } from './ip.ts';
import { check, libc, memory } from './libc.ts';
import { AF_INET, AF_INET6 } from './sockaddr.ts';

/** Whom this host hands every packet to an address, whatever its flow. */
export interface NextHop {
  /** Null where the route names none: the destination is on the link, or the link has one other end only. */
  gateway: string | null;
  pointToPoint: boolean;
}

// linux/netlink.h, linux/rtnetlink.h, linux/fib_rules.h, linux/if.h
const AF_NETLINK = 16;
const RTM = { getLink: 18, getRoute: 26, getRule: 34 } as const;
const NLM_F_REQUEST = 0x1;
const NLM_F_DUMP = 0x300;
const NLMSG_DONE = 3;
const MSG_DONTWAIT = 0x40;
const HEADER_BYTES = 16;
const RTMSG_BYTES = 12;
const IFINFOMSG_BYTES = 16;
const RULE_BYTES = 12;
/** Answer with the route as it is configured, all its next hops, not with the one that this very packet would take. */
const RTM_F_FIB_MATCH = 0x2000;
const RTA = { dst: 1, oif: 4, gateway: 5, multipath: 9, via: 18 } as const;
const FRA = { ipProtocol: 22, sourcePorts: 23, destinationPorts: 24 } as const;
const IFF_POINTOPOINT = 0x10;
const ANSWER_BYTES = 32_768;
/** More answers than any host has rules. */
const MOST_ANSWERS = 64;

/**
 * The sole next hop towards an address by the routing table of the calling thread's network namespace, over rtnetlink(7); needs
 * no privilege. Null where there are several (ECMP), where rules choose by port, or where the kernel does not say.
 */
export function soleNextHop(address: string): NextHop | null {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return null;
  try {
    return lookUp(fd, address.split('%', 1)[0]!);
  } catch {
    return null;
  } finally {
    libc().close(fd);
  }
}

function lookUp(fd: number, address: string): NextHop | null {
  const family = isIP(address) === 6 ? AF_INET6 : AF_INET;
  const rules = ask(fd, RTM.getRule, NLM_F_DUMP, Buffer.from([family, ...Array<number>(RULE_BYTES - 1).fill(0)]));
  const byPort = [FRA.ipProtocol, FRA.sourcePorts, FRA.destinationPorts];
  if (rules.some((rule) => byPort.some((type) => attributesOf(rule, RULE_BYTES).has(type)))) return null;

  const [route] = ask(fd, RTM.getRoute, 0, routeQuestion(family, addressBytes(address)));
  if (route === undefined) return null;
  const attributes = attributesOf(route, RTMSG_BYTES);
  const device = attributes.get(RTA.oif)?.readInt32LE(0);
  // A gateway of the other family (via) has another address than the one that answers probes.
  if (device === undefined || attributes.has(RTA.multipath) || attributes.has(RTA.via)) return null;

  const linkQuestion = memory(IFINFOMSG_BYTES);
  linkQuestion.writeInt32LE(device, 4);
  const [link] = ask(fd, RTM.getLink, 0, linkQuestion);
  const pointToPoint = link !== undefined && (link.readUInt32LE(8) & IFF_POINTOPOINT) !== 0;
  const gateway = attributes.get(RTA.gateway);
  return { gateway: gateway === undefined ? null : addressText(gateway), pointToPoint };
}

/** struct rtmsg and one attribute. */
function routeQuestion(family: number, destination: Uint8Array): Buffer {
  const body = memory(RTMSG_BYTES + 4 + destination.length);
  body[0] = family;
  body[1] = destination.length * 8;
  body.writeUInt32LE(RTM_F_FIB_MATCH, 8);
  body.writeUInt16LE(4 + destination.length, RTMSG_BYTES);
  body.writeUInt16LE(RTA.dst, RTMSG_BYTES + 2);
  body.set(destination, RTMSG_BYTES + 4);
  return body;
}

/** Bodies of the answers, none where the kernel refuses. */
function ask(fd: number, type: number, flags: number, body: Buffer): Buffer[] {
  const message = memory(HEADER_BYTES + body.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  message.set(body, HEADER_BYTES);
  check(libc().send(fd, message, message.length, 0), 'send', 'netlink');
  const answers: Buffer[] = [];
  const buffer = memory(ANSWER_BYTES);
  for (let i = 0; i < MOST_ANSWERS; i++) {
    const bytes = check(libc().recv(fd, buffer, buffer.length, MSG_DONTWAIT), 'recv', 'netlink');
    const { bodies, done } = messagesOf(buffer.subarray(0, bytes), type - 2);
    answers.push(...bodies);
    if (done || flags === 0) break;
  }
  return answers;
}

/** A GET answers with messages of the NEW type two below it; anything else ends the answer. */
function messagesOf(data: Buffer, wanted: number): { bodies: Buffer[]; done: boolean } {
  const bodies: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= data.length;) {
    const length = data.readUInt32LE(at);
    const type = data.readUInt16LE(at + 4);
    if (type === NLMSG_DONE || type !== wanted || length < HEADER_BYTES || at + length > data.length) {
      return { bodies, done: true };
    }
    bodies.push(Buffer.from(data.subarray(at + HEADER_BYTES, at + length)));
    at += aligned(length);
  }
  return { bodies, done: false };
}

/** struct rtattr one after the other, behind the fixed part of a message. */
function attributesOf(body: Buffer, from: number): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = from; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at);
    if (length < 4 || at + length > body.length) break;
    attributes.set(body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + length));
    at += aligned(length);
  }
  return attributes;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
