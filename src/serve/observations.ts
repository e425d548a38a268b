import { type Observation, observation } from '../model/observation.ts';
import type { Sample } from '../model/sample.ts';

/** Details that were read once; a page that is drawn anew every few seconds asks for the same ones. */
const keptDetails = 20_000;
const read = new Map<string, Observation | null>();

/**
 * The observation that a sample was made of: from its detail, or from its columns where these say everything. Null for what is
 * neither: details come from agents, and are checked as everything from outside.
 */
export function observationOf(sample: Sample): Observation | null {
  const known = read.get(sample.id);
  if (known !== undefined) return known;
  const made = sample.detail === null ? fromColumns(sample) : fromDetail(sample);
  read.set(sample.id, made);
  // All at once: taking the oldest out one by one costs more than reading them again.
  if (read.size > keptDetails) read.clear();
  return made;
}

function fromDetail({ detail, agent, endpoint }: Sample): Observation | null {
  try {
    const result = observation.safeParse(JSON.parse(detail ?? 'null'));
    // Whose it is says the certificate of the agent, not the text.
    return result.success ? { ...result.data, from: agent, to: endpoint } : null;
  } catch {
    return null;
  }
}

/** Only what ended without a reason of its own has no detail (sample-of.ts). */
function fromColumns({ kind, atMs, agent, endpoint, outcome, metrics, state }: Sample): Observation | null {
  if (outcome !== 'answered' && outcome !== 'lost' && outcome !== 'interrupted') return null;
  const head = {
    at: new Date(atMs).toISOString(),
    from: agent,
    to: endpoint,
    how: `watched by ${agent}`,
    outcome: { kind: outcome },
  } as const;
  const rttMs = metrics.rttMs ?? null;
  switch (kind) {
    case 'tcp':
      return { kind, ...head, address: '', rttMs, synRetransmits: metrics.retransmits ?? null };
    case 'dns':
      return {
        kind,
        ...head,
        host: '',
        durationMs: metrics.dnsMs ?? 0,
        addresses: state === null ? [] : state.split(' '),
      };
    default:
      return null;
  }
}
