import { esc } from './escape.ts';
import { script } from './script.ts';
import { style } from './style.ts';

// Nothing may be loaded from anywhere: what the page needs is in it.
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * A self-contained page: the common style, and what else it needs of it; `body` is trusted markup, behind which the tooltips' place and
 * script are put.
 */
export function htmlPage({
  title,
  moreStyle = '',
  body,
}: {
  title: string;
  moreStyle?: string;
  body: readonly string[];
}): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
<title>${esc(title)}</title><link rel="icon" href="data:,"><style>${style}${moreStyle}</style></head>
<body>${body.join('\n')}<div id="tip" role="presentation"></div>
<script>${script}</script></body></html>
`;
}
