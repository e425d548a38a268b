import { type ClassDefaults, classDefaults, type Sourced } from '../../src/model/class-defaults.ts';
import { workloadClass } from '../../src/model/workload.ts';
import { code, generatedNote, table } from './markdown.ts';

const metrics = ['networkRttMs', 'networkPdvMs', 'networkLoss', 'ttftMs', 'tokenGapMs', 'stallRate'] as const;

/** docs/reference/workloads.md: the built-in classes, each default with its source. */
export function workloadReference(): string {
  const parts = [
    generatedNote,
    '# Built-in workload classes',
    'What the classes mean and how to change them is told in [workloads.md](../workloads.md). **Own** marks a number that no source gives: it is derived, and the source says how.',
    table(
      ['Class', ...metrics.map(code), 'Prompt / output tokens'],
      workloadClass.options.map((name) => summaryRow(name, classDefaults[name])),
    ),
    ...workloadClass.options.flatMap((name) => classParts(name, classDefaults[name])),
  ];
  return `${parts.join('\n\n')}\n`;
}

function summaryRow(name: string, c: ClassDefaults): string[] {
  return [`[${name}](#${name})`, ...metrics.map((m) => limit(c.targets[m])), `${c.promptTokens} / ${c.maxTokens}`];
}

function classParts(name: string, c: ClassDefaults): string[] {
  const rows = metrics.map((m) => {
    const target = c.targets[m];
    return [code(m), limit(target), `${target.own ? '**Own:** ' : ''}${target.source}`];
  });
  return [
    `## ${name}`,
    `${c.about} Size of a measured request: ${c.promptTokens} tokens in, ${c.maxTokens} out (${c.sizeSource}).`,
    table(['Target', 'Limit', 'Source'], rows),
  ];
}

function limit({ max, percentile }: Sourced): string {
  return `≤ ${max}${percentile === undefined ? '' : ` (p${percentile})`}`;
}
