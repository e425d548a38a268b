import * as z from 'zod';
import { planDemand } from '../../plan/demand/demand.ts';
import { prettyJson } from '../../report/json.ts';
import { renderDemandText } from '../../report/plan/demand-text.ts';
import { defineAction, exitCode } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { planFlags } from './flags.ts';
import { readObservations } from './observations.ts';

export const demand = defineAction({
  about:
    'Turns workloads, jobs and demands into the traffic between sites, in Gbit/s and packets per second: mean, busiest hour and 99th ' +
    'percentile, and says how each figure was worked out and which of its inputs are measured, entered, published or assumed.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 1, max: 1 },
  flags: {
    year: {
      schema: z.coerce.number().int().min(0).max(20).default(0),
      about: 'Years of growth (planning.growthPerYear) to add; default 0, today.',
      value: 'N',
    },
    observations: planFlags.observations,
    explain: {
      schema: z.boolean().default(false),
      about: 'Show how every part was worked out; default: the three largest.',
    },
    json: planFlags.json,
  },
  examples: [
    { line: 'inferpath plan demand network.yaml', about: 'the traffic matrix of today' },
    { line: 'inferpath plan demand network.yaml --year 3 --explain', about: 'in three years, with every formula' },
    {
      line: 'inferpath plan demand network.yaml --observations assess.json',
      about: 'sizes of requests that were measured before published ones',
    },
  ],
  async run({ flags, positionals: [file = ''], io }) {
    const network = await loadPlannedNetwork(file, io);
    const observations = await readObservations(flags.observations, io);
    const plan = planDemand(network, flags.year, observations);
    const { columns, colors } = io.terminal;
    io.terminal.out(
      flags.json ? prettyJson(plan) : renderDemandText(plan, { columns, colors, explain: flags.explain }),
    );
    return plan.findings.some((f) => f.verdict === 'fail') ? exitCode.notReady : exitCode.ready;
  },
});
