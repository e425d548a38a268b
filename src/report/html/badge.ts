import type { Verdict } from '../../model/finding.ts';
import { esc } from './escape.ts';

const shape: Record<Verdict | 'note', string> = {
  pass: '<path d="M3 8.5l3.2 3.3L13 4.6" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/>',
  fail: '<path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/>',
  unknown:
    '<path d="M5.2 6a2.9 2.9 0 1 1 4.3 2.5c-1 .6-1.5 1.1-1.5 2.1" fill="none" stroke="currentColor" stroke-width="2.1" stroke-linecap="round"/><circle cx="8" cy="13.4" r="1.4" fill="currentColor"/>',
  note: '<circle cx="8" cy="3.6" r="1.5" fill="currentColor"/><path d="M8 7.2v6" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/>',
};

/** A verdict as icon, word and colour together, so that none of the three has to carry it alone. */
export function badge(kind: Verdict | 'note', word: string, extra = ''): string {
  return `<span class="badge v-${kind}${extra && ` ${extra}`}"><svg viewBox="0 0 16 16" aria-hidden="true">${shape[kind]}</svg>${esc(word)}</span>`;
}
