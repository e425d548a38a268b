import { type Engine, field, items, openWhen, text } from '../engine.ts';

/** Whoever may submit a job runs code (CVE-2023-48022); token authentication is off by default from 2.52 to 2.58. */
export const ray: Engine = {
  name: 'ray',
  title: 'Ray dashboard',
  ports: [8265],
  signals: [
    {
      path: '/api/version',
      of: ({ json }) => (text(field(json, 'ray_version')) !== undefined ? '/api/version has ray_version' : null),
      version: ({ json }) => field(json, 'ray_version'),
    },
    {
      path: '/api/version',
      of: ({ json }) => (text(field(json, 'ray_commit')) !== undefined ? '/api/version has ray_commit' : null),
    },
    {
      path: '/api/authentication_mode',
      of: ({ json }) =>
        text(field(json, 'authentication_mode')) !== undefined ? '/api/authentication_mode answers' : null,
    },
    {
      path: '/',
      of: ({ body }) => (/<title>\s*Ray Dashboard\s*<\/title>/i.test(body) ? 'page is called "Ray Dashboard"' : null),
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/api/jobs/',
      means: 'submitting of jobs: running of code',
      read: openWhen(({ json }) => Array.isArray(json) || items(json, 'jobs').length > 0),
    },
    {
      method: 'GET',
      path: '/api/version',
      means: 'version',
      read: openWhen(({ json }) => text(field(json, 'ray_version')) !== undefined),
    },
  ],
  publicByDesign: ['/api/authentication_mode', '/api/healthz'],
  gives: 'running of any code on the cluster',
  remedy:
    'Set RAY_AUTH_MODE=token on every node (Ray 2.52 or newer), bind the dashboard to 127.0.0.1, and let nobody but the cluster reach 8265, 6379 and 10001',
};
