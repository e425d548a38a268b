import { defineCommand } from '../command.ts';
import { planEngineering } from '../plan/engineering.ts';
import { planFailures } from '../plan/failures.ts';
import { planRedundancyAction } from '../plan/redundancy.ts';
import { demand } from '../plan/demand.ts';
import { fabric } from '../plan/fabric.ts';
import { transport } from '../plan/transport.ts';
import { planOptical } from '../plan/optical.ts';
import { placement } from '../plan/placement.ts';
import { wholePlan } from '../plan/whole.ts';

/** `inferpath plan`: what to build or buy. Each part is one file in ../plan and one line here. */
export const plan = defineCommand({
  name: 'plan',
  summary: 'What to build or buy so that inference works, and survives',
  about:
    'From the network file to a plan: bandwidth that the workloads need, light, transport, redundancy, failures, places for inference, ' +
    'upgrades year by year. Sends nothing. Each part can be asked alone; without one, all run.',
  whole: wholePlan,
  actions: {
    demand,
    fabric,
    transport,
    optical: planOptical,
    engineering: planEngineering,
    placement,
    failures: planFailures,
    redundancy: planRedundancyAction,
  },
});
