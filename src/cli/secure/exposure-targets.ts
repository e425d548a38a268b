import { type Cidr, formatAddress, formatCidr, parseAddress, parseCidr } from '../../model/cidr.ts';
import type { Network } from '../../model/network.ts';
import { printable } from '../../model/outcome.ts';
import type { ExposureReport } from '../../model/secure/exposure.ts';
import type { Host } from '../../measure/exposure/scan.ts';
import { parseTarget } from '../../measure/sweep/targets.ts';
import { hostsOf, type Ownership, permissionOf } from '../../secure/exposure/permission.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';
import { refuseSecretsIn } from '../no-secrets.ts';

/** What to ask, and by whose permission; nothing has been sent yet but questions to DNS. */
export interface Targets {
  hosts: Host[];
  /** CIDRs that the gate lets through: exactly what was permitted. */
  permitted: string[];
  asked: ExposureReport['asked'];
  notAsked: ExposureReport['notAsked'];
}

interface Wanted {
  /** As it was written. */
  text: string;
  range: Cidr;
  /** Name by which the host was given. */
  host?: string;
  port?: number;
}

export interface TargetOptions {
  ownership: Ownership;
  maxAddresses: number;
}

/** Targets of the command line: every one has to be permitted, or none is asked. @throws UsageError with every mistake */
export async function namedTargets(words: readonly string[], options: TargetOptions, io: Io): Promise<Targets> {
  const mistakes: string[] = [];
  const wanted: Wanted[] = [];
  for (const word of words) {
    const found = await wantedOf(word, io);
    if (typeof found === 'string') mistakes.push(`${JSON.stringify(printable(word, 60))}: ${found}`);
    else wanted.push(...found);
  }
  const targets = admit(wanted, options);
  mistakes.push(...targets.notAsked.map(({ range, why }) => `"${range}": ${why}`));
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'), 'nothing was sent');
  return targets;
}

/** All ranges of the network file; what may not be asked, or is too large, is told in the report. */
export function ownTargets({ security }: Network, options: TargetOptions): Targets {
  const wanted = security.ranges.flatMap(({ cidr }) => {
    const range = parseCidr(cidr);
    return range === null ? [] : [{ text: cidr, range }];
  });
  return admit(wanted, options);
}

async function wantedOf(word: string, io: Io): Promise<Wanted[] | string> {
  const range = parseCidr(word);
  if (range !== null)
    return range.isAligned ? [{ text: word, range }] : `has host bits; allowed: ${formatCidr(range)}, or one address`;
  if (word.includes('/') && !word.includes('://'))
    return 'is no network; allowed: host, address, host:port, CIDR like 10.1.0.0/24';
  if (URL.canParse(word) && word.includes('://')) refuseSecretsIn(new URL(word), 'target');
  const place = parseTarget(word);
  if (typeof place === 'string') return `${place}, CIDR`;
  const port = place.port === 0 ? {} : { port: place.port };
  const literal = parseAddress(place.host);
  if (literal !== null) return [{ text: word, range: parseCidr(place.host)!, ...port }];
  try {
    const found = await io.dns.lookup(place.host);
    return found.map(({ address }) => ({
      text: `${word} (${address})`,
      range: parseCidr(address)!,
      host: place.host,
      ...port,
    }));
  } catch (error) {
    return `has no address (${printable(String((error as NodeJS.ErrnoException).code ?? error), 40)})`;
  }
}

function admit(wanted: readonly Wanted[], { ownership, maxAddresses }: TargetOptions): Targets {
  const targets: Targets = { hosts: [], permitted: [], asked: [], notAsked: [] };
  let room = BigInt(maxAddresses);
  for (const { text, range, host, port } of wanted) {
    const permission = permissionOf(range, ownership);
    const { first, count } = hostsOf(range);
    if ('refused' in permission) targets.notAsked.push({ range: text, why: permission.refused });
    else if (count > room) targets.notAsked.push({ range: text, why: tooMany(count, maxAddresses) });
    else {
      room -= count;
      targets.permitted.push(formatCidr(range));
      targets.asked.push({ range: text, addresses: Number(count), permittedBy: permission.permittedBy });
      for (let i = 0n; i < count; i++) {
        const address = formatAddress(range.family, first + i);
        targets.hosts.push({ address, host: host ?? address, ...(port === undefined ? {} : { ports: [port] }) });
      }
    }
  }
  return targets;
}

function tooMany(count: bigint, max: number): string {
  const many = count > 1_000_000n ? `2^${count.toString(2).length - 1}` : String(count);
  return `has ${many} addresses, which with those before is more than --max-addresses ${max}; name hosts or smaller ranges, or raise it`;
}
