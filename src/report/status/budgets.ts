import { printable } from '../../model/outcome.ts';
import { percent } from '../format.ts';
import { badge } from '../html/badge.ts';
import { esc } from '../html/escape.ts';
import type { BudgetLine, StatusView } from './view.ts';

/** Below this share a budget is worth a look before it is gone. */
const lowShare = 0.25;

/** What is left of every error budget, the emptiest first. */
export function budgetList({ budgets }: StatusView): string {
  if (budgets.length === 0) return '';
  const inOrder = budgets.toSorted((a, b) => (a.left ?? 2) - (b.left ?? 2));
  const header = ['objective', 'endpoint', 'left', 'bad of all'].map((name) => `<th scope="col">${name}</th>`).join('');
  return `<section aria-labelledby="budgets-title"><h2 id="budgets-title">Error budgets</h2><div class="card scroll" tabindex="0" role="region" aria-label="Error budgets"><table class="board budgets restack"><thead><tr>${header}</tr></thead><tbody>${inOrder.map(row).join('')}</tbody></table></div></section>`;
}

function row({ slo, endpoint, objective, periodDays, events, bad, left }: BudgetLine): string {
  const promise = `${percent(objective)} over ${periodDays} d`;
  return `<tr><th scope="row">${esc(printable(slo))}<span class="kind">${esc(promise)}</span></th><td data-label="endpoint">${esc(printable(endpoint))}</td><td data-label="left">${share(left)}</td><td data-label="bad">${events === 0 ? '–' : `${bad} of ${events}`}</td></tr>`;
}

function share(left: number | null): string {
  if (left === null) return badge('unknown', 'not counted yet');
  if (left < 0) return badge('fail', 'overdrawn');
  const bar = `<svg class="cover" viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true"><rect class="${left < lowShare ? 'low' : 'enough'}" width="${Math.round(left * 100)}" height="3"/></svg>`;
  return `${badge(left < lowShare ? 'note' : 'pass', percent(left))}${bar}`;
}
