import type { EndpointSummary } from '../model/assess.ts';
import type { Finding } from '../model/finding.ts';
import type { InferenceRequest } from '../model/inference.ts';
import type { Targets } from '../model/workload.ts';
import { add, emptyLedger, leader, type Ledger, stallExcess, ttftExcess } from './blame.ts';
import { ms } from './say.ts';

type Blame = Pick<EndpointSummary, 'blame' | 'blameWhy'>;

/** Findings that can only be the network's. */
const networkOnly = new Set([
  'network-rtt',
  'network-loss',
  'network-jitter',
  'network-stalls',
  'path',
  'address-family',
  'buffering-proxy',
  'far-terminator',
  'slow-dns',
  'slow-start-upload',
]);
const serverOnly = new Set(['server-stalls', 'rate-limited', 'bad-protocol']);
const stallFindings = new Set(['token-gap', 'stall-rate', 'network-stalls', 'server-stalls']);

/**
 * Who is responsible for what misses its target. Milliseconds decide where requests are late: only those beyond what each
 * party may take, by the lower bounds of the split and the causes of the stalls. Where nothing is late, the findings decide
 * that can only be one party's.
 */
export function blameOf(
  requests: readonly InferenceRequest[],
  targets: Targets,
  own: readonly Finding[],
  aboutUs: readonly Finding[],
): Blame {
  const failed = new Set(own.filter((f) => f.verdict === 'fail' && f.pillar !== 'security').map((f) => f.id));
  if (failed.size === 0) {
    const unsure = own.length === 0 || own.some((f) => f.verdict === 'unknown');
    return { blame: 'none', blameWhy: `nothing ${unsure ? 'is known to miss' : 'misses'} its target` };
  }
  const ledger = ledgerOf(requests, targets, failed);
  const late = leader(ledger);
  if (late !== 'none') {
    const unfit = aboutUs.some((f) => f.verdict === 'fail')
      ? '; this client was not fit to measure, so measure again'
      : '';
    return { blame: late, blameWhy: `${tell(ledger)}${alsoNetwork(late, failed)}${unfit}` };
  }
  return byFindings(failed, requests);
}

function ledgerOf(requests: readonly InferenceRequest[], targets: Targets, failed: ReadonlySet<string>): Ledger {
  const ledger = emptyLedger();
  const stallsCount = [...stallFindings].some((id) => failed.has(id));
  for (const r of requests) {
    if (failed.has('ttft') || failed.has('concurrency')) add(ledger, ttftExcess(r, targets));
    if (stallsCount) add(ledger, stallExcess(r, targets.tokenGapMs.max));
  }
  return ledger;
}

function tell(ledger: Ledger): string {
  const sums = (['network', 'server', 'client', 'undetermined'] as const)
    .filter((who) => ledger[who] > 0)
    .map((who) => `${who} ${ms(ledger[who])}`);
  return `beyond what each may take, summed over late tokens: ${sums.join(', ')}`;
}

function alsoNetwork(late: string, failed: ReadonlySet<string>): string {
  const missed = [...networkOnly].filter((id) => failed.has(id));
  return late !== 'network' && missed.length > 0
    ? `; the network also misses its own target (${missed.join(', ')})`
    : '';
}

function byFindings(failed: ReadonlySet<string>, requests: readonly InferenceRequest[]): Blame {
  const network = [...failed].filter((id) => networkOnly.has(id));
  const server = [...failed].filter((id) => serverOnly.has(id));
  const outcomes = outcomeParties(requests);
  if (network.length > 0 && server.length === 0)
    return { blame: 'network', blameWhy: `the network itself misses: ${network.join(', ')}` };
  if (server.length > 0 && network.length === 0)
    return { blame: 'server', blameWhy: `the server itself misses: ${server.join(', ')}` };
  if (network.length === 0 && outcomes !== null) return outcomes;
  return { blame: 'undetermined', blameWhy: `no evidence says whose fault it is: ${[...failed].join(', ')}` };
}

/** Failed requests name a party when nearly all of them end in a way that only one party can cause. */
function outcomeParties(requests: readonly InferenceRequest[]): Blame | null {
  const failed = requests.filter((r) => r.outcome.kind !== 'answered');
  if (failed.length === 0) return null;
  // A refusal comes from the host itself; an unreachable from a router on the way.
  const byServer = failed.filter((r) => r.outcome.kind === 'rejected' || r.outcome.kind === 'refused').length;
  const byNetwork = failed.filter((r) => r.outcome.kind === 'unreachable').length;
  if (byServer > 0.9 * failed.length)
    return {
      blame: 'server',
      blameWhy: `${byServer} of ${failed.length} failed requests were refused or rejected by the server`,
    };
  if (byNetwork > 0.9 * failed.length)
    return { blame: 'network', blameWhy: `${byNetwork} of ${failed.length} failed requests had no way to the server` };
  return null;
}
