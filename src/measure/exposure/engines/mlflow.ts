import { byStatus, type Engine, field, openWhen } from '../engine.ts';
import type { Reply } from '../exchange.ts';

const isHostCheck = ({ status, body }: Reply): boolean => status === 403 && body.includes('Invalid Host header');
const hasExperiments = openWhen(({ json }) => Array.isArray(field(json, 'experiments')));

/** 3.5 and newer refuse a Host header that they do not know with 403: that is no authentication, only the wrong name. */
export const mlflow: Engine = {
  name: 'mlflow',
  title: 'MLflow',
  ports: [5000],
  signals: [
    {
      path: '/version',
      of: ({ status, body }) =>
        status === 200 && /^\d+\.\d+\.\d+\S*$/.test(body.trim()) ? '/version is a bare version' : null,
      version: ({ status, body }) =>
        status === 200 && /^\d+\.\d+\.\d+\S*$/.test(body.trim()) ? body.trim() : undefined,
    },
    {
      path: '/health',
      of: ({ status, body }) => (status === 200 && body.trim() === 'OK' ? '/health says "OK"' : null),
    },
    { path: '/', of: (reply) => (/<title>\s*MLflow\s*<\/title>/i.test(reply.body) ? 'page is called "MLflow"' : null) },
    { path: '/version', of: (reply) => (isHostCheck(reply) ? 'refuses the Host header in its words' : null) },
    {
      path: '/',
      of: ({ status, body }) =>
        status === 401 && body.includes('You are not authenticated. Please see https://www.mlflow.org')
          ? 'asks for a login in its words'
          : null,
    },
  ],
  oracles: [
    {
      method: 'GET',
      path: '/api/2.0/mlflow/experiments/search?max_results=1',
      means: 'experiments, models and artifacts',
      read: (reply) => (isHostCheck(reply) ? 'unclear' : hasExperiments(reply)),
    },
  ],
  publicByDesign: ['/health'],
  verdict: (_, replies) => {
    const reply = replies.get('GET /api/2.0/mlflow/experiments/search?max_results=1');
    return reply && isHostCheck(reply) && byStatus(reply) === 'closed'
      ? {
          auth: 'unknown',
          why: 'it refused the Host header before anything else, which is no authentication; ask it by the name that its users use',
        }
      : null;
  },
  gives: 'reading and writing of experiments, models and artifacts',
  remedy:
    'Start it with --app-name basic-auth and change the password that it ships with, or put a proxy with authentication in front',
};
