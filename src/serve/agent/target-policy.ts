import { type Cidr, contains, parseAddress, parseCidr } from '../../model/cidr.ts';
import { innerIpv4, isLoopback, neverSent, rangeOf, unmapped } from '../../model/special-addresses.ts';
import { ConnectError, type TcpTransport } from '../../wire/tcp/connection.ts';
import type { Io } from '../../wire/io.ts';

/**
 * Which addresses this agent measures. The server says what to measure, so the agent has the last word on where: a stolen server
 * must not turn every agent into a way to the metadata service of its cloud or to what listens on its loopback.
 */
export interface TargetPolicy {
  /** Why this address is refused; null when it is not. */
  refusal(address: string): string | null;
}

/**
 * @param allow CIDRs; empty: every address but those of this host itself
 * @throws RangeError for what is no CIDR
 */
export function targetPolicy(allow: readonly string[]): TargetPolicy {
  const allowed = networksOf(allow);
  const refusal = (address: string): string | null => {
    const parsed = parseAddress(address.replace(/%.*$/, ''));
    if (parsed === null) return 'is no address';
    const range = rangeOf(parsed);
    const never = neverSent(range);
    if (never !== null) return `is ${never}`;
    const inner = innerIpv4(range);
    const innerNever = inner && neverSent(inner);
    if (innerNever) return `leads to an IPv4 address that is ${innerNever}`;
    if (allow.length > 0)
      return [range, unmapped(range)].some((one) => allowed.some((network) => contains(network, one)))
        ? null
        : 'lies in none of the networks that --allow names';
    return isLoopback(range) ? 'is this host itself; --allow 127.0.0.0/8 or --allow ::1/128 permits it' : null;
  };
  return { refusal };
}

/**
 * The same outside world with one way out: names have only addresses that the policy permits, literal addresses are held against it
 * as well, and each TCP connection once more when it is made. Every probe resolves through `io.dns` and connects to what it got
 * there, so that an answer that changes between check and connection has nothing to gain.
 */
export function guarded(io: Io, policy: TargetPolicy): Io {
  return {
    ...io,
    dns: {
      ...io.dns,
      refusal: (address) => policy.refusal(address),
      lookup: async (host, family) => {
        const found = await io.dns.lookup(host, family);
        for (const { address } of found) {
          const why = policy.refusal(address);
          // EACCES: a want of permission of ours, which says nothing about the endpoint.
          if (why !== null)
            throw Object.assign(new Error(`${host} has the address ${address}, which ${why}`), { code: 'EACCES' });
        }
        return found;
      },
    },
    sockets: { openTcp: (options) => gated(io.sockets.openTcp(options), policy) },
  };
}

function gated(transport: TcpTransport, policy: TargetPolicy): TcpTransport {
  return {
    stamps: transport.stamps,
    tap: transport.tap,
    about: transport.about,
    ready: transport.ready,
    connect: (target, signal) =>
      policy.refusal(target.address) === null
        ? transport.connect(target, signal)
        : Promise.reject(new ConnectError('connect', 'EACCES', target)),
    close: () => transport.close(),
  };
}

/** @throws RangeError for what is no CIDR */
export function networksOf(cidrs: readonly string[]): Cidr[] {
  return cidrs.map((cidr) => {
    const parsed = parseCidr(cidr);
    if (parsed === null) throw new RangeError(`"${cidr}" is no CIDR like 10.0.0.0/8 or fd00::/8`);
    return parsed;
  });
}
