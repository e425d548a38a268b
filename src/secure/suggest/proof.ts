import type { Flow } from '../../model/secure/snapshot.ts';
import { everything, hasPacket, packetText } from '../policy/box.ts';
import { compare } from '../policy/compare.ts';
import { families, type PolicyMeaning } from '../policy/policy.ts';
import type { Step } from '../policy/steps.ts';
import { packetOf } from '../flows/packet.ts';
import { flowText } from '../flows/words.ts';

/** What was shown of a policy: yes, no with an example, or that it could not be shown. */
export type Shown = { verdict: 'proved' } | { verdict: 'refuted' | 'not-proved'; example: string };

/** Whether a policy permits every flow. */
export function permitsAll({ lines }: PolicyMeaning, flows: readonly Flow[]): Shown {
  const missed = flows.find((flow) => {
    const packet = packetOf(flow);
    return !packet || !lines.some(({ boxes }) => boxes[packet.family].some((box) => hasPacket(box, packet)));
  });
  return missed ? { verdict: 'refuted', example: flowText(missed) } : { verdict: 'proved' };
}

/** Whether a policy permits nothing that `outer` does not: all packets of both families, none sampled. */
export function isWithin(inner: PolicyMeaning, outer: PolicyMeaning): Shown {
  for (const family of families) {
    const ref = { chain: '', text: '' };
    const steps: Step[] = inner.lines.flatMap(({ boxes }) =>
      boxes[family].map((box): Step => ({ box, action: 'accept', ref })),
    );
    steps.push({ box: everything(family), action: 'drop', ref });
    const permits = outer.lines.flatMap(({ boxes }) => boxes[family]);
    const { extra, isComplete, cells } = compare(steps, permits, family);
    if (extra) return { verdict: 'refuted', example: packetText(extra.packet) };
    if (!isComplete) return { verdict: 'not-proved', example: `more than ${cells} different cells` };
  }
  return { verdict: 'proved' };
}
