import { randomBytes } from 'node:crypto';
import { clientHello, type Offer } from './client-hello.ts';
import { contentType, handshakeType, suites13, version } from './code-points.ts';
import { groupName } from './groups.ts';
import { canShare, type KeyShare, makeKeyShare } from './key-share.ts';
import { hashOf, isFinished, RecordOpener, serverHandshakeSecret, suiteOf } from './key-schedule.ts';
import { TlsError, u24, u8 } from './octets.ts';
import { type Message, MessageReader, RecordReader, type TlsRecord, writeRecords } from './records.ts';
import {
  type Alert,
  readAlert,
  readCertificateRequest,
  readCertificates,
  readCertificateVerify,
  readEncryptedExtensions,
  readServerHello,
  readServerKeyExchange,
  type ServerHello,
} from './server-messages.ts';
import { isSignedBy } from './signature.ts';

/**
 * How far to go: to the first answer, over a HelloRetryRequest to the ServerHello, or to the end of what the server sends (Finished
 * of TLS 1.3, ServerHelloDone before). Only the end shows that the server can really do what its ServerHello says.
 */
export type Depth = 'answer' | 'hello' | 'end';

/** What a server has said so far. */
export interface Heard {
  retry: ServerHello | null;
  hello: ServerHello | null;
  alpn: string | null;
  /** DER, leaf first. */
  certificates: Uint8Array[];
  /** What it signed with; `isValid` null where it could not be checked. */
  signature: { scheme: number; isValid: boolean | null } | null;
  /** Schemes that it would take from a client; null where it asks for no certificate. */
  clientSchemes: number[] | null;
  /** The group of a TLS 1.2 key exchange. */
  curve: number | null;
  alert: Alert | null;
  /** Whether all that was wanted has come, and fits. */
  isComplete: boolean;
  /** Why the handshake cannot go on, for a reason that is no alert. */
  problem: string | null;
  receivedBytes: number;
  /** Of the server's Certificate message. */
  certificateBytes: number;
}

/**
 * The client's side of one handshake, without any I/O: `start` gives what to send, `receive` takes what came. It never sends more
 * than a second ClientHello, so no server believes that a session began. TLS 1.3 is decrypted and checked up to the server's
 * Finished; earlier versions come in the clear.
 */
export class ClientHandshake {
  readonly heard: Heard = {
    retry: null,
    hello: null,
    alpn: null,
    certificates: [],
    signature: null,
    clientSchemes: null,
    curve: null,
    alert: null,
    isComplete: false,
    problem: null,
    receivedBytes: 0,
    certificateBytes: 0,
  };
  readonly #offer: Offer;
  readonly #depth: Depth;
  readonly #ready: readonly KeyShare[];
  readonly #random = randomBytes(32);
  readonly #sessionId = randomBytes(32);
  readonly #records = new RecordReader();
  readonly #messages = new MessageReader();
  #shares: readonly KeyShare[];
  #transcript: Uint8Array[] = [];
  #opener: RecordOpener | null = null;
  #secret: Uint8Array | null = null;
  #step = 0;
  #send: Buffer | null = null;

  /** @param ready shares made before, for offers that repeat: making one of ML-KEM takes a while */
  constructor(offer: Offer, depth: Depth, ready: readonly KeyShare[] = []) {
    this.#offer = offer;
    this.#depth = depth;
    this.#ready = ready;
    this.#shares = offer.shares.map((group) => this.#shareOf(group));
  }

  #shareOf(group: number): KeyShare {
    return this.#ready.find((one) => one.group === group) ?? makeKeyShare(group);
  }

  get isOver(): boolean {
    const { alert, isComplete, problem } = this.heard;
    return isComplete || problem !== null || alert !== null;
  }

  /** The records of the first ClientHello. */
  start(): Buffer {
    return writeRecords(contentType.handshake, this.#hello(null), version.tls10);
  }

  /** Takes octets of the server. Gives what has to be sent now, or null. Whatever comes, it does not throw. */
  receive(chunk: Uint8Array): Buffer | null {
    try {
      for (const record of this.#records.read(chunk)) {
        if (this.isOver) break;
        this.#record(record);
      }
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      this.heard.problem = error.message;
    }
    this.heard.receivedBytes = this.#records.total;
    const send = this.#send;
    this.#send = null;
    return this.isOver ? null : send;
  }

  #hello(cookie: Uint8Array | null): Buffer {
    const [random, sessionId] = [this.#random, this.#sessionId];
    const message = clientHello(this.#offer, { random, sessionId, shares: this.#shares, cookie });
    this.#transcript.push(message);
    return message;
  }

  #record(record: TlsRecord): void {
    if (record.type === contentType.changeCipherSpec) return;
    if (record.type === contentType.applicationData && this.#opener) {
      const { type, content } = this.#opener.open(record);
      this.#content(type, content);
      return;
    }
    this.#content(record.type, record.fragment);
  }

  #content(type: number, content: Uint8Array): void {
    if (type === contentType.alert) {
      this.#alert(readAlert(content));
      return;
    }
    if (type !== contentType.handshake) throw new TlsError(`a record of type ${type} inside the handshake`);
    if (content.length === 0) throw new TlsError('an empty handshake record');
    for (const message of this.#messages.read(content)) {
      this.#message(message);
      if (this.isOver) return;
    }
  }

  /** Warnings before a ServerHello (unrecognized_name) do not end a handshake. */
  #alert(alert: Alert): void {
    const unrecognizedName = 112;
    if (alert.fatal || alert.code !== unrecognizedName) this.heard.alert = alert;
  }

  #message(message: Message): void {
    const before = this.#transcript;
    if (message.type === handshakeType.serverHello) {
      this.#serverHello(message);
      return;
    }
    const { hello } = this.heard;
    if (!hello) throw new TlsError(`message ${message.type} before ServerHello`);
    this.#inOrder(message.type, hello.version >= version.tls13 ? order13 : order12);
    if (hello.version >= version.tls13) this.#after13(message, before);
    else this.#after12(message, hello.version);
    this.#transcript.push(message.whole);
  }

  /** Messages come in one order, each at most once. */
  #inOrder(type: number, order: readonly number[]): void {
    const at = order.indexOf(type, this.#step);
    if (at === -1) throw new TlsError(`message ${type} where it may not stand`);
    this.#step = at + 1;
  }

  #serverHello({ body, whole }: Message): void {
    if (this.heard.hello) throw new TlsError('a second ServerHello');
    const hello = readServerHello(body);
    if (hello.isRetry) {
      this.#retry(hello, whole);
      return;
    }
    this.heard.hello = hello;
    this.heard.alpn = hello.alpn;
    this.#transcript.push(whole);
    if (!this.#offer.versions.includes(hello.version))
      throw new TlsError(`version 0x${hello.version.toString(16)} was chosen and not offered`);
    if (this.#depth !== 'end') this.heard.isComplete = true;
    else if (hello.version >= version.tls13) this.#protect(hello);
  }

  #retry(retry: ServerHello, whole: Uint8Array): void {
    if (this.heard.retry) throw new TlsError('a second HelloRetryRequest');
    this.heard.retry = retry;
    if (retry.version !== version.tls13) throw new TlsError('a HelloRetryRequest of another version than TLS 1.3');
    const { group, suite } = retry;
    if (group !== null && !this.#offer.groups.includes(group))
      throw new TlsError(`a HelloRetryRequest for ${groupName(group)}, which was not offered`);
    if (this.#depth === 'answer') {
      this.heard.isComplete = true;
      return;
    }
    if (group !== null && !canShare(group)) throw new TlsError(`no share of ${groupName(group)} can be made here`);
    if (group !== null) this.#shares = [this.#shareOf(group)];
    // RFC 8446 §4.4.1: a hash stands for the first ClientHello.
    const hash = hashOf(suiteOf(suite), this.#transcript);
    this.#transcript = [Buffer.concat([u8(handshakeType.messageHash), u24(hash.length), hash]), whole];
    // Change cipher spec before it, as RFC 8446 §D.4 has it for middleboxes.
    const changeCipherSpec = writeRecords(contentType.changeCipherSpec, u8(1), version.tls12);
    const second = writeRecords(contentType.handshake, this.#hello(retry.cookie), version.tls12);
    this.#send = Buffer.concat([changeCipherSpec, second]);
  }

  #protect({ suite: id, group, share }: ServerHello): void {
    if (!suites13.includes(id as (typeof suites13)[number])) throw new TlsError('a suite that is not of TLS 1.3');
    const own = this.#shares.find((one) => one.group === group);
    if (!own || !share) throw new TlsError('a ServerHello for a share that was not sent');
    if (this.#messages.isInside) throw new TlsError('messages in the clear behind ServerHello');
    const suite = suiteOf(id);
    this.#secret = serverHandshakeSecret(suite, own.agree(share), this.#transcript);
    this.#opener = new RecordOpener(suite, this.#secret);
  }

  #after13({ type, body, whole }: Message, before: readonly Uint8Array[]): void {
    if (!this.#opener) throw new TlsError('a message in the clear behind ServerHello');
    const { heard } = this;
    const suite = suiteOf(heard.hello!.suite);
    switch (type) {
      case handshakeType.encryptedExtensions:
        heard.alpn = readEncryptedExtensions(body).alpn;
        return;
      case handshakeType.certificateRequest:
        heard.clientSchemes = readCertificateRequest(body).schemes;
        return;
      case handshakeType.certificate:
        this.#certificate(body, whole);
        return;
      case handshakeType.certificateVerify: {
        const [leaf] = heard.certificates;
        if (!leaf) throw new TlsError('CertificateVerify without a certificate');
        const { scheme, signature } = readCertificateVerify(body);
        heard.signature = { scheme, isValid: isSignedBy(leaf, scheme, hashOf(suite, before), signature) };
        return;
      }
      default:
        if (!isFinished(suite, this.#secret!, before, body)) throw new TlsError('Finished does not fit the handshake');
        heard.isComplete = true;
    }
  }

  #after12({ type, body, whole }: Message, spoken: number): void {
    switch (type) {
      case handshakeType.certificate:
        this.#certificate(body, whole);
        return;
      case handshakeType.serverKeyExchange: {
        const { group, scheme } = readServerKeyExchange(body, spoken);
        this.heard.curve = group;
        this.heard.signature = scheme === null ? null : { scheme, isValid: null };
        return;
      }
      case handshakeType.serverHelloDone:
        this.heard.isComplete = true;
        return;
      default: // CertificateStatus and CertificateRequest say nothing that is asked here
    }
  }

  #certificate(body: Uint8Array, whole: Uint8Array): void {
    this.heard.certificates = readCertificates(body, this.heard.hello!.version);
    this.heard.certificateBytes = whole.length;
  }
}

const order13 = [
  handshakeType.encryptedExtensions,
  handshakeType.certificateRequest,
  handshakeType.certificate,
  handshakeType.certificateVerify,
  handshakeType.finished,
];
const order12 = [
  handshakeType.certificate,
  handshakeType.certificateStatus,
  handshakeType.serverKeyExchange,
  handshakeType.certificateRequest,
  handshakeType.serverHelloDone,
];
