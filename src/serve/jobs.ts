import { createHash } from 'node:crypto';
import { type AgentJob, type AgentJobs, PROTOCOL_VERSION } from '../model/agent-protocol.ts';
import { resolveWorkload } from '../model/defaults.ts';
import type { Endpoint, Network } from '../model/network.ts';
import { durationMs, type Watch, type WatchProbe } from '../model/watch.ts';

/** What is measured where the network file does not say. */
const defaultSchedule: Watch['schedule'] = [
  { probe: 'tcp', every: '10s' },
  { probe: 'dns', every: '1m' },
  { probe: 'trace', every: '1m' },
  { probe: 'inference', every: '1m' },
  { probe: 'tls', every: '5m' },
];

/** What an agent is to run, from the network file: a closed list of probes, in an order that does not change without cause. */
export function jobsFor(network: Network, agent: string): AgentJobs {
  const known = network.watch?.agents.find(({ name }) => name === agent);
  const schedule = network.watch?.schedule ?? [];
  const jobs = (schedule.length > 0 ? schedule : defaultSchedule)
    .filter((job) => job.agents === undefined || job.agents.includes(agent))
    .flatMap((job, index) =>
      network.endpoints
        .filter(({ name }) => isWanted(job.endpoints, name) && isWanted(known?.endpoints, name))
        .filter(({ url }) => job.probe !== 'tls' || url.startsWith('https:'))
        .map((endpoint) => jobOf(network, endpoint, job, index)),
    );
  const uplink = known?.uplink ?? [];
  const revision = createHash('sha256')
    .update(JSON.stringify([uplink, jobs]))
    .digest('hex')
    .slice(0, 32);
  return { version: PROTOCOL_VERSION, revision, uplink, jobs };
}

const isWanted = (names: readonly string[] | undefined, name: string): boolean => names?.includes(name) ?? true;

export function jobOf(
  network: Network,
  endpoint: Endpoint,
  job: Pick<Watch['schedule'][number], 'probe' | 'every'>,
  index: number,
): AgentJob {
  return {
    id: `${index}/${job.probe}/${endpoint.name}`,
    probe: job.probe,
    endpoint: endpoint.name,
    url: endpoint.url,
    everyMs: Math.max(100, durationMs(job.every)),
    options: optionsOf(network, endpoint, job.probe),
  };
}

/** Names of where keys are to be found, never keys: an agent has its own. */
function optionsOf(network: Network, endpoint: Endpoint, probe: WatchProbe): Record<string, unknown> {
  if (probe === 'stamp') return endpoint.reflector?.stamp === undefined ? {} : { reflector: endpoint.reflector.stamp };
  if (probe !== 'inference') return {};
  const workload = resolveWorkload(network, endpoint);
  const { dialect, model, auth } = endpoint;
  return {
    dialect,
    ...(model === undefined ? {} : { model }),
    ...(auth === undefined ? {} : { auth }),
    promptTokens: workload.promptTokens,
    maxTokens: workload.maxTokens,
    stallThresholdMs: workload.targets.tokenGapMs.max,
  };
}
