import type { Figure } from '../../model/figure.ts';
import { computed } from '../figures.ts';
import { allDay, type Flow } from './flow.ts';
import { transferOnWire } from './wire.ts';

/** A transfer that comes again and again between sites. */
export interface JobWork {
  source: string;
  kind: 'trainingSync' | 'checkpoint' | 'replication';
  sites: readonly string[];
  bytes: Figure;
  everyS: Figure;
  /** Steps between two synchronisations. */
  everySteps: Figure;
  withinS: Figure | undefined;
}

const siteMtuBytes = 9000;

/**
 * Rounds of a job. Training synchronises by a ring all-reduce between the sites: each sends 2(N − 1)/N of the gradients to the next
 * (Patarasuk and Yuan 2009), after every H steps where it is of the DiLoCo kind. Checkpoints and copies go from the first site to
 * every other.
 */
export function jobFlows(job: JobWork): Flow[] {
  const periodS = computed('time between two', job.everyS.value * job.everySteps.value, 's', 'time of a step × steps', [
    job.everyS,
    job.everySteps,
  ]);
  const windowS = job.withinS ?? periodS;
  const size = job.kind === 'trainingSync' ? ringShare(job) : job.bytes;
  const rate = computed('rate while it runs', (size.value * 8) / windowS.value / 1e9, 'Gbit/s', 'bytes × 8 ÷ time', [
    size,
    windowS,
  ]);
  const onWire = transferOnWire(size.value, siteMtuBytes, false);
  const share = Math.min(1, windowS.value / periodS.value);
  return hops(job).map(([from, to]) => ({
    source: job.source,
    part: { trainingSync: 'training sync', checkpoint: 'checkpoint', replication: 'replication' }[job.kind],
    class: null,
    from,
    to,
    scope: 'east-west',
    law: share < 1 ? 'onOff' : 'steady',
    deadlineMs: windowS.value * 1e3,
    bitsPerS: (onWire.bytes * 8) / windowS.value,
    packetsPerS: onWire.packets / windowS.value,
    busyByHourUtc: allDay(share),
    figures: [periodS, size, rate],
  }));
}

function ringShare({ sites, bytes }: JobWork): Figure {
  const n = sites.length;
  return computed('each site sends', (2 * (n - 1) * bytes.value) / n, 'B', `2 × (N − 1) ÷ N × bytes, N = ${n} sites`, [
    bytes,
  ]);
}

function hops({ kind, sites }: JobWork): [string, string][] {
  if (kind === 'trainingSync') return sites.map((site, i) => [site, sites[(i + 1) % sites.length]!]);
  return sites.slice(1).map((to) => [sites[0]!, to]);
}
