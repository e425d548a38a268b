import type { PolicyHook } from '../../model/network-policy.ts';
import type { Flow } from '../../model/secure/snapshot.ts';
import { hasPacket, type Packet } from '../policy/box.ts';
import { needed, neededLineName, type PolicyLine, type PolicyMeaning } from '../policy/policy.ts';

/** Where a policy meets a flow: as the host sees it that saw the flow. */
export function hookOf({ direction, translatedFrom }: Pick<Flow, 'direction' | 'translatedFrom'>): PolicyHook {
  if (translatedFrom) return 'published';
  return direction === 'in' ? 'inbound' : direction === 'out' ? 'outbound' : 'forward';
}

/** The lines that permit a packet; for what the network needs anyway, its own name. */
export function linesFor(packet: Packet, hook: PolicyHook, { lines }: PolicyMeaning): string[] {
  const has = ({ boxes }: PolicyLine) => boxes[packet.family].some((box) => hasPacket(box, packet));
  const names = lines.filter(has).map(({ name }) => name);
  return needed(hook, packet.family).some((box) => hasPacket(box, packet)) ? [...names, neededLineName] : names;
}
