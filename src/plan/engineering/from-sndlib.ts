import type { SndlibNetwork } from '../../gather/topology/sndlib.ts';
import type { EngineeringInput } from './analyse.ts';
import { demandColumns, singleFailures } from './from-repetita.ts';
import { makeTrafficNetwork } from './traffic.ts';

type Core = Pick<EngineeringInput, 'network' | 'demands' | 'nodeNames' | 'arcNames' | 'linkNames' | 'failures'>;

/**
 * Capacities are what is installed; a link with nothing installed counts with its smallest module once, which is said. The native
 * format leaves open whether capacity holds for each direction or for both together: the caller decides.
 */
export function fromSndlib(file: SndlibNetwork, directions: 'each' | 'shared'): Core & { notes: string[] } {
  const notes: string[] = [];
  const usable = file.links.flatMap((link) => {
    const smallest = Math.min(...link.modules.map(({ capacity }) => capacity).filter((capacity) => capacity > 0));
    const capacity = link.preInstalledCapacity > 0 ? link.preInstalledCapacity : smallest;
    return Number.isFinite(capacity) ? [{ ...link, capacity, weight: 1 }] : [];
  });
  const empty = usable.filter(({ preInstalledCapacity }) => preInstalledCapacity === 0).length;
  if (empty > 0)
    notes.push(
      `${empty} of ${file.links.length} links have nothing installed: each is counted with its smallest module, once (assumed)`,
    );
  if (usable.length < file.links.length)
    notes.push(`${file.links.length - usable.length} links have neither capacity nor modules and are left out`);
  notes.push('SNDlib networks have no routing metrics: every link is one hop (assumed)');
  notes.push(
    directions === 'each'
      ? 'each direction of a link has its full capacity (assumed; --shared for links whose directions share it)'
      : 'both directions of a link share its capacity (--shared)',
  );
  const bounded = file.demands.filter(({ maxPathLength }) => maxPathLength !== null).length;
  if (bounded > 0) notes.push(`${bounded} demands bound the length of their paths, which is not kept`);
  if (file.demandsWithPaths > 0)
    notes.push(`lists of admissible paths (${file.demandsWithPaths} demands) are not kept: any path may be taken`);
  const names = usable.map(({ name }) => name);
  const network = makeTrafficNetwork(file.nodes.length, usable, directions);
  return {
    network,
    demands: demandColumns(
      file.demands.map(({ from, to, value, routingUnit }) => ({ from, to, volume: value * routingUnit })),
    ),
    nodeNames: file.nodes.map(({ name }) => name),
    arcNames: Array.from(network.link, (link) => names[link]!),
    linkNames: names,
    failures: singleFailures(
      names,
      file.nodes.map(({ name }) => name),
    ),
    notes,
  };
}
