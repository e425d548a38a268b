import type { LabOptions } from '../../src/lab/lab.ts';

/** The little of `io` that a lab needs, outside any test runner too. */
export const labIo: LabOptions['io'] = {
  env: process.env,
  cwd: process.cwd(),
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  },
};
