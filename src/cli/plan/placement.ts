import * as z from 'zod';
import { defineAction, UsageError } from '../command.ts';
import { planFlags } from './flags.ts';
import { readObservations } from './observations.ts';
import { placeCflp, placePmed } from './placement-case.ts';
import { readCities, readRegions } from './placement-files.ts';
import { placeNetwork } from './placement-network.ts';

const flags = {
  json: planFlags.json,
  timeLimit: planFlags.timeLimit,
  workload: {
    schema: z.string().min(1).optional(),
    about: 'Workload whose users and target count; default: the one with the most users.',
    value: 'NAME',
  },
  target: {
    schema: z.coerce.number().positive().max(10_000).optional(),
    about: 'Round trip to stay within, ms; default: networkRttMs of the workload.',
    value: 'MS',
  },
  coverage: {
    schema: z.coerce.number().gt(0).max(1).optional(),
    about: 'Share of users to bring inside the target; default: planning.coverage of the file, else 0.95.',
    value: 'SHARE',
  },
  maxSites: {
    schema: z.coerce.number().int().min(1).max(1000).optional(),
    about: 'Most sites of the trade-off; default: planning.maxSites of the file, else 10.',
    value: 'N',
  },
  cities: {
    schema: z.string().min(1).optional(),
    about: 'More users: CSV with the headings name, lat, lon and users (or population).',
    value: 'FILE',
  },
  regions: {
    schema: z.string().min(1).optional(),
    about: 'More candidates: CSV with the headings name, lat, lon and, if wanted, monthly.',
    value: 'FILE',
  },
  observations: planFlags.observations,
  pmed: {
    schema: z.string().min(1).optional(),
    about: 'Case in the p-median format of OR-Library, in place of a network file.',
    value: 'FILE',
    group: 'Other files',
  },
  problem: {
    schema: z.enum(['median', 'centre']).default('median'),
    about: 'For --pmed: the least sum of distances (median), or the least greatest distance (centre); default median.',
    value: 'PROBLEM',
    group: 'Other files',
  },
  cflp: {
    schema: z.string().min(1).optional(),
    about: 'Case in the capacitated warehouse format of OR-Library, in place of a network file.',
    value: 'FILE',
    group: 'Other files',
  },
  capacity: {
    schema: z.coerce.number().positive().optional(),
    about: 'For --cflp: what the word "capacity" of its cases a, b and c stands for.',
    value: 'N',
    group: 'Other files',
  },
};

export const placement = defineAction({
  about:
    'Where to put inference sites, or how few are enough, with a proof of how good the answer is: nothing better exists, or by how much ' +
    'at most.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 0, max: 1 },
  flags,
  examples: [
    {
      line: 'inferpath plan placement network.yaml',
      about: 'the fewest sites that bring enough users inside the target',
    },
    {
      line: 'inferpath plan placement network.yaml --target 20 --coverage 0.99',
      about: 'the same for 99 % within 20 ms',
    },
    { line: 'inferpath plan placement --pmed pmed1.txt', about: 'solves a published case and proves it' },
    {
      line: 'inferpath plan placement --pmed pmed40.txt --time-limit 10',
      about: 'the best of ten seconds, with its gap',
    },
  ],
  async run({ flags, positionals: [file], io }) {
    if (flags.pmed !== undefined && file === undefined) return placePmed(flags.pmed, flags.problem, flags, io);
    if (flags.cflp !== undefined && file === undefined) return placeCflp(flags.cflp, flags.capacity, flags, io);
    if (file === undefined || flags.pmed !== undefined || flags.cflp !== undefined)
      throw new UsageError('found no network.yaml, --pmed FILE or --cflp FILE alone; allowed: one of them');
    const { workload, target: targetMs, coverage, maxSites } = flags;
    const moreUsers = flags.cities === undefined ? [] : await readCities(flags.cities, io);
    const moreSites = flags.regions === undefined ? [] : await readRegions(flags.regions, io);
    const observations = await readObservations(flags.observations, io);
    return placeNetwork(
      file,
      { workload, targetMs, coverage, maxSites, moreUsers, moreSites },
      observations,
      flags,
      io,
    );
  },
});
