import { canRunLab } from '../../src/lab/privilege.ts';

const ability = canRunLab();

/**
 * Whether tests that need a lab are to be skipped: where none can be had, with the reason printed, but never in CI, where the
 * missing lab is the failure.
 */
export const skipLab: boolean = !ability.ok && process.env['CI'] !== 'true';
if (!ability.ok && skipLab) process.stderr.write(`lab tests are skipped: ${ability.reason}\n`);
