import * as z from 'zod';
import { cookieName, cookieOf, refused } from '../authenticate.ts';
import { role } from '../auth/role.ts';
import { longestMs } from '../auth/sessions.ts';
import { doerOf } from '../doer.ts';
import { loginLink } from '../replies.ts';
import { defineRoute } from '../route.ts';

const doors = ['web'] as const;

function setCookie(tls: boolean, value: string, maxAgeS: number): string {
  return `${cookieName(tls)}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${tls ? '; Secure' : ''}`;
}

export const sessionRoutes = [
  defineRoute({
    method: 'POST',
    path: '/api/v1/sessions',
    doors,
    permission: 'secret',
    about: 'Opens a session of a browser by a one-time link or an API token; the answer sets its cookie.',
    body: { schema: z.strictObject({ secret: z.string().max(200) }), limitBytes: 1024 },
    reply: { schema: z.object({ role }), about: 'The session is open.' },
    handle: async ({ body, context, peer }) => {
      const opened = await context.sessions.open(body.secret, peer.address);
      if (!opened) throw await refused('web', peer, context);
      const headers = { 'set-cookie': setCookie(peer.tls, opened.cookie, longestMs / 1000) };
      return { json: { role: opened.role }, status: 201, headers };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/sessions/current',
    doors,
    permission: 'viewer',
    about: 'Ends the session that the cookie names.',
    reply: { schema: z.object({ closed: z.literal(true) }), about: 'It is over.' },
    handle: async ({ headers, context, peer }) => {
      await context.sessions.close(cookieOf(headers, peer.tls) ?? '');
      return { json: { closed: true } as const, headers: { 'set-cookie': setCookie(peer.tls, '', 0) } };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/login-links',
    doors,
    permission: 'admin',
    about: 'Makes a link that opens one session within 15 minutes.',
    body: {
      schema: z.strictObject({
        name: z.string().regex(/^[\w.@ -]{1,63}$/),
        role: role.exclude(['metrics']).default('admin'),
      }),
      limitBytes: 1024,
    },
    reply: {
      schema: loginLink,
      about: 'The link.',
    },
    handle: async ({ body, context, principal, peer }) => {
      const secret = await context.sessions.link(body, doerOf(principal, peer));
      // After the #, where no server, proxy or log ever sees it.
      return { json: { path: `/login#${secret}` }, status: 201 };
    },
  }),
];
