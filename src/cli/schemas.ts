import { captureFlowsReport } from '../model/capture/collection-report.ts';
import { captureReport } from '../model/capture/report.ts';
import * as z from 'zod';
import { reflectLine } from '../lab/reflect/lines.ts';
import { truthRow } from '../lab/reflect/truth.ts';
import { labCheckSchema, labReportSchema } from '../lab/report.ts';
import { agentStatus } from '../model/agent-health.ts';
import { alertTestReport } from '../model/alert-test-report.ts';
import { assessReport } from '../model/assess.ts';
import { importReport } from '../model/import.ts';
import { inferReport } from '../model/infer-report.ts';
import { mtuReport } from '../model/mtu-report.ts';
import { failuresEstimate, failuresReport } from '../model/plan/failures.ts';
import { opticalReport } from '../model/plan/optical.ts';
import { opticalNetworkReport } from '../model/plan/optical-network.ts';
import { engineeringReport } from '../model/plan/engineering.ts';
import { placementCase, placementPlan } from '../model/plan/placement.ts';
import { planDemand } from '../model/plan/demand.ts';
import { planFabric } from '../model/plan/fabric.ts';
import { planTransport } from '../model/plan/transport.ts';
import { planReport } from '../model/plan/plan.ts';
import { exposureReport } from '../model/secure/exposure.ts';
import { inventoryReport } from '../model/secure/inventory.ts';
import { redundancyReport } from '../model/plan/redundancy.ts';
import { pingReport } from '../model/ping-report.ts';
import { network } from '../model/network.ts';
import { serveLine } from '../model/serve-line.ts';
import { storeReport } from '../model/store-report.ts';
import { sloCheckReport, sloExportReport, sloImportReport } from '../model/slo-report.ts';
import { anomaliesReport } from '../model/secure/anomalies.ts';
import { policyProof } from '../model/secure/policy-proof.ts';
import { secureTlsReport } from '../model/secure/tls.ts';
import { policyApplyReport } from '../model/secure/policy-apply.ts';
import { policyDriftReport } from '../model/secure/policy-drift.ts';
import { policySuggestion } from '../model/secure/policy-suggestion.ts';
import { stampReport } from '../model/stamp-report.ts';
import { traceReport } from '../model/trace-report.ts';
import { responsivenessReport } from '../model/responsiveness.ts';
import { throughputReport, throughputServeLine } from '../model/throughput.ts';
import { adminReply, agentsReply, alertReply, tokenReply } from '../serve/replies.ts';
import { type JsonSchema, toJsonSchema } from './allowed.ts';
import { UsageError } from './command.ts';
import { nearest } from './suggest.ts';

interface Published {
  name: string;
  about: string;
  schema: z.ZodType;
  /** What a user writes, or what the program prints. */
  side: 'input' | 'output';
}

const initReport = z
  .strictObject({
    path: z.string().meta({ description: 'The file that was written, as it was given.' }),
    network: network.meta({ description: 'What it holds, with all defaults.' }),
  })
  .meta({ title: 'inferpath init --json', description: 'The network file that inferpath init wrote.' });

/** Every schema that `inferpath schema` prints; a new one is one line. */
export const schemas: readonly Published[] = [
  { name: 'network', about: 'the network file', schema: network, side: 'input' },
  { name: 'infer', about: 'what inferpath infer --json prints', schema: inferReport, side: 'output' },
  { name: 'assess', about: 'what inferpath assess --json prints', schema: assessReport, side: 'output' },
  { name: 'mtu', about: 'what inferpath mtu --json prints', schema: mtuReport, side: 'output' },
  { name: 'ping', about: 'what inferpath ping --json prints', schema: pingReport, side: 'output' },
  { name: 'import', about: 'what inferpath import --json prints', schema: importReport, side: 'output' },
  { name: 'trace', about: 'what inferpath trace --json prints', schema: traceReport, side: 'output' },
  {
    name: 'policy-apply',
    about: 'what inferpath secure policy apply --json prints',
    schema: policyApplyReport,
    side: 'output',
  },
  {
    name: 'policy-drift',
    about: 'what inferpath secure policy drift --json prints',
    schema: policyDriftReport,
    side: 'output',
  },
  {
    name: 'policy-suggestion',
    about: 'what inferpath secure policy suggest --json prints',
    schema: policySuggestion,
    side: 'output',
  },
  { name: 'throughput', about: 'what inferpath throughput --json prints', schema: throughputReport, side: 'output' },
  {
    name: 'throughput-serve',
    about: 'each line that inferpath throughput --serve --json prints',
    schema: throughputServeLine,
    side: 'output',
  },
  {
    name: 'policy-proof',
    about: 'what inferpath secure policy prove --json prints',
    schema: policyProof,
    side: 'output',
  },
  { name: 'init', about: 'what inferpath init --json prints', schema: initReport, side: 'output' },
  { name: 'lab', about: 'what inferpath lab run --json prints', schema: labReportSchema, side: 'output' },
  { name: 'lab-check', about: 'what inferpath lab check --json prints', schema: labCheckSchema, side: 'output' },
  {
    name: 'plan-placement',
    about: 'what inferpath plan placement NETWORK --json prints',
    schema: placementPlan,
    side: 'output',
  },
  {
    name: 'plan-placement-case',
    about: 'what inferpath plan placement --pmed --json prints',
    schema: placementCase,
    side: 'output',
  },
  { name: 'plan', about: 'what inferpath plan NETWORK --json prints', schema: planReport, side: 'output' },
  {
    name: 'plan-redundancy',
    about: 'what inferpath plan redundancy --json prints',
    schema: redundancyReport,
    side: 'output',
  },
  {
    name: 'optical',
    about: 'what inferpath plan optical --gnpy … --json prints',
    schema: opticalReport,
    side: 'output',
  },
  {
    name: 'plan-optical',
    about: 'what inferpath plan optical NETWORK --json prints',
    schema: opticalNetworkReport,
    side: 'output',
  },

  { name: 'plan-demand', about: 'what inferpath plan demand --json prints', schema: planDemand, side: 'output' },
  {
    name: 'plan-transport',
    about: 'what inferpath plan transport --json prints',
    schema: planTransport,
    side: 'output',
  },
  { name: 'plan-fabric', about: 'what inferpath plan fabric --json prints', schema: planFabric, side: 'output' },
  {
    name: 'plan-engineering',
    about: 'what inferpath plan engineering --json prints',
    schema: engineeringReport,
    side: 'output',
  },
  {
    name: 'plan-failures',
    about: 'what inferpath plan failures --json prints',
    schema: failuresReport,
    side: 'output',
  },
  {
    name: 'plan-failures-estimate',
    about: 'what inferpath plan failures --estimate --json prints',
    schema: failuresEstimate,
    side: 'output',
  },
  {
    name: 'anomalies',
    about: 'what inferpath secure anomalies --json prints',
    schema: anomaliesReport,
    side: 'output',
  },
  { name: 'secure-tls', about: 'what inferpath secure tls --json prints', schema: secureTlsReport, side: 'output' },
  {
    name: 'secure-exposure',
    about: 'what inferpath secure exposure --json prints',
    schema: exposureReport,
    side: 'output',
  },
  {
    name: 'secure-inventory',
    about: 'what inferpath secure inventory --json prints',
    schema: inventoryReport,
    side: 'output',
  },
  { name: 'store', about: 'what inferpath store --json prints', schema: storeReport, side: 'output' },
  { name: 'stamp', about: 'what inferpath stamp --json prints', schema: stampReport, side: 'output' },
  {
    name: 'responsiveness',
    about: 'what inferpath responsiveness --json prints',
    schema: responsivenessReport,
    side: 'output',
  },
  { name: 'reflect', about: 'each line that inferpath reflect --json prints', schema: reflectLine, side: 'output' },
  { name: 'serve', about: 'the line that inferpath serve --json prints', schema: serveLine, side: 'output' },
  { name: 'up', about: 'the line that inferpath up --json prints', schema: serveLine, side: 'output' },
  { name: 'token', about: 'what inferpath token --json prints', schema: tokenReply, side: 'output' },
  { name: 'agents', about: 'what inferpath agents --json prints', schema: agentsReply, side: 'output' },
  { name: 'admin', about: 'what inferpath admin --json prints', schema: adminReply, side: 'output' },
  { name: 'agent-status', about: 'each line that inferpath agent --json prints', schema: agentStatus, side: 'output' },
  { name: 'slo-import', about: 'what inferpath slo import --json prints', schema: sloImportReport, side: 'output' },
  { name: 'slo-check', about: 'what inferpath slo check --json prints', schema: sloCheckReport, side: 'output' },
  { name: 'slo-export', about: 'what inferpath slo export --json prints', schema: sloExportReport, side: 'output' },
  { name: 'alert', about: 'what inferpath alert list and show print with --json', schema: alertReply, side: 'output' },
  { name: 'alert-test', about: 'what inferpath alert test --json prints', schema: alertTestReport, side: 'output' },
  {
    name: 'capture-flows',
    about: 'what inferpath capture --listen --json prints',
    schema: captureFlowsReport,
    side: 'output',
  },
  { name: 'capture', about: 'what inferpath capture --json prints', schema: captureReport, side: 'output' },
  { name: 'truth', about: 'each line that inferpath reflect --truth writes', schema: truthRow, side: 'output' },
];

export const schemaNames: readonly string[] = schemas.map((s) => s.name);

/**
 * The JSON Schema of a name, draft 2020-12.
 * @throws UsageError when there is none of that name.
 */
export function publishedSchema(name: string): JsonSchema {
  const found = schemas.find((s) => s.name === name);
  if (found) return unwrapped(toJsonSchema(found.schema, found.side));
  const near = nearest(name, schemaNames);
  throw new UsageError(
    `<name>: found "${name}"; allowed: ${schemaNames.join(', ')}${near ? `; did you mean ${near}?` : ''}`,
  );
}

/** zod puts a schema with an id under `$defs` and refers to it; readers expect the properties at the top. */
function unwrapped(json: JsonSchema): JsonSchema {
  const { $ref, $defs = {}, ...rest } = json;
  const name = $ref?.split('/').at(-1) ?? '';
  const { [name]: root, ...others } = $defs;
  const isUsedElsewhere = JSON.stringify([root, others]).includes(`"#/$defs/${name}"`);
  if (!root || isUsedElsewhere) return json;
  return { ...rest, ...root, ...(Object.keys(others).length > 0 ? { $defs: others } : {}) };
}
