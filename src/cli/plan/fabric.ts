import * as z from 'zod';
import type { Figure } from '../../model/figure.ts';
import { type FabricWish, planFabric, wishMistakes } from '../../plan/fabric/fabric.ts';
import { largestFabric } from '../../plan/fabric/clos.ts';
import { assumed, entered } from '../../plan/figures.ts';
import { prettyJson } from '../../report/json.ts';
import { renderFabricText } from '../../report/plan/fabric-text.ts';
import { flagName } from '../args.ts';
import { defineAction, exitCode, type FlagValues, UsageError } from '../command.ts';
import { planFlags } from './flags.ts';

const whole = (max: number) => z.coerce.number().int().min(1).max(max);
const metres = z.coerce.number().positive().max(100_000);

const flags = {
  gpus: { schema: whole(10_000_000), about: 'GPUs of the cluster.', value: 'N' },
  nicGbps: { schema: z.coerce.number().positive().max(100_000), about: 'Rate of a NIC port, Gbit/s.', value: 'GBPS' },
  radix: { schema: whole(4096).min(2), about: 'Ports of a switch.', value: 'PORTS' },
  portGbps: {
    schema: z.coerce.number().positive().max(100_000).optional(),
    about: 'Rate of a switch port, Gbit/s; a faster port is broken out to several NICs; default: that of the NIC.',
    value: 'GBPS',
  },
  gpusPerNode: { schema: whole(1024).optional(), about: 'GPUs of a node; default 8.', value: 'N' },
  nicsPerGpu: { schema: whole(64).optional(), about: 'NIC ports for each GPU; default 1.', value: 'N' },
  rails: {
    schema: z.coerce.number().int().min(0).max(64).optional(),
    about: 'Rails: NIC i of every node goes to a leaf of rail i; default 0, none.',
    value: 'N',
  },
  oversubscription: {
    schema: z.coerce.number().min(1).max(100).optional(),
    about: 'Capacity of a leaf towards hosts over that towards spines; default 1, none.',
    value: 'RATIO',
  },
  hostToLeafM: {
    schema: metres.optional(),
    about: 'Cable from host to leaf, m; default 2.',
    value: 'M',
    group: 'Cables',
  },
  leafToSpineM: {
    schema: metres.optional(),
    about: 'Cable from leaf to spine, m; default 30.',
    value: 'M',
    group: 'Cables',
  },
  spineToCoreM: {
    schema: metres.optional(),
    about: 'Cable from spine to core, m; default 200.',
    value: 'M',
    group: 'Cables',
  },
  json: planFlags.json,
};

export const fabric = defineAction({
  about:
    'Plans the network inside a cluster of GPUs: leaf and spine or rail-optimised, two tiers or three, with switches, ports, cables, ' +
    'optics, bisection and what is left when a switch fails. Needs no network file.',
  flags,
  examples: [
    {
      line: 'inferpath plan fabric --gpus 1024 --nic-gbps 400 --radix 64 --rails 8',
      about: 'a rail-optimised fabric for 128 nodes',
    },
    {
      line: 'inferpath plan fabric --gpus 16384 --nic-gbps 400 --port-gbps 800 --radix 64 --oversubscription 2',
      about: 'what oversubscription saves and costs',
    },
  ],
  run({ flags, io }) {
    const wish = wishOf(flags);
    const mistakes = wishMistakes(wish).map((text) => text.replace(/^\w+/, flagName));
    if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
    const plan = planFabric(wish);
    if (!plan) throw new UsageError(tooMany(wish));
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(plan) : renderFabricText(plan, { columns, colors }));
    return Promise.resolve(exitCode.ready);
  },
});

function wishOf(given: FlagValues<typeof flags>): FabricWish {
  const take = (key: keyof typeof given & keyof FabricWish, unit: string, other: number, why: string): Figure => {
    const value = given[key];
    return typeof value === 'number' ? entered(key, value, unit, flagName(key)) : assumed(key, other, unit, why);
  };
  return {
    gpus: take('gpus', '', 0, ''),
    gpusPerNode: take('gpusPerNode', '', 8, 'as most servers for training have'),
    nicsPerGpu: take('nicsPerGpu', '', 1, 'one NIC for each GPU'),
    nicGbps: take('nicGbps', 'Gbit/s', 0, ''),
    radix: take('radix', '', 0, ''),
    portGbps: take('portGbps', 'Gbit/s', given.nicGbps, 'as the NIC'),
    oversubscription: take('oversubscription', '', 1, 'none'),
    rails: take('rails', '', 0, 'none'),
    hostToLeafM: take('hostToLeafM', 'm', 2, 'the leaf in the same or the next rack'),
    leafToSpineM: take('leafToSpineM', 'm', 30, 'a row of racks'),
    spineToCoreM: take('spineToCoreM', 'm', 200, 'a hall'),
  };
}

function tooMany({ gpus, nicsPerGpu, nicGbps, portGbps, radix, oversubscription, rails }: FabricWish): string {
  const { threeTiers } = largestFabric({
    endpoints: 0,
    nicGbps: nicGbps.value,
    portGbps: portGbps.value,
    radix: radix.value,
    oversubscription: oversubscription.value,
    rails: rails.value,
  });
  return `--gpus: found ${gpus.value}; allowed: at most about ${Math.floor(threeTiers / nicsPerGpu.value)} with these switches in three tiers; take a larger --radix or --port-gbps, or more --oversubscription`;
}
