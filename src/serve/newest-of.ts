import type { AgentSeen } from '../judge/watch/input.ts';

/** The newest sample of each agent; of one that has handed over nothing yet: the begin of time. */
export function newestOf(silence: readonly AgentSeen[]): Map<string, number> {
  return new Map(silence.map(({ agent, newestSampleMs }) => [agent, newestSampleMs ?? -Infinity]));
}
