import * as z from 'zod';
import { finding, type Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import { printable } from '../../model/outcome.ts';
import { secureEvidence, type SecureEvidence } from '../../model/secure/evidence.ts';
import { takeInventory } from '../../secure/inventory/inventory.ts';
import type { Io } from '../../wire/io.ts';
import { readJsonInputs } from '../input-file.ts';

const input = {
  /** Any report of `secure`: its schema, when it was made, and its findings. The rest is looked at for evidence. */
  schema: z.looseObject({
    schema: z.string().regex(/^inferpath\/(secure|policy|anomalies)/, 'is no such report'),
    startedAt: z.string().optional(),
    measuredAt: z.string().optional(),
    findings: z.array(finding),
  }),
  maxBytes: 64 * 1024 * 1024,
  allowed: 'what an action of inferpath secure printed with --json',
};

/**
 * What `secure` has to say for an assessment: findings of its reports, and what the network file itself says about the encryption of its
 * hops. What passes is left out, but for reports about endpoints: their cell in the matrix wants to know.
 * @throws UsageError for a file that is none of these reports
 */
export async function securedFindings(network: Network, paths: readonly string[], io: Io): Promise<Finding[]> {
  const texts = (await readJsonInputs(paths, input, io, '--secure')).map(readReport);
  const evidence = texts.flatMap(({ evidence }) => evidence ?? []);
  const named = new Set(network.security.hops.map(({ name }) => name));
  const inventory = takeInventory(network, 'the network file', evidence, new Date(io.clock.wallMs()));
  const endpoints = new Set(network.endpoints.map(({ name }) => name));
  const said = [
    ...texts.flatMap(({ findings }) => findings),
    ...inventory.findings.filter(({ subject }) => named.has(subject)),
  ];
  return said.filter(({ verdict, subject }) => verdict !== 'pass' || endpoints.has(subject));
}

function readReport(read: z.infer<typeof input.schema>): { findings: Finding[]; evidence: SecureEvidence | null } {
  const { schema, startedAt, measuredAt, findings } = read;
  const source = `From a report of inferpath (${schema}${startedAt || measuredAt ? ` of ${printable(startedAt ?? measuredAt ?? '', 40)}` : ''}), not measured in this run.`;
  return {
    findings: findings.map((one) => safe({ ...one, details: [...one.details, source] })),
    evidence: secureEvidence.safeParse(read).data ?? null,
  };
}

/** Text of a file is as hostile as text of a peer. */
function safe(one: Finding): Finding {
  return {
    ...one,
    subject: printable(one.subject),
    claim: printable(one.claim, 1000),
    details: one.details.map((text) => printable(text, 1000)),
    ...(one.remedy ? { remedy: { ...one.remedy, text: printable(one.remedy.text, 1000) } } : {}),
  };
}
