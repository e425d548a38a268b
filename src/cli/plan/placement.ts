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
    about:
      'More users: the N largest cities of the world (top:N), all over N inhabitants (over:N), or CSV with the headings name, lat, lon and users (or population).',
    value: 'top:N|over:N|FILE',
  },
  countries: {
    schema: z
      .string()
      .transform((text) => text.toUpperCase().split(','))
      .optional(),
    about: 'For --cities top:N and over:N: only of these countries, like DE,FR,US.',
    value: 'CODES',
  },
  users: {
    schema: z.coerce.number().positive().max(1e10).optional(),
    about: 'For --cities: how many users there are in all, spread by inhabitants; default: every inhabitant is one.',
    value: 'N',
  },
  regions: {
    schema: z.string().min(1).optional(),
    about:
      'More candidates: regions of aws, azure or google (several with commas; aws:eu- for codes that begin so), or CSV with the headings name, lat, lon and, if wanted, monthly.',
    value: 'CLOUDS|FILE',
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

const none = { places: [], notes: [] };

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
    {
      line: 'inferpath plan placement --cities top:200 --regions aws,google --target 40',
      about: 'no file: which regions of clouds bring 95 % of the people of the 200 largest cities within 40 ms',
    },
    {
      line: 'inferpath plan placement network.yaml --cities over:250000 --countries DE,FR --users 50000 --regions azure',
      about: 'users and candidates beside those of the file',
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
    const { cities, countries, users, regions } = flags;
    const isOpenData = cities !== undefined && regions !== undefined;
    if ((file === undefined && !isOpenData) || flags.pmed !== undefined || flags.cflp !== undefined)
      throw new UsageError(
        'found no network.yaml, --pmed FILE or --cflp FILE alone; allowed: one of them, or --cities with --regions',
      );
    if (cities === undefined && (countries ?? users) !== undefined)
      throw new UsageError('--countries, --users: found without --cities; allowed: with it');
    const { workload, target: targetMs, coverage, maxSites } = flags;
    const moreUsers = cities === undefined ? none : await readCities({ cities, countries, users }, io);
    const moreSites = regions === undefined ? none : await readRegions(regions, io);
    const observations = await readObservations(flags.observations, io);
    return placeNetwork(
      file,
      {
        workload,
        targetMs,
        coverage,
        maxSites,
        moreUsers: moreUsers.places,
        moreSites: moreSites.places,
        notes: [...moreUsers.notes, ...moreSites.notes],
      },
      observations,
      flags,
      io,
    );
  },
});
