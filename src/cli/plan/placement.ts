import * as z from 'zod';
import { defineAction, UsageError } from '../command.ts';
import { planFlags } from './flags.ts';
import { placePmed } from './placement-case.ts';

const flags = {
  json: planFlags.json,
  timeLimit: planFlags.timeLimit,
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
};

export const placement = defineAction({
  about:
    'Where to put inference sites, or how few are enough, with a proof of how good the answer is: nothing better exists, or by how much ' +
    'at most.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 0, max: 1 },
  flags,
  examples: [
    { line: 'inferpath plan placement --pmed pmed1.txt', about: 'solves a published case and proves it' },
    {
      line: 'inferpath plan placement --pmed pmed40.txt --time-limit 10',
      about: 'the best of ten seconds, with its gap',
    },
  ],
  run({ flags, positionals: [file], io }) {
    if (flags.pmed !== undefined && file === undefined) return placePmed(flags.pmed, flags.problem, flags, io);
    throw new UsageError('found no --pmed FILE alone; allowed: that');
  },
});
