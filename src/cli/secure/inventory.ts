import * as z from 'zod';
import { secureEvidence } from '../../model/secure/evidence.ts';
import { prettyJson } from '../../report/json.ts';
import { renderInventoryText } from '../../report/secure/inventory-text.ts';
import { takeInventory } from '../../secure/inventory/inventory.ts';
import { defineAction, type ExitCode, exitCode } from '../command.ts';
import { readJsonInputs } from '../input-file.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { jsonFlag } from './flags.ts';

const evidenceInput = {
  schema: secureEvidence,
  maxBytes: 64 * 1024 * 1024,
  allowed: 'what secure tls, exposure, policy prove or policy drift printed with --json',
};

export const secureInventory = defineAction({
  about:
    'What encrypts every hop of a network file (OTNsec, MACsec, IPsec, WireGuard, TLS; QKD only as additional source of keys) as gates pass, fail or unknown, each with ' +
    'its evidence; and the tenets of NIST SP 800-207, only where reports of the other actions measured them. Sends nothing.',
  positionals: { name: 'network.yaml', about: 'the network file', min: 1, max: 1 },
  flags: {
    evidence: {
      schema: z.array(z.string().min(1)).default([]),
      about:
        'What secure tls, exposure, policy prove or policy drift printed with --json: measured wins over declared; may be repeated.',
      value: 'FILE',
      repeated: true,
    },
    json: jsonFlag,
  },
  examples: [
    { line: 'inferpath secure inventory network.yaml', about: 'what the file says, and what it leaves open' },
    {
      line: 'inferpath secure inventory network.yaml --evidence tls.json --evidence exposure.json',
      about: 'with what was measured',
    },
  ],
  async run({ flags, positionals: [file = ''], io }): Promise<ExitCode> {
    const network = await loadPlannedNetwork(file, io);
    const evidence = await readJsonInputs(flags.evidence, evidenceInput, io, '--evidence');
    const report = takeInventory(network, file, evidence, new Date(io.clock.wallMs()));
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(report) : renderInventoryText(report, { columns, colors }));
    if (report.score.failed > 0 || report.tenets.some(({ state }) => state === 'fail')) return exitCode.notReady;
    return report.score.unknown > 0 || report.score.passed === 0 ? exitCode.couldNotMeasure : exitCode.ready;
  },
});
