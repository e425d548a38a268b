import type { ExportedFlow } from './flow.ts';
import { type MessageTime, recordReader } from './record.ts';
import { type ExportSession, isStartedAnew, noteSampling, samplingOf } from './session.ts';
import { templateCache } from './template-cache.ts';
import { readTemplates, type Template, type TemplateSink } from './template.ts';

type Emit = (flow: ExportedFlow, session: ExportSession) => void;

interface Message {
  bytes: Buffer;
  session: ExportSession;
  time: MessageTime;
  isIpfix: boolean;
}

/** Octets before the first set. */
export const netflow9HeaderBytes = 20;
export const ipfixHeaderBytes = 16;
/** Records of options and data begin here; what is below is kept for sets of templates. */
const firstTemplateId = 256;

/** NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): messages of sets, whose records only their templates can tell. */
export function templatedReader(emit: Emit): {
  netflow9(bytes: Buffer, session: ExportSession): void;
  ipfix(bytes: Buffer, session: ExportSession): void;
  readonly evictedTemplates: number;
  readonly knownTemplates: number;
  readonly waitingBytes: number;
} {
  const records = recordReader();
  const sessionsOfWaiting = new WeakMap<object, ExportSession>();
  const templates = templateCache((set) => {
    const session = sessionsOfWaiting.get(set);
    if (session) session.unread += 1;
  });
  const keyOf = (session: ExportSession, id: number) => `${id} ${session.key}`;

  const netflow9 = (bytes: Buffer, session: ExportSession): void => {
    if (bytes.length < netflow9HeaderBytes) {
      session.malformed += 1;
      return;
    }
    const uptimeMs = bytes.readUInt32BE(4);
    const exportMs = bytes.readUInt32BE(8) * 1000;
    const time = { exportMs, uptimeMs, bootMs: exportMs - uptimeMs };
    session.tracker.see(bytes.readUInt32BE(12), 1, isStartedAnew(session, time.bootMs));
    readSets({ bytes, session, time, isIpfix: false }, netflow9HeaderBytes, bytes.length);
  };

  const ipfix = (bytes: Buffer, session: ExportSession): void => {
    const length = bytes.length >= ipfixHeaderBytes ? bytes.readUInt16BE(2) : 0;
    if (length < ipfixHeaderBytes || length > bytes.length) session.malformed += 1;
    if (bytes.length < ipfixHeaderBytes) return;
    const time = { exportMs: bytes.readUInt32BE(4) * 1000, uptimeMs: Number.NaN, bootMs: session.bootMs };
    const message = { bytes, session, time, isIpfix: true };
    const before = session.flows + session.otherRecords - session.optionRecords;
    const count = readSets(message, ipfixHeaderBytes, Math.min(bytes.length, Math.max(length, ipfixHeaderBytes)));
    const data = session.flows + session.otherRecords - session.optionRecords - before;
    numberIpfix(session, bytes.readUInt32BE(8), count, count === null ? null : data);
  };

  /** @returns how many records of data and options there were; null where a template is missing for some */
  const readSets = (message: Message, from: number, end: number): number | null => {
    const { bytes, session } = message;
    let count: number | null = 0;
    for (let at = from; end - at >= 4;) {
      const id = bytes.readUInt16BE(at);
      const length = bytes.readUInt16BE(at + 2);
      if (length < 4 || length > end - at) {
        session.malformed += 1;
        return null;
      }
      if (id >= firstTemplateId) {
        const read = readData(message, id, at + 4, at + length);
        count = read === null || count === null ? null : count + read;
      } else readTemplateSet(message, id, at + 4, at + length);
      at += length;
    }
    return count;
  };

  const readTemplateSet = (message: Message, id: number, at: number, end: number): void => {
    const { bytes, session, isIpfix } = message;
    const [plain, options] = isIpfix ? [2, 3] : [0, 1];
    if (id !== plain && id !== options) return;
    readTemplates(bytes, at, end, { isOptions: id === options, isIpfix }, sinkOf(session));
  };

  const sinkOf = (session: ExportSession): TemplateSink => ({
    defined: (template) => {
      session.templates += 1;
      template.epoch = template.scopes > 0 ? session.epochs.options : session.epochs.data;
      templates.put(keyOf(session, template.id), template);
    },
    withdrawn: (id, isOptions) => {
      if (id !== null) templates.remove(keyOf(session, id));
      else session.epochs[isOptions ? 'options' : 'data'] += 1;
    },
    malformed: () => {
      session.malformed += 1;
    },
  });

  const readData = (message: Message, id: number, at: number, end: number): number | null => {
    const { bytes, ...rest } = message;
    const { session } = rest;
    const key = keyOf(session, id);
    const template = templates.get(key);
    if (template && template.epoch === (template.scopes > 0 ? session.epochs.options : session.epochs.data))
      return readRecords(message, template, at, end);
    // Shared only while the datagram holds: what waits needs octets of its own.
    const set = {
      key,
      bytes: Buffer.from(bytes.subarray(at, end)),
      read: (found: Template, own: Buffer) => void readRecords({ ...rest, bytes: own }, found, 0, own.length),
    };
    sessionsOfWaiting.set(set, session);
    templates.wait(set);
    return null;
  };

  const readRecords = (message: Message, template: Template, at: number, end: number): number => {
    const { bytes, session, time } = message;
    let count = 0;
    for (let here = at; ;) {
      const next = records.read(bytes, here, end, template, time);
      if (next < 0) {
        // What is shorter than any record is padding.
        if (end - here >= template.leastBytes) session.malformed += 1;
        return count;
      }
      here = next;
      count += 1;
      if (template.scopes > 0) takeOptions(session);
      else takeFlow(session, message);
    }
  };

  const takeOptions = (session: ExportSession): void => {
    session.otherRecords += 1;
    session.optionRecords += 1;
    const { sampler, every, bootMs } = records.extras;
    if (!Number.isNaN(every)) noteSampling(session, sampler, every);
    if (!Number.isNaN(bootMs)) session.bootMs = bootMs;
  };

  const takeFlow = (session: ExportSession, { time }: Message): void => {
    const { flow, extras } = records;
    if (flow.sourceAt < 0 || flow.destinationAt < 0 || (flow.octets < 0 && flow.packets < 0)) {
      session.otherRecords += 1;
      return;
    }
    if (Number.isNaN(flow.endMs)) flow.endMs = Number.isNaN(flow.startMs) ? time.exportMs : flow.startMs;
    if (Number.isNaN(flow.startMs)) flow.startMs = flow.endMs;
    const every = Number.isNaN(extras.every) ? samplingOf(session, extras.sampler) : extras.every;
    if (!Number.isNaN(every)) {
      flow.everyPackets = every;
      flow.samplingFrom = Number.isNaN(extras.every) ? 'options' : 'record';
    }
    emit(flow, session);
  };

  return {
    netflow9,
    ipfix,
    get evictedTemplates() {
      return templates.evicted;
    },
    get knownTemplates() {
      return templates.size;
    },
    get waitingBytes() {
      return templates.waitingBytes;
    },
  };
}

/**
 * The number of an IPFIX message counts the records before it (RFC 7011 §3.1). Some exporters (softflowd 1.1) count those in it as well,
 * and none of options: they are known by a number that would be a gap by the rule and is none by their way.
 * @param count records of all kinds, null where nobody can count them @param data those that are no options
 */
function numberIpfix(session: ExportSession, number: number, count: number | null, data: number | null): void {
  const { tracker, numbering } = session;
  const isGap = numbering.next !== null && number !== numbering.next;
  if (!numbering.countsOwn && isGap && data !== null && number === (numbering.last + data) >>> 0) {
    numbering.countsOwn = true;
    tracker.expect(numbering.last);
  }
  if (numbering.countsOwn && data !== null) tracker.see((number - data) >>> 0, data, false);
  else tracker.see(number, numbering.countsOwn ? null : count, false);
  numbering.last = number;
  numbering.next = count === null ? null : (number + count) >>> 0;
}
