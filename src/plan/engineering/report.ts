import type { SndlibNetwork } from '../../gather/topology/sndlib.ts';
import type { EngineeringReport, LinkCapacity } from '../../model/plan/engineering.ts';
import { analyse, type AnalyseOptions, type EngineeringInput } from './analyse.ts';
import { engineeringChanges, engineeringFindings } from './findings.ts';
import { capacityFindings } from './capacity-findings.ts';
import { cheapestModules } from './modules.ts';

export interface EngineeringSource {
  kind: EngineeringReport['source']['kind'];
  files: string[];
  unit: string;
  notes: string[];
  /** Of a network file: what is known of the capacity of each link. */
  capacities?: readonly LinkCapacity[];
  /** Where modules are on offer. */
  sndlib?: SndlibNetwork;
}

/** The whole report: analysis, modules, findings, changes. */
export async function engineeringReportOf(
  input: EngineeringInput,
  { kind, files, unit, notes, capacities = [], sndlib }: EngineeringSource,
  options: AnalyseOptions,
): Promise<EngineeringReport> {
  const analysis = await analyse(input, options);
  const unjudged = capacities.filter(({ is }) => is === 'unknown').map(({ link }) => link);
  const atLeast = capacities.filter(({ is }) => is === 'atLeast').map(({ link }) => link);
  const report = {
    schema: 'inferpath/plan-engineering@1' as const,
    source: {
      kind,
      files,
      unit,
      nodes: input.network.graph.nodes,
      links: new Set(analysis.links.map(({ link }) => link)).size + unjudged.length,
      demands: input.demands.volume.length,
      volume: input.demands.volume.reduce((sum, much) => sum + much, 0),
    },
    ...analysis,
    capacities: capacities.filter(({ measured }) => measured !== null),
    modules: sndlib ? await buy(sndlib, input, analysis.links, options) : null,
    notes,
  };
  const judged = {
    ...report,
    upgrades: { ...report.upgrades, given: report.upgrades.given.filter(({ link }) => !atLeast.includes(link)) },
  };
  return {
    ...report,
    findings: [...engineeringFindings(judged, [...unjudged, ...atLeast]), ...capacityFindings(report)],
    changes: engineeringChanges(judged),
  };
}

/** Modules for the loads of the routing as given: of the busier direction, or of both where they share. */
async function buy(
  file: SndlibNetwork,
  { limit }: EngineeringInput,
  links: EngineeringReport['links'],
  { solver, signal }: AnalyseOptions,
): Promise<EngineeringReport['modules']> {
  const load = new Map<string, number>();
  for (const { link, utilisation, capacity } of links)
    load.set(link, Math.max(load.get(link) ?? 0, utilisation * capacity));
  const offered = file.links.filter(({ name }) => load.has(name));
  const loads = offered.map(({ name }) => load.get(name)!);
  if (offered.length === 0) return null;
  return cheapestModules(
    offered,
    loads,
    loads.map((much) => much / limit),
    solver,
    signal,
  );
}
