import type { PlanReport } from '../../model/plan/plan.ts';
import { inventoryOf } from '../../plan/inventory.ts';
import { prettyJson } from '../../report/json.ts';
import { renderPlanText } from '../../report/plan/plan-text.ts';
import { defineAction, defineCommand, exitCode } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { planEngineering } from '../plan/engineering.ts';
import { planFailures } from '../plan/failures.ts';
import { planFlags } from '../plan/flags.ts';
import { planRedundancyAction } from '../plan/redundancy.ts';
import { planOptical } from '../plan/optical.ts';
import { placement } from '../plan/placement.ts';

const whole = defineAction({
  about: 'All parts that the file has something for, with the changes that buy most.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 1, max: 1 },
  flags: { json: planFlags.json },
  examples: [{ line: 'inferpath plan network.yaml', about: 'the whole plan' }],
  async run({ flags, positionals: [file = ''], io }) {
    const network = await loadPlannedNetwork(file, io);
    const report: PlanReport = {
      schema: 'inferpath/plan@1',
      network: inventoryOf(network),
      findings: [],
      changes: [],
    };
    io.terminal.out(flags.json ? prettyJson(report) : renderPlanText(report));
    return exitCode.ready;
  },
});

/** `inferpath plan`: what to build or buy. Each part is one file in ../plan and one line here. */
export const plan = defineCommand({
  name: 'plan',
  summary: 'What to build or buy so that inference works, and survives',
  about:
    'From the network file to a plan: bandwidth that the workloads need, light, transport, redundancy, failures, places for inference, ' +
    'upgrades year by year. Sends nothing. Each part can be asked alone; without one, all run.',
  whole,
  actions: {
    optical: planOptical,
    engineering: planEngineering,
    placement,
    failures: planFailures,
    redundancy: planRedundancyAction,
  },
});
