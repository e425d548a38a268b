import { type Engine, field, openWhen, text } from '../engine.ts';

/** /api answers anyone; /api/status only with the token. Whoever needs none runs code. */
export const jupyter: Engine = {
  name: 'jupyter',
  title: 'Jupyter server',
  ports: [8888],
  signals: [
    {
      path: '/api',
      of: ({ status, json, headers }) =>
        status === 200 && text(field(json, 'version')) !== undefined && headers['server']?.startsWith('Tornado')
          ? '/api has a version and is served by Tornado'
          : null,
      version: ({ json }) => field(json, 'version'),
    },
    {
      path: '/api/status',
      of: ({ status, json }) =>
        status === 403 && field(json, 'message') === 'Forbidden' && field(json, 'reason') !== undefined
          ? '/api/status refuses in its words'
          : null,
    },
    {
      path: '/api/status',
      of: ({ json }) => (typeof field(json, 'kernels') === 'number' ? '/api/status counts kernels' : null),
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/api/status',
      means: 'kernels: running of code',
      read: openWhen(({ json }) => typeof field(json, 'kernels') === 'number'),
    },
    {
      method: 'GET',
      path: '/api/kernelspecs',
      means: 'kernels: running of code',
      read: openWhen(({ json }) => typeof field(json, 'kernelspecs') === 'object'),
    },
  ],
  publicByDesign: ['/api', '/login'],
  gives: 'running of any code as its user',
  remedy:
    'Leave the token on (do not set ServerApp.token to an empty text without a password), and bind it to 127.0.0.1',
};
