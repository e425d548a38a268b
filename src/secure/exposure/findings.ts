import { withPort } from '../../stats/address.ts';
import { parseAddress } from '../../model/cidr.ts';
import type { Finding } from '../../model/finding.ts';
import type { ExposedService, OwnListener } from '../../model/secure/exposure.ts';
import { engines, internalPorts } from '../../measure/exposure/engines.ts';
import { isLoopback } from '../../stats/address.ts';

interface Seen {
  services: readonly ExposedService[];
  /** Null: not looked at. */
  listeners: readonly OwnListener[] | null;
  vantage: string;
}

/** What the services of a scan come to: who answers anyone, who listens in plain text, and which inner ports are reached. */
export function exposureFindings({ services, listeners, vantage }: Seen): Finding[] {
  return services.flatMap((service) => {
    const reach = reachOf(service, listeners);
    return [
      openFinding(service, reach, vantage),
      ...plainFinding(service, reach),
      ...internalFinding(service, reach, vantage),
    ];
  });
}

/** Who reaches a service, as far as this run can say. */
type Reach = 'others' | 'only this machine' | 'unknown';

/** What answers at loopback may listen elsewhere as well: only the list of sockets tells. */
function reachOf({ address, port }: ExposedService, listeners: Seen['listeners']): Reach {
  if (!isLoopback(address)) return 'others';
  const same = (listeners ?? []).filter(
    (one) => one.port === port && one.protocol === 'tcp' && couldBe(one.address, address),
  );
  if (same.length === 0) return 'unknown';
  return same.every(({ reach }) => reach === 'loopback') ? 'only this machine' : 'others';
}

function couldBe(listening: string, address: string): boolean {
  if (listening === '::') return true;
  return listening === address || (listening === '0.0.0.0' && parseAddress(address)?.family === 4);
}

function openFinding(service: ExposedService, reach: Reach, vantage: string): Finding {
  const { auth, engine, why } = service;
  const base = {
    id: 'inference-open',
    pillar: 'security' as const,
    subject: placeOf(service),
    details: details(service, vantage),
    evidence: evidence(service, vantage),
  };
  const who = whoOf(service);
  const known = engines.find(({ name }) => name === engine);
  if (!known || auth === 'unknown')
    return {
      ...base,
      verdict: 'unknown',
      severity: known ? 'warning' : 'info',
      claim: `${who}: whether it wants a key is not known from ${service.asked.length} requests: ${why}`,
      confidence: 'low',
      coverage: 0.5,
    };
  const confidence = service.identity === 'confirmed' ? ('high' as const) : ('medium' as const);
  if (auth === 'enforced')
    return {
      ...base,
      verdict: 'pass',
      severity: 'info',
      claim: `${who} wants a key: ${closedWords(service)}`,
      confidence,
      coverage: 1,
    };
  const what = auth === 'none' ? `${who} answers anyone without a key` : `${who} wants a key for some paths only`;
  const remedy = { text: known.remedy };
  if (reach === 'only this machine')
    return {
      ...base,
      verdict: 'pass',
      severity: 'info',
      claim: `${what}, but listens only on this machine (port ${service.port})`,
      confidence,
      coverage: 1,
    };
  if (reach === 'unknown')
    return {
      ...base,
      verdict: 'unknown',
      severity: 'warning',
      claim: `${what} (${why}); it was asked at ${service.address}, and whether others reach it is not known`,
      confidence: 'low',
      coverage: 0.5,
      remedy: { text: `See where it listens (inferpath secure exposure --local). ${known.remedy}` },
    };
  return {
    ...base,
    verdict: 'fail',
    severity: 'critical',
    claim: `${what}: ${why}. It gives ${known.gives}`,
    confidence,
    coverage: 1,
    remedy,
  };
}

function plainFinding(service: ExposedService, reach: Reach): Finding[] {
  if (service.engine === null || service.transport === 'tcp' || reach !== 'others') return [];
  const isTls = service.transport === 'https';
  const base = {
    id: 'inference-plaintext',
    pillar: 'security' as const,
    subject: placeOf(service),
    evidence: [],
    confidence: 'high' as const,
    coverage: 1,
  };
  return [
    isTls
      ? {
          ...base,
          verdict: 'pass',
          severity: 'info',
          claim: `${whoOf(service)} speaks TLS at port ${service.port}`,
          details: service.certificateTrusted === false ? ['Its certificate is not trusted by this machine.'] : [],
        }
      : {
          ...base,
          verdict: 'fail',
          severity: 'warning',
          claim: `${whoOf(service)} speaks plain HTTP at port ${service.port}: prompts, answers and keys can be read on the way`,
          details: [
            'Where only a proxy on the same machine or an encrypted tunnel reaches the port, let it listen only there.',
          ],
          remedy: { text: 'Put TLS in front of it, or bind it to an address that only the proxy in front reaches' },
        },
  ];
}

function internalFinding(service: ExposedService, reach: Reach, vantage: string): Finding[] {
  const usual = internalPorts.get(service.port);
  if (usual === undefined || service.transport !== 'tcp' || reach === 'only this machine') return [];
  return [
    {
      id: 'internal-port-open',
      verdict: 'unknown',
      severity: 'warning',
      pillar: 'security',
      subject: placeOf(service),
      claim: `port ${service.port} accepts connections from ${vantage}; what usually stands there is the ${usual}, which asks nobody for a key`,
      details: ['The port alone does not prove what stands there: nothing is sent to it.'],
      evidence: [],
      confidence: 'low',
      coverage: 0.5,
      remedy: { text: 'Let only the nodes of the same cluster reach it' },
    },
  ];
}

export function placeOf({ address, port }: { address: string; port: number }): string {
  return withPort(address, port);
}

function whoOf({ engine, identity, version, transport }: ExposedService): string {
  const known = engines.find(({ name }) => name === engine);
  if (!known) return transport === 'tcp' ? 'A service without HTTP' : 'A service that is none of the known engines';
  return `${identity === 'likely' ? 'Probably ' : ''}${known.title}${version === null ? '' : ` ${version}`}`;
}

function closedWords({ checks }: ExposedService): string {
  const closed = checks.filter(({ answer }) => answer === 'closed');
  return closed.length === 0
    ? 'none of the paths that were asked answers'
    : `${closed.map(({ path }) => path).join(', ')} (${closed.length} of ${checks.length} paths)`;
}

function details(service: ExposedService, vantage: string): string[] {
  const { signals, publicByDesign, checks, auth } = service;
  const open = checks.filter(({ answer }) => answer === 'open');
  return [
    ...(signals.length > 0 ? [`Recognised by: ${signals.join('; ')}.`] : []),
    ...(open.length > 0 && auth !== 'enforced' ? open.map(({ path, means }) => `${path}: ${means}.`) : []),
    ...(publicByDesign.length > 0 ? [`Open by design, so no evidence: ${publicByDesign.join(', ')}.`] : []),
    `Asked from ${vantage}; a firewall may let others less or more.`,
  ];
}

function evidence({ checks, asked, atMs }: ExposedService, vantage: string): Finding['evidence'] {
  if (checks.length === 0) return [];
  const open = checks.filter(({ answer }) => answer === 'open').length;
  const how = `paths of its oracle asked without a key from ${vantage} at ${new Date(atMs).toISOString()}, ${asked.length} requests in all`;
  return [{ metric: 'open paths', value: open, unit: '', n: checks.length, how }];
}
