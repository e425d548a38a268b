import { parseAllDocuments } from 'yaml';
import type { Family } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { type Box, everyService, protocols, services } from '../box.ts';
import type { PolicyHook } from '../policy.ts';
import type { Firewall, Rule } from '../program.ts';
import { everyAddress, rangesOf, type Ranges, subtract } from '../ranges.ts';
import { addressRanges, wordOf } from './accept-list.ts';
import { RulesetError } from './nft-rules.ts';

type Loose = Record<string, unknown>;
type Side = 'ingress' | 'egress';

interface Peers {
  ranges(family: Family): Ranges;
  doubt?: string;
}

interface AllowRule {
  peers: Peers;
  service: Ranges;
  doubt?: string;
  text: string;
}

interface Policy {
  name: string;
  pods: Peers;
  sides: Side[];
  rules: Record<Side, AllowRule[]>;
}

/** Documents and rules that one text may have. */
const maxDocuments = 10_000;

/**
 * Reads NetworkPolicies (YAML or JSON, several documents, a List) to what they mean: a pod that any of them selects for a direction is closed
 * but for what one of them allows; a pod that none selects is open. Which addresses selected pods have, the annotation `inferpath/pods`
 * says; where it is missing, every address is meant in doubt.
 *
 * @throws RulesetError for what is no such text
 */
export function readKubernetes(text: string): Firewall {
  const policies = objectsOf(text)
    .filter((one) => one['kind'] === 'NetworkPolicy')
    .map(policyOf);
  if (policies.length === 0) throw new RulesetError('found no NetworkPolicy');
  return {
    pathAt: (hook, family, state) =>
      state === 'established' || state === 'related' ? [] : pathOf(policies, hook, family),
  };
}

function pathOf(policies: readonly Policy[], hook: PolicyHook, family: Family) {
  if (hook !== 'inbound' && hook !== 'outbound') return [];
  const side: Side = hook === 'inbound' ? 'ingress' : 'egress';
  const own = policies.filter(({ sides }) => sides.includes(side));
  const rule = (
    pods: Peers,
    peers: Ranges,
    service: Ranges,
    action: 'accept' | 'drop',
    text: string,
    doubt?: string,
  ): Rule[] => {
    const mine = pods.ranges(family);
    const [src, dst] = side === 'ingress' ? [peers, mine] : [mine, peers];
    const box: Box = { src, dst, service };
    const unsure = [pods.doubt, doubt].filter((one) => one !== undefined).join('; ');
    if (src.length === 0 || dst.length === 0 || service.length === 0) return [];
    return [
      {
        box,
        action,
        ref: { chain: `NetworkPolicy ${side}`, text: printable(text, 300) },
        ...(unsure === '' ? {} : { unsure: printable(unsure, 200) }),
      },
    ];
  };
  const accepts = own.flatMap(({ name, pods, rules }) =>
    rules[side].flatMap(({ peers, service, doubt, text }) => {
      const why = [peers.doubt, doubt].filter((one) => one !== undefined).join('; ');
      return rule(pods, peers.ranges(family), service, 'accept', `${name}: ${text}`, why === '' ? undefined : why);
    }),
  );
  const closed = own.flatMap(({ name, pods }) =>
    rule(pods, everyAddress[family], everyService, 'drop', `${name}: selects these pods`),
  );
  return [{ name: `NetworkPolicy ${side}`, policy: 'accept' as const, rules: [...accepts, ...closed] }];
}

function objectsOf(text: string): Loose[] {
  let documents;
  try {
    documents = parseAllDocuments(text, { maxAliasCount: 100 } as never);
  } catch (error) {
    throw new RulesetError(error instanceof Error ? printable(error.message) : 'found no YAML');
  }
  const found: Loose[] = [];
  for (const one of 'empty' in documents ? [] : documents.slice(0, maxDocuments)) {
    const [mistake] = one.errors;
    if (mistake) throw new RulesetError(printable(mistake.message.split('\n')[0]!), mistake.linePos?.[0].line);
    const value = loose(one.toJS({ maxAliasCount: 100 }));
    if (Array.isArray(value['items'])) found.push(...value['items'].map(loose));
    else found.push(value);
  }
  return found;
}

const loose = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function policyOf(one: Loose): Policy {
  const [metadata, spec] = [loose(one['metadata']), loose(one['spec'])];
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : 'NetworkPolicy';
  const annotations = loose(metadata['annotations']);
  const sides = listOf(spec['policyTypes']).map((type) => String(type).toLowerCase() as Side);
  // Without policyTypes a policy is about ingress, and about egress if it has rules for it.
  if (sides.length === 0) sides.push('ingress', ...('egress' in spec ? (['egress'] as const) : []));
  const rules = (side: Side) =>
    listOf(spec[side]).map((rule) => ruleOf(loose(rule), side, name, annotations['inferpath/peers']));
  return {
    name,
    pods: podsOf(spec['podSelector'], annotations['inferpath/pods'], name),
    sides,
    rules: { ingress: rules('ingress'), egress: rules('egress') },
  };
}

function podsOf(selector: unknown, annotation: unknown, name: string): Peers {
  const everywhere = (family: Family) => everyAddress[family];
  if (typeof annotation !== 'string') {
    const isAll = Object.keys(loose(selector)).length === 0;
    return isAll ? { ranges: everywhere } : { ranges: everywhere, doubt: `which addresses the pods of ${name} have` };
  }
  const words = annotation.split(/\s+/).filter((word) => word !== '');
  const { wrong } = addressRanges(words, 4);
  if (wrong.length > 0)
    throw new RulesetError(
      `${printable(name, 60)}: inferpath/pods: found ${JSON.stringify(printable(wrong[0]!, 60))}; allowed: CIDRs`,
    );
  return { ranges: (family) => addressRanges(words, family).ranges };
}

function ruleOf(rule: Loose, side: Side, name: string, known: unknown): AllowRule {
  const key = side === 'ingress' ? 'from' : 'to';
  const peers = peersOf(listOf(rule[key]), name, known);
  const { ranges, doubt } = portsOf(listOf(rule['ports']), name);
  return {
    peers,
    service: ranges,
    text: JSON.stringify(rule).slice(0, 300),
    ...(doubt === undefined ? {} : { doubt }),
  };
}

/** No peers at all mean everybody; items of the list are united. */
function peersOf(items: readonly unknown[], name: string, known: unknown): Peers {
  if (items.length === 0) return { ranges: (family) => everyAddress[family] };
  const blocks: { cidr: string; except: string[] }[] = [];
  const selected: string[] = [];
  for (const item of items.map(loose)) {
    const block = loose(item['ipBlock']);
    if ('cidr' in block) blocks.push({ cidr: String(block['cidr']), except: listOf(block['except']).map(String) });
    else selected.push(JSON.stringify(item));
  }
  const wrong = blocks.flatMap(({ cidr, except }) => addressRanges([cidr, ...except], 4).wrong);
  if (wrong.length > 0)
    throw new RulesetError(
      `${printable(name, 60)}: ipBlock: found ${JSON.stringify(printable(wrong[0]!, 60))}; allowed: CIDRs`,
    );
  const ranges = (family: Family) =>
    rangesOf(
      blocks.flatMap(({ cidr, except }) =>
        subtract(addressRanges([cidr], family).ranges, addressRanges(except, family).ranges),
      ),
    );
  if (selected.length === 0) return { ranges };
  if (typeof known === 'string') {
    const words = known.split(/\s+/).filter((word) => word !== '');
    return { ranges: (family) => rangesOf([...ranges(family), ...addressRanges(words, family).ranges]) };
  }
  return { ranges: (family) => everyAddress[family], doubt: `which addresses have the peers ${selected.join(' ')}` };
}

function portsOf(items: readonly unknown[], name: string): { ranges: Ranges; doubt?: string } {
  if (items.length === 0) return { ranges: everyService };
  const names: Record<string, number> = { TCP: protocols.tcp, UDP: protocols.udp, SCTP: 132 };
  let doubt: string | undefined;
  const ranges = items.map(loose).flatMap(({ protocol = 'TCP', port, endPort }) => {
    const number = names[String(protocol)];
    if (number === undefined)
      throw new RulesetError(
        `${printable(name, 60)}: protocol: found ${JSON.stringify(printable(String(protocol), 60))}; allowed: TCP, UDP, SCTP`,
      );
    if (port === undefined) return services(number);
    if (typeof port === 'string' && !/^\d+$/.test(port)) {
      doubt = `which number the port ${printable(port, 60)} has`;
      return services(number);
    }
    const [first, last] = [Number(port), Number(endPort ?? port)];
    if (!(first >= 0 && first <= last && last <= 65_535))
      throw new RulesetError(
        `${printable(name, 60)}: ports: found ${JSON.stringify(printable(`${wordOf(port)}-${wordOf(endPort)}`, 60))}; allowed: 0 to 65535`,
      );
    return number === 132 && (first > 0 || last < 65_535) ? [] : services(number, first, last);
  });
  return { ranges: rangesOf(ranges), ...(doubt === undefined ? {} : { doubt }) };
}
