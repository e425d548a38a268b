import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ivOctets = 12;
const tagOctets = 16;

/** Keeps secrets of the cluster from whoever can read its documents: AES-256-GCM, by a key that every node has in a file. */
export class Seal {
  readonly #key: Buffer;

  /** @throws RangeError for a secret that could be guessed */
  constructor(secret: string) {
    if (secret.length < 32)
      throw new RangeError(
        `The key of the cluster: found ${secret.length} characters; wanted 32 or more, of a random source`,
      );
    this.#key = Buffer.from(hkdfSync('sha256', secret, 'inferpath', 'documents of a cluster', 32));
  }

  /** @param purpose goes into the seal: what was closed for one thing does not open as another */
  close(text: string, purpose: string): string {
    const iv = randomBytes(ivOctets);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(purpose));
    const closed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, closed, cipher.getAuthTag()]).toString('base64');
  }

  /** @throws Error when it was closed by another key, for another purpose, or was changed */
  open(sealed: string, purpose: string): string {
    const all = Buffer.from(sealed, 'base64');
    const [iv, tag] = [all.subarray(0, ivOctets), all.subarray(-tagOctets)];
    if (all.length < ivOctets + tagOctets) throw new Error(`The ${purpose} in the documents are cut short`);
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: tagOctets });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(tag);
      return decipher.update(all.subarray(ivOctets, -tagOctets), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new Error(
        `The ${purpose} in the documents do not open: this node has another cluster key than the one that made them`,
      );
    }
  }
}
