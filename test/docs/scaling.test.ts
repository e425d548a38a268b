import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { costs, measured } from '../../bench/scaling/constants.ts';
import { simulated, withTables } from '../../bench/scaling/page.ts';
import { planOf, scenarios } from '../../bench/scaling/plan.ts';
import { simulate } from '../../bench/scaling/simulate.ts';

const factor = (a: number, b: number) => Math.max(a / b, b / a);

describe('simulation of servers', () => {
  it.each(measured)('is within a factor of 1.5 of the run with $rows rows and $rowsPerSec results/s', (run) => {
    const { rowsPerSec, ackP50Sec, jsUse } = simulated(run);
    expect(factor(rowsPerSec, run.rowsPerSec)).toBeLessThan(1.5);
    expect(factor(ackP50Sec, run.ackP50Sec)).toBeLessThan(1.5);
    expect(factor(jsUse, run.jsUse)).toBeLessThan(1.5);
  });

  const load = { agents: 50, batchRows: 100, everySec: 1, servers: 1, jsShare: 1, seconds: 60, seed: 7 };
  const free = { jsPerBatchSec: 0, jsPerRowSec: 0, commitSec: 0, commitPerRowSec: 0 };

  it('is the same for the same seed, and another one for another', () => {
    expect(simulate(load, costs)).toEqual(simulate(load, costs));
    expect(simulate({ ...load, seed: 8 }, costs)).not.toEqual(simulate(load, costs));
  });

  it('takes what is offered where there is room, at the cost of the work', () => {
    const { rowsPerSec, jsUse } = simulate(load, { ...free, jsPerBatchSec: 0.004 });
    expect(factor(rowsPerSec, 5000)).toBeLessThan(1.02);
    expect(factor(jsUse, 50 * 0.004)).toBeLessThan(1.02);
  });

  it("obeys Little's law where agents wait for their acknowledgement", () => {
    const { rowsPerSec, ackP50Sec } = simulate({ ...load, everySec: 0 }, { ...free, jsPerBatchSec: 0.01 });
    expect(factor(rowsPerSec, 100 / 0.01)).toBeLessThan(1.02);
    expect(factor((rowsPerSec / 100) * ackP50Sec, 50)).toBeLessThan(1.03);
  });

  it('commits what waits together: one at a time would be 100 ms each', () => {
    const { rowsPerSec, ackP99Sec } = simulate(load, { ...free, commitSec: 0.1 });
    expect(factor(rowsPerSec, 5000)).toBeLessThan(1.02);
    expect(ackP99Sec).toBeGreaterThan(0.1);
    expect(ackP99Sec).toBeLessThanOrEqual(0.2 + 1e-9);
  });

  it('spreads agents over servers', () => {
    const one = simulate({ ...load, everySec: 0 }, { ...free, jsPerBatchSec: 0.01 });
    const four = simulate({ ...load, everySec: 0, servers: 4 }, { ...free, jsPerBatchSec: 0.01 });
    expect(factor(four.rowsPerSec, 4 * one.rowsPerSec)).toBeLessThan(1.02);
  });
});

describe('docs/scaling.md', () => {
  it('holds the tables that bench/scaling makes (npx tsx bench/scaling/run.ts)', () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/scaling.md', import.meta.url)), 'utf8');
    expect(page).toBe(withTables(page));
    expect(page.match(/^\| 10,000 \| 1,000,000 /gm)).toHaveLength(2);
  });

  it('never plans a server that has no room left', () => {
    for (const plan of scenarios.map(planOf)) {
      expect(plan.jsUse).toBeLessThan(0.62);
      expect(plan.agents / plan.ingestServers).toBeLessThanOrEqual(20_000);
    }
  });
});
