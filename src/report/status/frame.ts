import { printable } from '../../model/outcome.ts';
import { esc } from '../html/escape.ts';

/** A page of the server: no inline style or script, as its Content-Security-Policy wants it. */
export function frame(title: string, body: string, script: string | null): string {
  const tag = script === null ? '' : `<script src="${script}" defer></script>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${esc(title)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/style.css">${tag}</head>
<body>${body}</body></html>
`;
}

/**
 * A page that follows the server: complete without script, which only exchanges the parts (`data-part`) that have changed. The first part
 * stands above `main`.
 */
export function livePage(
  title: string,
  skip: { to: string; words: string },
  [first, ...rest]: readonly (readonly [name: string, markup: string])[],
  version: string,
): string {
  const part = ([name, markup]: readonly [string, string] = ['top', '']) => `<div data-part="${name}">${markup}</div>`;
  return frame(
    title,
    `<a class="skip" href="#${skip.to}">${esc(skip.words)}</a>${part(first)}<main>${rest.map(part).join('\n')}</main>` +
      `<footer>inferpath ${esc(printable(version, 40))} · <a href="/api/openapi.json">API</a> · <button type="button" id="logout" class="plain">log out</button></footer><div id="tip" role="presentation"></div>`,
    '/assets/page.js',
  );
}

/** The mark that says whether the page is live; the script keeps it. */
export function liveMark(nowMs: number): string {
  const clock = `${new Date(nowMs).toISOString().slice(11, 19)} UTC`;
  return `<span id="live" class="live" data-at="${nowMs}">as of ${esc(clock)}</span>`;
}
