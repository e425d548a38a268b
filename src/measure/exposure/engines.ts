import type { Engine } from './engine.ts';
import { jupyter } from './engines/jupyter.ts';
import { kserve } from './engines/kserve.ts';
import { llamaCpp } from './engines/llama-cpp.ts';
import { lmStudio } from './engines/lm-studio.ts';
import { mlflow } from './engines/mlflow.ts';
import { ollama } from './engines/ollama.ts';
import { openWebui } from './engines/open-webui.ts';
import { ray } from './engines/ray.ts';
import { sglang } from './engines/sglang.ts';
import { tgi } from './engines/tgi.ts';
import { triton } from './engines/triton.ts';
import { vllm } from './engines/vllm.ts';

export const engines: readonly Engine[] = [
  ollama,
  vllm,
  sglang,
  tgi,
  triton,
  llamaCpp,
  ray,
  openWebui,
  lmStudio,
  kserve,
  mlflow,
  jupyter,
];

/** Ports between the parts of an engine: they speak no HTTP, and nobody but those parts should reach them. */
export const internalPorts: ReadonlyMap<number, string> = new Map([
  [29500, 'torch.distributed store (vLLM and others)'],
  [14579, 'KV cache transfer of vLLM'],
  [6379, 'GCS of Ray, or Redis'],
  [10001, 'client port of Ray'],
  [8001, 'gRPC of Triton'],
]);

/** Ports that are asked when none are named. */
export const defaultPorts: readonly number[] = [
  ...new Set([...engines.flatMap(({ ports }) => ports), ...internalPorts.keys(), 443]),
].sort((a, b) => a - b);

/** What usually stands at a port; the port alone proves nothing. */
export function usualAt(port: number): string | null {
  const named = engines.filter(({ ports }) => ports.includes(port)).map(({ title }) => title);
  return named.length > 0 ? named.join(', ') : (internalPorts.get(port) ?? null);
}
