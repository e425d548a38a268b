import { Cluster } from '../serve/cluster/cluster.ts';
import { Seal } from '../serve/cluster/seal.ts';
import { sharedPlace, type AuthoritiesPlace } from '../serve/pki/authorities.ts';
import { type ZookeeperAddress, zookeeperAddress } from '../store/zookeeper/address.ts';
import { ZookeeperDocuments } from '../store/zookeeper/documents.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';
import { version } from './version.ts';

const authFile = 'INFERPATH_ZOOKEEPER_AUTH_FILE';
const keyFile = 'INFERPATH_CLUSTER_KEY_FILE';

/** What several nodes share, and who they are. */
export interface SharedDocuments {
  documents: ZookeeperDocuments;
  cluster: Cluster;
  /** @throws UsageError without a key of the cluster */
  authorities(): Promise<AuthoritiesPlace>;
}

/** Where the documents of a cluster are, for every command that opens them. */
export const documentsFlag = {
  schema: zookeeperAddress.optional(),
  about:
    'Tokens, agents, alerts, pages and which roll-ups count in ZooKeeper or ClickHouse Keeper in place of the data folder, so that several nodes can share them: zookeeper://HOST:PORT,…/PATH.',
  value: 'URL',
  group: 'Cluster',
};

/** @throws UsageError when no server answers, or what is there belongs to somebody else */
export async function connectDocuments({ servers, root }: ZookeeperAddress, io: Io): Promise<ZookeeperDocuments> {
  const auth = await secretOf(authFile, io);
  if (auth !== null && !/^[^:\s]+:.+$/.test(auth)) throw new UsageError(`${authFile}: its text must be USER:PASSWORD`);
  if (auth === null) io.log.warn(`${authFile} is not set: whoever reaches ZooKeeper can read and change the documents`);
  return ZookeeperDocuments.open({ servers, root, auth, random: io.random }).catch((error: unknown) => {
    throw new UsageError(`--documents: ${error instanceof Error ? error.message : String(error)}`);
  });
}

/**
 * Connects to the documents of a cluster.
 * @param storeIsShared whether the samples are where every node finds them
 * @throws UsageError when that cannot be
 */
export async function openSharedDocuments(
  address: ZookeeperAddress,
  { storeIsShared }: { storeIsShared: boolean },
  io: Io,
): Promise<SharedDocuments> {
  const documents = await connectDocuments(address, io);
  const cluster = new Cluster(documents, io, () => ({ version, storeIsShared }));
  const others = (await documents.list('node')).filter(({ body }) => !isShared(body) || !storeIsShared);
  const alive =
    others.length > 0
      ? await livingOf(
          others.map(({ id }) => id),
          cluster,
          io,
        )
      : [];
  if (alive.length > 0) {
    await documents.close();
    throw new UsageError(
      '--documents: another node is at work on these documents, and the samples of one of the two are in a store of its own',
      'several nodes want one store that all of them reach',
    );
  }
  return {
    documents,
    cluster,
    authorities: async () => {
      const key = await secretOf(keyFile, io);
      if (key === null)
        throw new UsageError(
          `${keyFile}: not set; with --documents the keys of the own authority are kept there, closed by the key in this file`,
          'openssl rand -base64 32 > cluster.key, and the same file for every node',
        );
      try {
        return sharedPlace(documents, new Seal(key));
      } catch (error) {
        throw new UsageError(`${keyFile}: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}

const isShared = (body: unknown): boolean => (body as { storeIsShared?: unknown } | null)?.storeIsShared === true;

/** Those that say something within the time of two beats: what a dead node has left behind keeps nobody out. */
async function livingOf(ids: readonly string[], cluster: Cluster, io: Io): Promise<string[]> {
  const before = await cluster.abouts();
  await io.clock.sleep(6500);
  const after = await cluster.abouts();
  const beat = (about: unknown) => (about as { beat?: number } | undefined)?.beat;
  return ids.filter((id) => after.has(id) && beat(before.get(id)) !== beat(after.get(id)));
}

async function secretOf(variable: string, io: Io): Promise<string | null> {
  const path = io.env[variable];
  if (path === undefined || path === '') return null;
  const text = await io.fs.readText(path, 4096).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${variable}: cannot read ${path}: ${error.code ?? error.message}`);
  });
  return text.trim();
}
