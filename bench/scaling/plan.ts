import { agent, costs, disk, query, server, wire } from './constants.ts';
import { simulate } from './simulate.ts';

/** Somebody's network: every target measured once per interval by each of some agents. */
export interface Scenario {
  agents: number;
  targets: number;
  /** Agents that measure one target: what a quorum needs. */
  vantages: number;
  everySec: number;
}

export const scenarios: readonly Scenario[] = [
  { agents: 3, targets: 100, vantages: 3, everySec: 10 },
  { agents: 50, targets: 1000, vantages: 3, everySec: 60 },
  { agents: 500, targets: 20_000, vantages: 3, everySec: 60 },
  { agents: 2000, targets: 100_000, vantages: 3, everySec: 60 },
  { agents: 10_000, targets: 1_000_000, vantages: 1, everySec: 60 },
  { agents: 10_000, targets: 1_000_000, vantages: 3, everySec: 60 },
];

export interface Plan extends Scenario {
  rowsPerSec: number;
  batchRows: number;
  /** Servers that take batches with this much of their JavaScript thread in use at most. */
  ingestServers: number;
  ackP99Sec: number;
  jsUse: number;
  connectionsMb: number;
  /** Bits per second into all servers. */
  networkBps: number;
  diskRawBytes: number;
  evaluationSec: number;
  /** Servers that have to share the evaluation so that each is done in its interval. */
  evaluationServers: number;
  daySec: number;
  agentCpu: number;
  breaksFirst: string;
}

/** Room for a burst, a roll-up and a lost neighbour. */
const mostJsUse = 0.6;

export function planOf(scenario: Scenario): Plan {
  const { agents, targets, vantages, everySec } = scenario;
  const rowsPerSec = (targets * vantages) / everySec;
  const perAgent = rowsPerSec / agents;
  const batchRows = Math.max(1, perAgent * agent.batchEverySec);
  const everyBatchSec = batchRows / perAgent;
  const jsPerSec = rowsPerSec * costs.jsPerRowSec + (agents / everyBatchSec) * costs.jsPerBatchSec;
  const ingestServers = Math.max(1, Math.ceil(jsPerSec / mostJsUse), Math.ceil(agents / server.mostConnections));
  const load = { agents, batchRows, everySec: everyBatchSec, servers: ingestServers, jsShare: 1, seconds: 20, seed: 1 };
  const { ackP99Sec, jsUse } = simulate(load, costs);
  const evaluationSec = targets * query.budgetPerTargetSec;
  const daySec = targets * query.dayPerTargetSec;
  const needs: [string, number][] = [
    [`evaluation every ${server.evaluateEverySec} s`, evaluationSec / server.evaluateEverySec],
    ['JavaScript thread', jsPerSec / mostJsUse],
    ['connections', agents / server.mostConnections],
  ];
  const [first] = needs.sort((a, b) => b[1] - a[1]);
  return {
    ...scenario,
    rowsPerSec,
    batchRows,
    ingestServers,
    ackP99Sec,
    jsUse,
    connectionsMb: (agents * server.connectionBytes) / ingestServers / 1e6,
    networkBps: 8 * (agents / everyBatchSec) * (wire.perBatchBytes + batchRows * wire.perRowBytes),
    diskRawBytes: rowsPerSec * 86_400 * disk.keepDays * disk.perRowBytes,
    evaluationSec,
    evaluationServers: Math.ceil(evaluationSec / server.evaluateEverySec),
    daySec,
    agentCpu: perAgent * agent.cpuPerProbeSec,
    breaksFirst: first && first[1] > 1 ? first[0] : 'nothing',
  };
}

const units = ['', 'k', 'M', 'G', 'T', 'P'];
function scaled(value: number, unit: string): string {
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  const number = value / 1000 ** step;
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${units[step]}${unit}`;
}
const whole = (value: number) => Math.round(value).toLocaleString('en-GB');
const seconds = (value: number) =>
  value < 1 ? `${whole(value * 1000)} ms` : value < 100 ? `${value.toFixed(1)} s` : `${whole(value / 60)} min`;

/** The table of docs/scaling.md. */
export function planTable(): string {
  const rows = scenarios
    .map(planOf)
    .map((plan) => [
      whole(plan.agents),
      `${whole(plan.targets)} x ${plan.vantages} / ${plan.everySec} s`,
      whole(plan.rowsPerSec),
      String(plan.ingestServers),
      `${Math.round(plan.jsUse * 100)} %`,
      seconds(plan.ackP99Sec),
      scaled(plan.networkBps, 'bit/s'),
      scaled(plan.diskRawBytes, 'B'),
      seconds(plan.evaluationSec),
      whole(plan.evaluationServers),
      seconds(plan.daySec),
      plan.breaksFirst,
    ]);
  const head = [
    'agents',
    'targets x agents each / interval',
    'results/s',
    'servers for ingest',
    'JavaScript thread',
    'acknowledged p99',
    'network',
    `disk, ${disk.keepDays} days`,
    'evaluation',
    'servers for it',
    'page of a day',
    'one server breaks first at',
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
