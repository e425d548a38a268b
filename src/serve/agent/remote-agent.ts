import { X509Certificate } from 'node:crypto';
import type { AgentStatus } from '../../model/agent-health.ts';
import { type AgentParts, runAgent } from './agent.ts';
import { ClockOffset } from './clock-offset.ts';
import { type HttpAnswer, httpExchange } from './http-exchange.ts';
import { httpLink } from './http-link.ts';
import type { Identity } from './identity.ts';
import { Renewal } from './renewal.ts';

/** Longest wait for an answer of the server, ms: it waits itself until a batch is on its disk. */
const timeoutMs = 30_000;

/** An agent that belongs to a server elsewhere, by mutual TLS, until the signal aborts. */
export async function runRemoteAgent(
  identity: Identity,
  parts: Omit<AgentParts, 'name' | 'link' | 'offset' | 'certificateUntil' | 'onUnauthorised'>,
  signal: AbortSignal,
): Promise<AgentStatus> {
  const { io, files, directory } = parts;
  const { clock, random, log } = io;
  const offset = new ClockOffset();
  const http = httpExchange({
    server: new URL(identity.server),
    identity: () => renewal.identity,
    clock,
    timeoutMs,
    onAnswer: (answer) => noteClock(offset, answer, clock.monoMs()),
  });
  const renewal = new Renewal(identity, {
    files,
    directory,
    exchange: http.exchange,
    clock,
    random,
    log,
    onChange: http.renewed,
  });
  const renewing = renewal.run(signal);
  const status = await runAgent(
    {
      ...parts,
      name: identity.name,
      link: httpLink(http.exchange, { about: identity.server, clock }),
      offset,
      certificateUntil: () => new Date(new X509Certificate(renewal.identity.certificate).validTo).toISOString(),
      onUnauthorised: () => renewal.doubt(),
    },
    signal,
  );
  await renewing;
  http.close();
  return status;
}

function noteClock(offset: ClockOffset, { headers, sentAtMs, headAtMs }: HttpAnswer, monoMs: number): void {
  const { date } = headers;
  if (typeof date === 'string')
    offset.note({ dateMs: Date.parse(date), resolutionMs: 1000, sentAtMs, headAtMs }, monoMs);
}
