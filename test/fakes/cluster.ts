import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { seededRandom } from '../../src/stats/random.ts';
import { pageReceiver } from './page-receiver.ts';
import { zookeeperServer } from './zookeeper-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What every node has to know, as JSON. */
export interface ClusterPlan {
  zookeeperPort: number;
  receiver: string;
  /** Wall clock at which the faster clock of the nodes shows the same. */
  beganMs: number;
  speed: number;
  /** By that clock: when which endpoint begins to fail, for good. */
  failAtMs: number[];
  /** Endpoints that never fail. */
  healthy: number;
}

export interface ClusterOptions {
  incidents: number;
  seed: number;
  speed: number;
  /** Over which the incidents are spread, of the faster clock. */
  spreadMs: number;
  /** Of the wall: when to stop waiting for pages. */
  patienceMs: number;
}

export interface ClusterResult {
  /** Incident → idempotency keys under which it was told. */
  keys: Map<string, Set<string>>;
  /** Incident → rule and subject. */
  abouts: Map<string, string>;
  /** Messages that came, those that came again included. */
  messages: number;
  kills: number;
  pauses: number;
  /** Real time from the first failure to the last page. */
  tookMs: number;
}

/**
 * Three nodes on one ZooKeeper; endpoints fail one after the other, nodes are killed and started again, or stand still and wake up
 * after they were taken for dead. What the receiver gets is counted.
 */
export async function runCluster(options: ClusterOptions): Promise<ClusterResult> {
  const { incidents, speed, spreadMs, patienceMs } = options;
  const random = seededRandom(options.seed);
  const folder = join(root, 'node_modules', '.cache', `cluster-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const [zookeeper, receiver] = await Promise.all([zookeeperServer(), pageReceiver(random)]);
  const script = join(folder, 'node.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./cluster-node.ts', import.meta.url))],
    outfile: script,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  const beganMs = Date.now();
  // The nodes are up by then, and have seen everything work.
  const firstMs = 8000 * speed;
  const plan: ClusterPlan = {
    zookeeperPort: zookeeper.port,
    receiver: receiver.url,
    beganMs,
    speed,
    failAtMs: Array.from({ length: incidents }, () => beganMs + firstMs + random() * spreadMs),
    healthy: 4,
  };
  const nodes: Node[] = [];
  const result: ClusterResult = {
    keys: receiver.keys,
    abouts: receiver.abouts,
    messages: 0,
    kills: 0,
    pauses: 0,
    tookMs: 0,
  };
  try {
    nodes.push(...(await Promise.all(Array.from({ length: 3 }, () => startNode(script, plan)))));
    const untilMs = beganMs + patienceMs;
    const isOver = () => receiver.keys.size >= incidents || Date.now() > untilMs;
    const quietMs = beganMs + (firstMs + spreadMs) / speed + 5000;
    await disturb(nodes, { random, script, plan, isOver: () => isOver() || Date.now() > quietMs, result });
    while (!isOver()) await pause(100);
    result.tookMs = Date.now() - beganMs - firstMs / speed;
    // A second page would come now: whoever was paused is awake, and claims of the dead have run out.
    await pause(Math.max(2000, 60_000 / speed));
    result.messages = receiver.messages();
    return result;
  } finally {
    await Promise.all(nodes.map(({ child }) => killed(child)));
    await Promise.all([zookeeper.close(), receiver.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Node {
  child: ChildProcess;
  /** One disturbance at a time, or a node would be started twice and ended once. */
  isDisturbed: boolean;
}

interface Disturbance {
  random: () => number;
  script: string;
  plan: ClusterPlan;
  isOver: () => boolean;
  result: ClusterResult;
}

/** Two at a time at most, so that one is always at work. */
async function disturb(nodes: Node[], { random, script, plan, isOver, result }: Disturbance): Promise<void> {
  let next = 0;
  const one = async () => {
    while (!isOver()) {
      await pause(200 + random() * 1500);
      const node = nodes[next++ % nodes.length];
      if (!node || isOver()) return;
      if (node.isDisturbed) continue;
      node.isDisturbed = true;
      if (random() < 0.5) {
        result.kills++;
        await killed(node.child);
        await pause(random() * 1500);
        node.child = (await startNode(script, plan)).child;
      } else {
        result.pauses++;
        node.child.kill('SIGSTOP');
        // Some are back before anybody has missed them, some after their lease, claim and session are gone.
        await pause(random() < 0.5 ? random() * 1000 : 1500 + random() * 4500);
        node.child.kill('SIGCONT');
      }
      node.isDisturbed = false;
    }
  };
  await Promise.all([one(), one()]);
}

async function startNode(script: string, plan: ClusterPlan): Promise<Node> {
  const child = spawn(process.execPath, [script, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('a node ended'))),
  ]);
  return { child, isDisturbed: false };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
