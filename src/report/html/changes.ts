import type { AssessReport } from '../../model/assess.ts';
import { printable } from '../../model/outcome.ts';
import { isNote, sortFindings } from '../facts.ts';
import { esc } from './escape.ts';
import { gain } from './findings.ts';
import { anchorOf } from './matrix.ts';

const most = 6;

/** The remedies of what failed, worst first: the page's answer to "what exactly do I change?". */
export function changes(report: AssessReport): string {
  const wanting = sortFindings(report).filter((f) => f.verdict === 'fail' && !isNote(f) && f.remedy);
  // Two findings may ask for the same change: it is to be made once.
  const failed = [...new Map(wanting.map((f) => [`${f.subject} ${f.remedy?.text}`, f])).values()];
  if (failed.length === 0) return '';
  const items = failed
    .slice(0, most)
    .map(
      (f) =>
        `<li><a href="#${anchorOf(report, f)}">${esc(printable(f.subject))}</a> ${esc(printable(f.remedy?.text ?? '', 600))}${gain(f.remedy?.gainMs)}</li>`,
    );
  const more = failed.length > most ? `<p class="facts">${failed.length - most} more below.</p>` : '';
  return `<section aria-labelledby="changes-title"><h2 id="changes-title">What to change</h2><div class="card"><ol class="changes">${items.join('')}</ol>${more}</div></section>`;
}
