/**
 * `struct tcp_info` of Linux (include/uapi/linux/tcp.h): what the kernel knows about one connection, readable by its owner
 * without privilege. Fields were appended over the years; what an older kernel does not fill is null.
 */
export interface TcpInfo {
  rttMs: number;
  rttVarMs: number;
  /** Lowest round trip in the kernel's window; null before the first sample. */
  minRttMs: number | null;
  totalRetrans: number;
  lost: number;
  sndCwnd: number;
  sndMssBytes: number;
  rcvMssBytes: number;
  pmtuBytes: number;
  bytesAcked: number | null;
  bytesReceived: number | null;
  bytesRetrans: number | null;
  notSentBytes: number | null;
  busyMs: number | null;
  rwndLimitedMs: number | null;
  sndbufLimitedMs: number | null;
  rcvOooPack: number | null;
  dsackDups: number | null;
  totalRto: number | null;
}

/** Bytes to offer to getsockopt: more than any kernel fills today. */
export const tcpInfoSize = 320;

const noMinRtt = 0xffffffff;

/** Reads the first `length` bytes that getsockopt(IPPROTO_TCP, TCP_INFO) filled. Returns null when not even the original struct is there. */
export function parseTcpInfo(bytes: Uint8Array, length: number): TcpInfo | null {
  if (length < 104 || bytes.length < length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const u32 = (offset: number) => (offset + 4 <= length ? view.getUint32(offset, true) : null);
  const u64 = (offset: number) => (offset + 8 <= length ? Number(view.getBigUint64(offset, true)) : null);
  const micro = (offset: number) => {
    const value = u64(offset);
    return value === null ? null : value / 1000;
  };
  const minRtt = u32(148);
  return {
    rttMs: view.getUint32(68, true) / 1000,
    rttVarMs: view.getUint32(72, true) / 1000,
    minRttMs: minRtt === null || minRtt === noMinRtt || minRtt === 0 ? null : minRtt / 1000,
    totalRetrans: view.getUint32(100, true),
    lost: view.getUint32(32, true),
    sndCwnd: view.getUint32(80, true),
    sndMssBytes: view.getUint32(16, true),
    rcvMssBytes: view.getUint32(20, true),
    pmtuBytes: view.getUint32(60, true),
    bytesAcked: u64(120),
    bytesReceived: u64(128),
    bytesRetrans: u64(208),
    notSentBytes: u32(144),
    busyMs: micro(168),
    rwndLimitedMs: micro(176),
    sndbufLimitedMs: micro(184),
    rcvOooPack: u32(224),
    dsackDups: u32(216),
    totalRto: length >= 242 ? view.getUint16(240, true) : null,
  };
}
