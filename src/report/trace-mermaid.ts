import type { TraceReport } from '../model/trace-report.ts';
import { drawTrace } from './trace-drawing.ts';

/** The paths as a Mermaid flowchart, as Markdown on code hosts shows them. */
export function renderTraceMermaid(report: TraceReport): string {
  const { title, boxes, arrows } = drawTrace(report);
  const lines = [
    `%% ${title.replaceAll(/[{}%]/g, '')}`,
    'flowchart LR',
    ...boxes.map(({ id, lines, kind }) => {
      const text = quoted(lines);
      return `  ${id}${kind === 'here' ? `((${text}))` : kind === 'target' ? `[[${text}]]` : `(${text})`}`;
    }),
    ...arrows.map(({ from, to, text, isSeen }) => {
      const line = isSeen ? '-->' : '-.->';
      return `  ${from} ${line}${text === '' ? '' : `|${quoted([text])}|`} ${to}`;
    }),
    '  classDef silent stroke-dasharray: 4 4,color:#666',
    ...boxes.filter(({ kind }) => kind === 'silent').map(({ id }) => `  class ${id} silent`),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * A quoted text. Names of hosts are up to their owners, so every character that could mean something to Mermaid, Markdown or
 * HTML is written as Mermaid's entity `#<code point>;`.
 */
function quoted(lines: readonly string[]): string {
  const escape = (line: string) => line.replaceAll(/[^\p{L}\p{N} .:,/()_-]/gu, (c) => `#${c.codePointAt(0)};`);
  return `"${lines.map(escape).join('<br/>')}"`;
}
