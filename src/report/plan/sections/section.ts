import { esc } from '../../html/escape.ts';
import { printable } from '../../../model/outcome.ts';

/** A part of the page: heading, a sentence, content (trusted markup). */
export function section(id: string, title: string, about: string, ...body: string[]): string {
  return `<section aria-labelledby="${id}-title"><h2 id="${id}-title">${esc(title)}</h2><p class="facts">${esc(printable(about, 600))}</p>${body.join('')}</section>`;
}

/** A picture drawn for wide and for narrow pages: scaling one would make its text unreadable on a phone. */
export function picture(title: string, draw: (width: number) => string): string {
  return `<figure class="card chart full"><figcaption><h3>${esc(title)}</h3></figcaption><div class="wide">${draw(1000)}</div><div class="narrow">${draw(330)}</div></figure>`;
}

/** A table of texts; columns whose heading ends with a unit in brackets, or with empty ones, are numbers. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumber = heads.map((head) => head.endsWith(')'));
  const shown = heads.map((head) => head.replace(/ \(\)$/, ''));
  const cells = (tag: 'td' | 'th', values: readonly string[]) =>
    values
      .map(
        (value, i) =>
          `<${tag}${isNumber[i] ? ' class="num"' : ''}${tag === 'th' ? ' scope="col"' : ''}>${esc(printable(value, 300))}</${tag}>`,
      )
      .join('');
  return `<div class="card scroll"><table><thead><tr>${cells('th', shown)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`;
}
