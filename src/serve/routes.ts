import { agentRoutes } from './routes/agent.ts';
import { agentsRoutes } from './routes/agents.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { openApiRoute } from './routes/openapi.ts';
import { pageRoutes } from './routes/pages.ts';
import { sampleRoutes } from './routes/samples.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { watchRoutes } from './routes/watch.ts';
import type { Route } from './route.ts';

/**
 * Every route there is. What is not in here is refused; what is in here has a permission, and `routes.test.ts` asks each of them
 * without one.
 */
export const routes: readonly Route[] = [
  ...healthRoutes,
  ...pageRoutes,
  ...sessionRoutes,
  ...tokenRoutes,
  ...agentsRoutes,
  ...watchRoutes,
  ...sampleRoutes,
  ...agentRoutes,
  ...metricsRoutes,
  openApiRoute(() => routes),
];
