import { classDefaults } from '../model/class-defaults.ts';
import type { WorkloadClass } from '../model/workload.ts';

/** What `inferpath init` has learned from flags or answers; every name is a valid one. */
export interface StarterAnswers {
  vantage: string;
  endpoints: { name: string; url: string; workload: WorkloadClass; site?: string; model?: string; authEnv?: string }[];
  sites: { name: string; lat: number; lon: number; role: 'user' | 'edge' | 'dc' | 'cloud' }[];
}

/**
 * A commented network file, version 1. Texts are quoted, so that no answer can break out of its value;
 * only the comments are fixed.
 */
export function starterYaml(answers: StarterAnswers): string {
  const sections = [
    '# The network that inferpath judges: where users and endpoints are and what each workload needs.',
    '# Every key is explained in docs/reference/network-file.md and by `inferpath schema network`.',
    'version: 1',
    '',
    '# Where inferpath runs; this name stands on every measurement.',
    `vantage: { name: ${scalar(answers.vantage)} }`,
    ...siteLines(answers.sites),
    '',
    '# The inference APIs to judge. A key comes from an environment variable or a file, never from here.',
    'endpoints:',
    ...answers.endpoints.flatMap(endpointLines),
    ...targetLines([...new Set(answers.endpoints.map((e) => e.workload))]),
  ];
  return `${sections.join('\n')}\n`;
}

function siteLines(sites: StarterAnswers['sites']): string[] {
  const example = '# - { name: frankfurt, role: dc, location: { lat: 50.11, lon: 8.68 } }';
  const heading = [
    '',
    '# Places of users and endpoints. With positions inferpath knows how much of a delay is distance.',
  ];
  if (sites.length === 0) return [...heading, '# sites:', `#   ${example.slice(2)}`];
  const lines = sites.map(
    (s) => `  - { name: ${scalar(s.name)}, role: ${s.role}, location: { lat: ${s.lat}, lon: ${s.lon} } }`,
  );
  return [...heading, 'sites:', ...lines];
}

function endpointLines(e: StarterAnswers['endpoints'][number]): string[] {
  return [
    `  - name: ${scalar(e.name)}`,
    `    url: ${scalar(e.url)}`,
    `    workload: ${e.workload} # ${classDefaults[e.workload].about}`,
    e.model === undefined ? '    # model: name-of-the-model' : `    model: ${scalar(e.model)}`,
    e.authEnv === undefined ? '    # auth: { env: INFERENCE_API_KEY }' : `    auth: { env: ${scalar(e.authEnv)} }`,
    ...(e.site === undefined ? [] : [`    site: ${scalar(e.site)}`]),
  ];
}

function targetLines(classes: readonly WorkloadClass[]): string[] {
  const lines = classes.flatMap((name) => {
    const { networkRttMs, ttftMs } = classDefaults[name].targets;
    const limit = (t: { max: number; percentile?: number }) => `{ max: ${t.max}, percentile: ${t.percentile ?? 99} }`;
    return [`#   ${name}:`, `#     networkRttMs: ${limit(networkRttMs)}`, `#     ttftMs: ${limit(ttftMs)}`];
  });
  return [
    '',
    '# Limits per class. These are the built-in ones (docs/workloads.md); remove the # to change them.',
    '# targets:',
    ...lines,
  ];
}

/** One YAML value on one line: bare where it can mean nothing else, else in double quotes, which YAML takes over from JSON. */
function scalar(text: string): string {
  const isBare = /^[a-z](?:[\w./:-]*[\w/-])?$/i.test(text) && !/^(?:true|false|null)$/i.test(text);
  return isBare ? text : JSON.stringify(text);
}
