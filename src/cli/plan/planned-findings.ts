import type { Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import type { Io } from '../../wire/io.ts';
import { computeParts, proposalsOf } from './parts.ts';
import { planProgress } from './progress.ts';

/** Longest time that an assessment plans, s; `inferpath plan` takes the time it needs. */
const timeLimitS = 10;

/**
 * What `plan` finds wrong with a network file that says what connects its sites, for an assessment of it: findings that do not
 * pass. None where the file has no links.
 */
export async function plannedFindings(
  network: Network,
  file: string,
  observations: readonly Observation[],
  io: Io,
): Promise<Finding[]> {
  if (network.links.length === 0) return [];
  const progress = planProgress(io, timeLimitS);
  const { parts } = await computeParts({ network, file, observations, progress, io }).finally(progress.end);
  return proposalsOf(parts)
    .flatMap(({ findings }) => findings)
    .filter(({ verdict }) => verdict !== 'pass');
}
