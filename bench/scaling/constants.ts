import type { ServerCosts } from './simulate.ts';

// All measured on two cores (AMD EPYC, Node 20.20, ext4) that other work kept busy (load average 7 to 10): upper bounds of times, lower bounds of
// rates. `measure.ts` prints them again; the rest says where it comes from.

/** Runs of measure.ts that the simulation has to reproduce: 50 agents, one batch of each under way; CPU less the 5 % of an idle server. */
export const measured = [
  { rows: 200, everySec: 0.5, rowsPerSec: 10_281, jsUse: 0.234, ackP50Sec: 0.889, jsShare: 1 },
  { rows: 2000, everySec: 2.5, rowsPerSec: 29_375, jsUse: 0.338, ackP50Sec: 1.66, jsShare: 0.675 },
  // As fast as acknowledged; what the thread got of its core is then all there was.
  { rows: 2000, everySec: 0, rowsPerSec: 72_780, jsUse: 0.614, ackP50Sec: 1.128, jsShare: 0.675 },
  // bench/watch-load/README.md, with a dashboard beside it.
  { rows: 2000, everySec: 0, rowsPerSec: 84_000, jsUse: 0.82, ackP50Sec: 1.1, jsShare: 0.82 },
] as const;

/** JavaScript: least squares of the CPU seconds of three runs, less what the server takes when idle. Commit: fitted to the
 * first three of `measured`, on a disk that others used, too. */
export const costs: ServerCosts = {
  jsPerBatchSec: 0.0029,
  jsPerRowSec: 8.1e-6,
  commitSec: 0.6,
  commitPerRowSec: 4e-6,
};

export const server = {
  /** 1,000 idle TLS connections: 26.9 MB more. */
  connectionBytes: 26_900,
  /** src/serve/listen.ts. */
  mostConnections: 20_000,
  /** src/serve/evaluation.ts. */
  evaluateEverySec: 5,
};

export const agent = {
  /** 142 connects a second took 0.21 of a core; 122 MB of memory. */
  cpuPerProbeSec: 0.0015,
  /** src/serve/agent/agent.ts. */
  batchEverySec: 2,
};

/** Octets on the way: 16,205 for 2,000 rows and 279 for 5, gzipped; for HTTP, TLS and TCP a kilobyte, which is an estimate. */
export const wire = { perBatchBytes: 1239, perRowBytes: 8 };

export const disk = {
  /** bench/watch-load: a row, its roll-ups included. */
  perRowBytes: 58,
  /** `watch.retention.raw` by default. Roll-ups are kept longer: 90 days of minutes, two years of hours. */
  keepDays: 14,
};

/** bench/store, DuckDB, nothing else in the process, p50: a question of 1,000 targets over a day, one of 100 targets over 6 h with a limit. */
export const query = { dayPerTargetSec: 0.197 / 1000, budgetPerTargetSec: 0.14 / 100 };
