/**
 * inferpath as a library: the schemas of its nouns (each schema is also the type, the validation and the JSON Schema).
 * Inside the package nobody imports this file; everything else is private and may change.
 */
export * from './model/finding.ts';
export * from './model/inference.ts';
export * from './model/network.ts';
export * from './model/observation.ts';
export * from './model/outcome.ts';
export * from './model/units.ts';
export * from './model/workload.ts';
export * from './model/assess.ts';
export { viewOf, type Rule, type View } from './judge/rule.ts';
export * from './model/import.ts';
export * from './model/round-trips.ts';
export { importObservations, startImport, type ImportOptions, type ImportResult } from './gather/import.ts';
