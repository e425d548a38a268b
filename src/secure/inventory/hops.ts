import type { Verdict } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { EncryptionLayer, Hop } from '../../model/network-security.ts';
import type { SecureEvidence } from '../../model/secure/evidence.ts';
import type { Gate, InventoriedHop } from '../../model/secure/inventory.ts';
import { isLoopback } from '../../stats/address.ts';
import { type Answer, ciphers, encrypts, isEncrypting, layerWords, withstands } from './layers.ts';

type TlsReport = Extract<SecureEvidence, { schema: 'inferpath/secure-tls@1' }>;

interface Question {
  id: 'encrypted' | 'cipher' | 'quantum-safe';
  asks: string;
  of(layer: EncryptionLayer, today: string): Answer;
}

const questions: readonly Question[] = [
  { id: 'encrypted', asks: 'Is the whole hop encrypted?', of: encrypts },
  { id: 'cipher', asks: 'Is the cipher authenticated, with 128 bit or more?', of: ciphers },
  { id: 'quantum-safe', asks: 'Do the keys withstand a quantum computer?', of: withstands },
];

const rank: Record<Verdict, number> = { fail: 0, unknown: 1, pass: 2 };

/** Every stretch that the file knows of: its hops, then links and endpoints that no hop speaks for. */
export function inventoriedHops(network: Network, reports: readonly TlsReport[], today: string): InventoriedHop[] {
  const { hops } = network.security;
  const named = new Set(hops.flatMap(({ link, endpoint }) => [link, endpoint]));
  const silentLinks = network.links
    .filter(({ name }) => !named.has(name))
    .map((link): Hop => ({ name: link.name, link: link.name, layers: [] }));
  const silentEndpoints = network.endpoints
    .filter(({ name }) => !named.has(name))
    .map(({ name }): Hop => ({ name, endpoint: name, layers: [] }));
  return [...hops, ...silentLinks, ...silentEndpoints].flatMap(
    (hop) => inventoried(hop, network, reports, today) ?? [],
  );
}

function inventoried(hop: Hop, network: Network, reports: readonly TlsReport[], today: string): InventoriedHop | null {
  const url = urlOf(hop, network);
  // What stays inside one machine crosses no hop.
  if (url && hop.layers.length === 0 && isLoopback(url.hostname)) return null;
  const measured = hop.endpoint === undefined ? [] : measuredGates(hop.endpoint, reports);
  const gates = questions.map((question) =>
    better(
      declaredGate(question, hop, url, today),
      measured.find(({ id }) => id === question.id),
    ),
  );
  return {
    name: hop.name,
    where: whereOf(hop, network),
    layers: hop.layers.map(layerWords),
    carries: classesAt(hop, network),
    gates,
  };
}

/** The layer with the best answer speaks for the hop: one that encrypts it well is enough, whatever else is around it. */
function declaredGate({ id, asks, of }: Question, { layers, name }: Hop, url: URL | undefined, today: string): Gate {
  const reproduce = `look at the devices of ${name}, and note it under security.hops`;
  const encrypting = layers.filter(isEncrypting);
  const common = { id, asks, reproduce };
  if (encrypting.length === 0) return { ...common, ...unencrypted(layers, url) };
  const [best] = encrypting.map((layer) => of(layer, today)).toSorted((a, b) => rank[b.verdict] - rank[a.verdict]);
  return { ...common, ...best!, how: 'declared' };
}

function unencrypted(
  layers: readonly EncryptionLayer[],
  url: URL | undefined,
): Pick<Gate, 'verdict' | 'evidence' | 'at' | 'how'> {
  const at = layers[0]?.checked ?? null;
  if (layers.some(({ kind }) => kind === 'none'))
    return { verdict: 'fail', evidence: 'the file says that nothing encrypts it', at, how: 'declared' };
  if (layers.length > 0)
    return { verdict: 'fail', evidence: 'QKD supplies keys and encrypts nothing', at, how: 'declared' };
  if (url?.protocol === 'http:')
    return { verdict: 'fail', evidence: `the URL is plain HTTP (${url.origin})`, at, how: 'declared' };
  return { verdict: 'unknown', evidence: 'the file says nothing about it', at, how: 'nothing' };
}

/** What `secure tls` saw at an endpoint: a handshake is encryption with an authenticated cipher of TLS 1.2 or 1.3. */
function measuredGates(endpoint: string, reports: readonly TlsReport[]): Gate[] {
  const seen = reports.flatMap(({ startedAt, endpoints }) =>
    endpoints.filter(({ name }) => name === endpoint).map(({ verdict }) => ({ verdict, at: startedAt })),
  );
  const last = seen.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
  if (!last || last.verdict.kind === 'unknown') return [];
  const isSafe = last.verdict.kind === 'pq-default' || last.verdict.kind === 'pq-by-retry';
  const [encrypted, , quantum] = questions;
  const common = { how: 'measured' as const, at: last.at, reproduce: `inferpath secure tls ${endpoint}` };
  return [
    {
      ...common,
      id: encrypted!.id,
      asks: encrypted!.asks,
      verdict: 'pass',
      evidence: `TLS was answered${last.verdict.group ? ` with ${last.verdict.group}` : ''}`,
    },
    {
      ...common,
      id: quantum!.id,
      asks: quantum!.asks,
      verdict: isSafe ? 'pass' : 'fail',
      evidence: `${last.verdict.kind}: ${last.verdict.reason}`,
    },
  ];
}

/** What was measured wins over what is declared, unless another layer of the hop does better than what was measured. */
function better(declared: Gate, measured: Gate | undefined): Gate {
  if (!measured) return declared;
  return rank[declared.verdict] > rank[measured.verdict] && declared.how === 'declared' && declared.verdict === 'pass'
    ? declared
    : measured;
}

function urlOf({ endpoint }: Hop, network: Network): URL | undefined {
  const found = network.endpoints.find(({ name }) => name === endpoint);
  return found && new URL(found.url);
}

function whereOf({ link, endpoint, between }: Hop, network: Network): string {
  const known = network.links.find(({ name }) => name === link);
  if (known) return `link ${known.from} – ${known.to}`;
  return between ? `${between[0]} – ${between[1]}` : `endpoint ${endpoint}`;
}

function classesAt({ name, endpoint }: Hop, network: Network): string[] {
  return network.security.dataClasses
    .filter(({ on }) => on === undefined || on.some((place) => place === name || place === endpoint))
    .map((one) => one.name);
}
