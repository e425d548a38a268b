import { DESTINATION_BURST, type Engine } from './state.ts';

/** Token bucket over all ICMP of one router; takes a token when it says yes. */
export function icmpAllowed(engine: Engine, router: number, atMs: number): boolean {
  const { perSecond, burst } = engine.plan.nodes[router]!.icmp;
  if (perSecond === Number.POSITIVE_INFINITY) return true;
  if (perSecond === 0) return false;
  const earned = (Math.max(0, atMs - engine.icmpFilledAtMs[router]!) * perSecond) / 1000;
  const tokens = Math.min(burst, engine.icmpTokens[router]! + earned);
  engine.icmpFilledAtMs[router] = Math.max(atMs, engine.icmpFilledAtMs[router]!);
  engine.icmpTokens[router] = tokens >= 1 ? tokens - 1 : tokens;
  return tokens >= 1;
}

/** The same per destination, for errors only, as Linux keeps it: milliseconds are saved, an error costs its interval. */
export function destinationAllowed(engine: Engine, router: number, destination: number, atMs: number): boolean {
  const limit = engine.perDestination[router];
  if (!limit || destination < 0) return true;
  const costMs = engine.plan.nodes[router]!.icmp.perDestinationMs;
  const earnedMs = Math.max(0, atMs - limit.filledAtMs[destination]!);
  const savedMs = Math.min(DESTINATION_BURST * costMs, limit.savedMs[destination]! + earnedMs);
  limit.filledAtMs[destination] = Math.max(atMs, limit.filledAtMs[destination]!);
  limit.savedMs[destination] = savedMs >= costMs ? savedMs - costMs : savedMs;
  return savedMs >= costMs;
}
