import { parseAddress } from '../../model/cidr.ts';
import type { PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import type { Flow, Snapshot } from '../../model/secure/snapshot.ts';
import { hasPacket, serviceText, type Box } from '../policy/box.ts';
import { families, type PolicyLine, type PolicyMeaning } from '../policy/policy.ts';
import { includes, type Range, rangesOf } from '../policy/ranges.ts';
import { packetOf } from '../flows/packet.ts';
import { seenBy } from '../flows/words.ts';

type Permission = PolicyDriftReport['permissions'][number];

/** Services of a line that are named one by one; the rest is counted. */
const maxServices = 20;

/** Every line with how much of it was seen. A line about others than this host cannot be judged from here, and says so. */
export function permissionsOf(meaning: PolicyMeaning, snapshot: Snapshot, self: readonly string[]): Permission[] {
  const passesBy = snapshot.flows.some(({ direction }) => direction === 'through');
  const own = self.map(parseAddress).filter((one) => one !== null);
  const looked = seenBy(snapshot);
  return meaning.lines.map((line) => {
    const { name, place, why } = line;
    const used = snapshot.flows.filter((flow) => flow.denied < flow.seen && isOf(flow, line));
    const seen = used.reduce((sum, flow) => sum + flow.seen - flow.denied, 0);
    const base = { line: name, place, why, flows: used.length, seen, unseenServices: [] as string[] };
    if (used.length > 0)
      return {
        ...base,
        state: 'used',
        claim: `seen ${seen === 1 ? 'once' : `${seen} times`} in ${looked}`,
        unseenServices: unseenOf(line, used),
      };
    const isAboutSelf = families.some((family) =>
      line.boxes[family].some(({ src, dst }) =>
        own.some((one) => one.family === family && (includes(src, one.value) || includes(dst, one.value))),
      ),
    );
    if (!passesBy && !isAboutSelf)
      return { ...base, state: 'notObservable', claim: 'it is about other hosts, whose flows do not pass here' };
    return { ...base, state: 'unused', claim: `0 in ${looked}` };
  });
}

function isOf(flow: Flow, { boxes }: PolicyLine): boolean {
  const packet = packetOf(flow);
  return packet !== null && boxes[packet.family].some((box) => hasPacket(box, packet));
}

/** The intervals of services that no flow of the line falls into. */
function unseenOf(line: PolicyLine, used: readonly Flow[]): string[] {
  const seen = used.flatMap((flow) => packetOf(flow)?.service ?? []);
  const all = rangesOf(families.flatMap((family) => line.boxes[family].flatMap((box: Box) => box.service)));
  const unseen = all.filter((range) => !seen.some((one) => includes([range], one)));
  const texts = [...new Set(unseen.map(rangeText))];
  return texts.length <= maxServices
    ? texts
    : [...texts.slice(0, maxServices), `and ${texts.length - maxServices} more`];
}

function rangeText([first, last]: Range): string {
  return first === last ? serviceText(first) : `${serviceText(first)} to ${serviceText(last)}`;
}
