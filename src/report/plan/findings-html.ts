import type { Change } from '../../model/change.ts';
import type { Finding } from '../../model/finding.ts';
import { printable } from '../../model/outcome.ts';
import { evidenceText, quantity } from '../format.ts';
import { badge } from '../html/badge.ts';
import { esc } from '../html/escape.ts';

const line = (text: string) => esc(printable(text, 600));

/** The claim, after the name of what it is about where the claim does not begin with it. */
export function findingSentence({ subject, claim }: Finding): string {
  return claim.startsWith(subject) ? claim : `${subject}: ${claim}`;
}

/** Findings as a table: verdict, claim with details and remedy, evidence. */
export function findingsHtml(findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const passed = findings.filter(({ verdict }) => verdict === 'pass');
  const rows = findings
    .filter(({ verdict }) => verdict !== 'pass')
    .map((f) => {
      const kind = f.verdict;
      const details = f.details.map((d) => `<li>${line(d)}</li>`).join('');
      const remedy = f.remedy ? `<div class="remedy"><strong>→</strong> ${line(f.remedy.text)}</div>` : '';
      const evidence = f.evidence.map((e) => `<div>${esc(evidenceText(e))}</div>`).join('');
      return (
        `<tr data-verdict="${kind}"><td>${badge(kind, kind === 'fail' ? 'FAIL' : kind)}</td>` +
        `<td><div class="claim">${line(findingSentence(f))}</div>${details && `<ul>${details}</ul>`}${remedy}</td>` +
        `<td class="evidence">${evidence}<div class="id">${esc(f.id)} · ${f.pillar} · confidence ${f.confidence}</div></td></tr>`
      );
    });
  return `<div class="card found"><table class="findings restack"><thead><tr><th scope="col">verdict</th><th scope="col">finding and remedy</th><th scope="col">evidence</th></tr></thead><tbody>${rows.join('')}</tbody></table>${passedHtml(passed)}</div>`;
}

function passedHtml(passed: readonly Finding[]): string {
  if (passed.length === 0) return '';
  const items = passed.map(
    (f) => `<li data-verdict="pass">${badge('pass', 'pass')} <span>${line(findingSentence(f))}</span></li>`,
  );
  return `<details><summary>${passed.length} checks pass</summary><ul class="passed">${items.join('')}</ul></details>`;
}

/** Changes with what each buys, in the order given. */
export function changesHtml(changes: readonly Change[]): string {
  if (changes.length === 0) return '<p>Nothing has to change for what was checked.</p>';
  const items = changes.map((c) => {
    const buys = c.buys.map(
      ({ metric, before, after, unit }) =>
        `<li>${line(metric)}: ${esc(quantity(before, unit))} <span class="arrow">→</span> <b>${esc(quantity(after, unit))}</b></li>`,
    );
    return (
      `<li><h3>${line(c.target)}</h3>: ${line(c.before)} <span class="arrow">→</span> <strong>${line(c.after)}</strong>` +
      `<ul class="buys">${buys.join('')}</ul>${cost(c)}<div class="cost">Verify: ${line(c.verify)} · Undo: ${line(c.rollback)}</div></li>`
    );
  });
  const list = (from: number, to: number) =>
    `<ol class="changes plan-changes" start="${from + 1}">${items.slice(from, to).join('')}</ol>`;
  const rest = items.length - mostChanges;
  const more = rest > 0 ? `<details><summary>${rest} more</summary>${list(mostChanges, items.length)}</details>` : '';
  return `<div class="card">${list(0, mostChanges)}${more}</div>`;
}

/** Changes that are shown at once. */
const mostChanges = 6;

function cost({ cost }: Change): string {
  const words = costWords(cost);
  return words === '' ? '' : `<div class="cost">${esc(words)}</div>`;
}

/** `3,100 EUR a month, 4,500 EUR once`; empty where no quote says it. */
export function costWords(cost: Change['cost']): string {
  if (!cost) return '';
  const money = (amount: number) => `${Math.round(amount).toLocaleString('en')} ${printable(cost.currency, 3)}`;
  return [
    cost.monthly === undefined ? [] : [`${money(cost.monthly)} a month`],
    cost.setup === undefined ? [] : [`${money(cost.setup)} once`],
  ]
    .flat()
    .join(', ');
}
