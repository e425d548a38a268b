import { createHash } from 'node:crypto';
import * as z from 'zod';
import { renderAlert, renderNoAlert } from '../../report/status/alert-page.ts';
import { renderLogin, renderStatus } from '../../report/status/page.ts';
import { loginScript, statusScript } from '../../report/status/script.ts';
import { statusStyle } from '../../report/status/style.ts';
import { alertId } from '../range.ts';
import { defineRoute } from '../route.ts';
import { alertView, statusView } from '../status.ts';

const doors = ['web'] as const;

function html(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
}

/** The log-in page in place of the problem document, for whoever comes with a browser. */
export const loginInstead = (): Response => html(renderLogin(), 401);

const asset = (path: `/assets/${string}`, media: 'text/javascript' | 'text/css', text: string) => {
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  return defineRoute({
    method: 'GET',
    path,
    doors,
    permission: 'public',
    hidden: true,
    about: 'A file of the pages; the same for everybody.',
    reply: { media, about: 'The file.' },
    handle: ({ headers }) => {
      const common = { etag, 'cache-control': 'no-cache' };
      if (headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: common });
      return new Response(text, { headers: { ...common, 'content-type': `${media}; charset=utf-8` } });
    },
  });
};

export const pageRoutes = [
  defineRoute({
    method: 'GET',
    path: '/',
    doors,
    permission: 'viewer',
    hidden: true,
    about: 'The live status page.',
    reply: { media: 'text/html', about: 'The page.' },
    handle: async ({ context }) => html(renderStatus(await statusView(context))),
  }),
  defineRoute({
    method: 'GET',
    path: '/alerts/:id',
    doors,
    permission: 'viewer',
    hidden: true,
    about: 'All about one alert: where the links of messages lead.',
    params: z.strictObject({ id: alertId }),
    reply: { media: 'text/html', about: 'The page.' },
    handle: async ({ params, context }) => {
      const view = await alertView(context, params.id);
      return view === null ? html(renderNoAlert(), 404) : html(renderAlert(view));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/login',
    doors,
    permission: 'public',
    hidden: true,
    about: 'The page that asks for a token or takes a link.',
    reply: { media: 'text/html', about: 'The page.' },
    handle: () => html(renderLogin()),
  }),
  asset('/assets/style.css', 'text/css', statusStyle),
  asset('/assets/page.js', 'text/javascript', statusScript),
  asset('/assets/login.js', 'text/javascript', loginScript),
];
