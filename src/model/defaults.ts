import { classDefaults, type Sourced } from './class-defaults.ts';
import type { Endpoint, Network } from './network.ts';
import type { TargetOverrides, Targets, WorkloadClass } from './workload.ts';

export { classDefaults } from './class-defaults.ts';
export { endpointFromUrl, nameFromUrl, networkFromUrls } from './from-urls.ts';

/** The targets of a class without any override. */
export function builtInTargets(ofClass: WorkloadClass): Targets {
  const t = classDefaults[ofClass].targets;
  const limit = ({ max, percentile = 99 }: Sourced) => ({ max, percentile });
  return {
    networkRttMs: limit(t.networkRttMs),
    networkPdvMs: limit(t.networkPdvMs),
    networkLoss: { max: t.networkLoss.max },
    ttftMs: limit(t.ttftMs),
    tokenGapMs: limit(t.tokenGapMs),
    stallRate: { max: t.stallRate.max },
  };
}

/** What the traffic to one endpoint is like and needs. */
export interface ResolvedWorkload {
  /** Name in the file, or the class. */
  name: string;
  class: WorkloadClass;
  targets: Targets;
  promptTokens: number;
  maxTokens: number;
}

/**
 * The workload of an endpoint. Later wins, key by key: built-in class, `targets` of the file for that class, `targets`
 * of the workload.
 * @throws RangeError when the endpoint names a workload that does not exist; a parsed network never does.
 */
export function resolveWorkload(network: Network, endpoint: Endpoint): ResolvedWorkload {
  const named = network.workloads.find((w) => w.name === endpoint.workload);
  const ofClass = named?.class ?? classNamed(endpoint.workload);
  if (!ofClass) throw new RangeError(`Endpoint "${endpoint.name}" names the unknown workload "${endpoint.workload}"`);
  const defaults = classDefaults[ofClass];
  return {
    name: endpoint.workload,
    class: ofClass,
    targets: overlay(overlay(builtInTargets(ofClass), network.targets[ofClass]), named?.targets),
    promptTokens: named?.promptTokens ?? defaults.promptTokens,
    maxTokens: named?.maxTokens ?? defaults.maxTokens,
  };
}

function classNamed(name: string): WorkloadClass | undefined {
  return Object.hasOwn(classDefaults, name) ? (name as WorkloadClass) : undefined;
}

function overlay(base: Targets, over: TargetOverrides | undefined): Targets {
  const present = Object.entries(over ?? {}).filter(([, value]) => value !== undefined);
  return { ...base, ...Object.fromEntries(present) };
}
