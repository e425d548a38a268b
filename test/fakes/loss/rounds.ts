import type { LossRig } from './rig.ts';

/** What can happen to a system that is not to lose anything. */
export const faults = ['kill agent', 'kill server', 'kill both', 'cut', 'full disk', 'clock step'] as const;
export type Fault = (typeof faults)[number];

export interface Round {
  fault: Fault;
  /** In which way, for the table. */
  detail: string;
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const stepsS = [3600, -3600, 86_400, -86_400];

/**
 * One fault at a moment of no design, and its end. While a disk is full or a clock is wrong, processes are killed in every third round, too:
 * what starts then has to start on that disk and by that clock.
 */
export async function oneRound(rig: LossRig, fault: Fault, random: () => number): Promise<Round> {
  const between = (low: number, high: number) => low + random() * (high - low);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const both = { server: rig.server, agent: rig.agent };
  const killed = async (who: readonly ('server' | 'agent')[]) => {
    await Promise.all(who.map((one) => both[one].kill()));
    // On a full disk a start may take as long as the disk is full.
    for (const one of who) void both[one].start();
  };
  await sleep(between(300, 4500));
  switch (fault) {
    case 'kill agent':
      await killed(['agent']);
      return { fault, detail: '' };
    case 'kill server':
      await killed(['server']);
      return { fault, detail: '' };
    case 'kill both':
      await killed(['server', 'agent']);
      return { fault, detail: '' };
    case 'cut':
      rig.way.cut();
      await sleep(between(1000, 5000));
      rig.way.mend();
      return { fault, detail: '' };
    case 'full disk': {
      if (!rig.disks) return { fault, detail: 'left out: nothing can be mounted' };
      const who = pick(['server', 'agent'] as const);
      rig.disks[who].fill();
      await sleep(between(1000, 4000));
      const isKilled = random() < 0.4;
      if (isKilled) await killed([who]);
      await sleep(between(500, 3000));
      rig.disks[who].free();
      return { fault, detail: `of the ${who}${isKilled ? ', killed on it' : ''}` };
    }
    case 'clock step': {
      if (!rig.clocks) return { fault, detail: 'left out: no libfaketime' };
      const who = pick(['server', 'agent'] as const);
      const stepS = pick(stepsS);
      rig.clocks[who].set(stepS);
      await sleep(between(1500, 5000));
      const isKilled = random() < 0.4;
      if (isKilled) await killed([who]);
      await sleep(between(500, 2000));
      rig.clocks[who].set(0);
      return {
        fault,
        detail: `${stepS > 0 ? '+' : ''}${stepS / 3600} h at the ${who}${isKilled ? ', killed in it' : ''}`,
      };
    }
  }
}
