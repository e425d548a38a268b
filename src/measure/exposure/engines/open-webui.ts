import type { AuthState, Check } from '../../../model/secure/exposure.ts';
import { type Engine, field, openWhen, text } from '../engine.ts';
import type { Reply } from '../exchange.ts';

/** Tells how it is set to anyone: whether users log in at all, whether anyone may make an account, whether there is one yet. */
export const openWebui: Engine = {
  name: 'open-webui',
  title: 'Open WebUI',
  ports: [3000, 8080],
  signals: [
    {
      path: '/api/config',
      of: ({ json }) =>
        text(field(json, 'name'))?.includes('Open WebUI') ? '/api/config is named "Open WebUI"' : null,
      version: ({ json }) => field(json, 'version'),
    },
    {
      path: '/api/config',
      of: ({ json }) =>
        typeof field(field(json, 'features'), 'enable_signup') === 'boolean' ? '/api/config has its features' : null,
    },
    {
      path: '/',
      of: ({ body }) => (/<title>\s*Open WebUI\s*<\/title>/i.test(body) ? 'page is called "Open WebUI"' : null),
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/api/config',
      means: 'how users log in',
      read: openWhen(({ json }) => typeof field(json, 'features') === 'object'),
    },
    {
      method: 'GET',
      path: '/api/models',
      means: 'models, and by the same rule inference',
      read: openWhen(({ json }) => Array.isArray(field(json, 'data'))),
    },
  ],
  publicByDesign: ['/api/config', '/health'],
  verdict: settings,
  gives: 'chat with its models, and where the first visitor becomes administrator, everything',
  remedy: 'Set WEBUI_AUTH=true and ENABLE_SIGNUP=false, and make the administrator before others reach it',
};

function settings(
  checks: readonly Check[],
  replies: ReadonlyMap<string, Reply>,
): { auth: AuthState; why: string } | null {
  const config = replies.get('GET /api/config');
  const features = field(config?.json, 'features');
  if (typeof features !== 'object' || features === null) return null;
  if (field(features, 'auth') === false)
    return { auth: 'none', why: 'its settings say that nobody has to log in (features.auth is false)' };
  if (field(config?.json, 'onboarding') === true)
    return {
      auth: 'none',
      why: 'there is no account yet: the first visitor becomes administrator (onboarding is true)',
    };
  const models = checks.find(({ path }) => path === '/api/models')?.answer;
  if (models === 'open') return { auth: 'none', why: '/api/models without a key' };
  if (field(features, 'enable_signup') === true)
    return { auth: 'partial', why: 'users log in, but anyone may make an account (features.enable_signup is true)' };
  if (models === 'closed')
    return { auth: 'enforced', why: '/api/models wants a login, and nobody can make an account' };
  return { auth: 'unknown', why: 'its settings want a login, but /api/models did not say so' };
}
