import type { TraceReport } from '../model/trace-report.ts';
import { drawTrace } from './trace-drawing.ts';

const looks = {
  here: 'shape=circle',
  router: 'shape=box, style=rounded',
  silent: 'shape=box, style="rounded,dashed", fontcolor=gray40',
  target: 'shape=box, style="rounded,bold"',
};

/** The paths in the language of Graphviz: `dot -Tsvg`. */
export function renderTraceDot(report: TraceReport): string {
  const { title, boxes, arrows } = drawTrace(report);
  const lines = [
    `digraph ${quoted([title])} {`,
    '  rankdir=LR;',
    '  node [fontname="sans-serif", fontsize=11];',
    '  edge [fontname="sans-serif", fontsize=9];',
    ...boxes.map(({ id, lines, kind }) => `  ${id} [label=${quoted(lines)}, ${looks[kind]}];`),
    ...arrows.map(({ from, to, text, isSeen }) => `  ${from} -> ${to}${attributes(text, isSeen)};`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function attributes(text: string, isSeen: boolean): string {
  const parts = [...(text === '' ? [] : [`label=${quoted([text])}`]), ...(isSeen ? [] : ['style=dashed'])];
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`;
}

/**
 * A quoted string. Names of hosts are up to their owners: quotes end the string and a backslash begins `\N`, `\L` and the
 * like, so both are escaped. `&` would begin an HTML entity, which Graphviz reads even in plain strings.
 */
function quoted(lines: readonly string[]): string {
  const escape = (line: string) => line.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;');
  return `"${lines.map(escape).join('\\n')}"`;
}
