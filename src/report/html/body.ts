import type { AssessReport } from '../../model/assess.ts';
import { printable } from '../../model/outcome.ts';
import { otherFindings } from '../facts.ts';
import { intervalText, quantity } from '../format.ts';
import { howMeasured } from '../methods.ts';
import { changes } from './changes.ts';
import { endpointSection } from './endpoint.ts';
import { esc } from './escape.ts';
import { filters, findingsTable } from './findings.ts';
import { matrix } from './matrix.ts';

/**
 * What a report says below its headline, as sections of one page: matrix, remedies, each endpoint, methods, numbers. For the page of a
 * file and for the one of a server alike: no inline style and no script, so that any policy lets it through.
 */
export function reportBody(report: AssessReport): string[] {
  const other = otherFindings(report);
  return [
    hatch,
    matrix(report),
    changes(report),
    filters(report),
    ...report.endpoints.map((e, i) => endpointSection(report, e, i)),
    other.length > 0
      ? `<section class="ep"><h2>This client and the run</h2>${findingsTable(report, other)}</section>`
      : '',
    methods(report),
    numbers(report),
  ];
}

// One pattern for the whole page: grey stripes mean that the evidence does not decide.
const hatch =
  '<svg width="0" height="0" class="defs" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-bg" width="6" height="6"/><path class="hatch" d="M1.5 0V6"/></pattern></defs></svg>';

function methods(report: AssessReport): string {
  return `<section class="ep"><h2>How this was measured</h2><div class="card"><ul class="notes">${howMeasured(report)
    .map((l) => `<li>${esc(l)}</li>`)
    .join('')}</ul></div></section>`;
}

function numbers(report: AssessReport): string {
  const rows = report.endpoints.flatMap((e) =>
    e.metrics.map((m) => {
      const cells = [
        ['endpoint', printable(e.name), ''],
        ['value', quantity(m.value, m.unit), 'num'],
        ['interval', intervalText(m.interval, m.unit) || '–', 'num'],
        ['n', String(m.n), 'num'],
        ['how', printable(m.how), ''],
      ].map(
        ([label, value, kind]) => `<td data-label="${label}"${kind && ` class="${kind}"`}>${esc(value ?? '')}</td>`,
      );
      return `<tr><th scope="row">${esc(printable(m.metric))}</th>${cells.join('')}</tr>`;
    }),
  );
  if (rows.length === 0) return '';
  const header = ['metric', 'endpoint', 'value', 'interval', 'n', 'how']
    .map((h) => `<th scope="col"${['value', 'interval', 'n'].includes(h) ? ' class="num"' : ''}>${h}</th>`)
    .join('');
  return `<section aria-labelledby="numbers-title"><h2 id="numbers-title">Numbers</h2><div class="card scroll" tabindex="0" role="region" aria-label="Numbers"><table class="numbers restack"><thead><tr>${header}</tr></thead><tbody>${rows.join('')}</tbody></table></div></section>`;
}
